"""Outputs: whole or not there, and never over what the user has."""

from __future__ import annotations

import hashlib
import os

from husky_placerec.errors import InputError
from husky_placerec.files import (
    new_folder,
    refuse_existing,
    sha256,
    temporary_file,
    write_atomic,
)
import pytest


def tree(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob('*'))


def test_a_file_is_replaced_whole_and_a_reader_keeps_the_old_one(tmp_path):
    file = tmp_path / 'out.json'
    write_atomic(file, b'old and longer')
    with file.open('rb') as reader:
        write_atomic(file, b'new')
        assert reader.read() == b'old and longer'
    assert file.read_bytes() == b'new'
    assert tree(tmp_path) == ['out.json']
    assert file.stat().st_mode & 0o777 == 0o644


def test_folders_above_a_file_are_made(tmp_path):
    write_atomic(tmp_path / 'a' / 'b' / 'c', b'1')
    assert tree(tmp_path) == ['a', 'a/b', 'a/b/c']


@pytest.mark.parametrize('broken', ['fsync', 'replace'])
def test_a_write_that_fails_leaves_the_old_file_alone(broken, tmp_path, monkeypatch):
    file = tmp_path / 'out.json'
    write_atomic(file, b'old')

    def disk_full(*_):
        raise OSError('no space left')

    monkeypatch.setattr(os, broken, disk_full)
    with pytest.raises(OSError, match='no space'):
        write_atomic(file, b'new')
    assert file.read_bytes() == b'old'
    assert tree(tmp_path) == ['out.json']


def test_a_folder_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / 'deep' / 'out'
    with new_folder(path) as work:
        (work / 'a').write_text('1')
        assert not path.exists()
    assert tree(path) == ['a']
    assert tree(path.parent) == ['out', 'out/a']
    assert path.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize('error', [ValueError, KeyboardInterrupt])
def test_a_folder_whose_making_fails_leaves_nothing(error, tmp_path):
    with pytest.raises(error), new_folder(tmp_path / 'out') as work:
        (work / 'a').write_text('1')
        raise error
    assert tree(tmp_path) == []


def make_folder(path):
    path.mkdir()
    (path / 'old').write_text('1')


def make_file(path):
    path.write_text('1')


def make_link(path):
    path.symlink_to(path.parent / 'nowhere')


@pytest.mark.parametrize('make', [make_folder, make_file, make_link])
def test_a_name_that_exists_is_not_taken_by_a_new_folder(make, tmp_path):
    path = tmp_path / 'out'
    make(path)
    before = tree(tmp_path)
    with pytest.raises(InputError, match='out: exists already'), new_folder(path):
        pass
    path.rename(tmp_path / 'kept')
    with pytest.raises(InputError, match='out: exists already'), new_folder(path):
        make(path)
    assert [name.replace('kept', 'out') for name in tree(tmp_path) if 'kept' in name] == before


@pytest.mark.parametrize('make', [make_file, make_link])
def test_an_output_that_exists_is_refused_unless_it_may_be_overwritten(make, tmp_path):
    path = tmp_path / 'out'
    refuse_existing(path, overwrite=False)
    make(path)
    refuse_existing(path, overwrite=True)
    with pytest.raises(InputError, match=r'out: exists already.*--overwrite'):
        refuse_existing(path, overwrite=False)


def test_a_folder_is_never_overwritten_by_a_file(tmp_path):
    make_folder(tmp_path / 'out')
    with pytest.raises(InputError, match='out: is a folder, not a file'):
        refuse_existing(tmp_path / 'out', overwrite=True)


def test_a_file_is_not_written_through_a_link_or_a_pipe(tmp_path):
    thesis, link, pipe = tmp_path / 'thesis', tmp_path / 'link', tmp_path / 'pipe'
    thesis.write_text('years of work')
    link.symlink_to(thesis)
    os.mkfifo(pipe)
    for path in (link, pipe):
        write_atomic(path, b'new')
        assert path.read_bytes() == b'new' and not path.is_symlink()
    assert thesis.read_text() == 'years of work'


def test_a_temporary_file_has_a_name_that_nobody_can_prepare(tmp_path):
    names = set()
    for _ in range(20):
        with temporary_file(tmp_path, 'places', '.csv') as work:
            assert work.name.startswith('.places.') and work.suffix == '.csv'
            names.add(work)
    assert len(names) == 20
    assert tree(tmp_path) == []


def test_the_hash_is_that_of_all_bytes_of_a_large_file(tmp_path):
    data = bytes(range(256)) * 8193  # a little over two blocks
    (tmp_path / 'data').write_bytes(data)
    assert sha256(tmp_path / 'data') == hashlib.sha256(data).hexdigest()
