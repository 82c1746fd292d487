"""Outputs: whole or not there, and never over what the user has."""

from __future__ import annotations

import hashlib
import os

from husky_placerec.errors import InputError
from husky_placerec.files import new_folder, refuse_existing, sha256, write_atomic
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


def test_a_failed_remake_leaves_the_old_folder_alone(tmp_path):
    path = tmp_path / 'out'
    with new_folder(path) as work:
        (work / 'old').write_text('1')
    with pytest.raises(ValueError), new_folder(path) as work:
        (work / 'new').write_text('2')
        raise ValueError
    assert tree(tmp_path) == ['out', 'out/old']


def make_folder(path):
    path.mkdir()
    (path / 'old').write_text('1')


def make_file(path):
    path.write_text('1')


def make_link(path):
    path.symlink_to(path.parent / 'nowhere')


@pytest.mark.parametrize('make', [make_folder, make_file, make_link])
def test_what_had_the_name_is_replaced_by_the_new_folder(make, tmp_path):
    path = tmp_path / 'out'
    make(path)
    with new_folder(path) as work:
        (work / 'new').write_text('2')
    assert tree(tmp_path) == ['out', 'out/new']
    assert not path.is_symlink()


def test_a_link_to_a_folder_is_replaced_and_the_folder_kept(tmp_path):
    make_folder(tmp_path / 'data')
    path = tmp_path / 'out'
    path.symlink_to(tmp_path / 'data')
    with new_folder(path):
        pass
    assert tree(tmp_path) == ['data', 'data/old', 'out']


@pytest.mark.parametrize('make', [make_folder, make_file, make_link])
def test_an_output_that_exists_is_refused_unless_it_may_be_overwritten(make, tmp_path):
    path = tmp_path / 'out'
    refuse_existing(path, overwrite=False)
    make(path)
    refuse_existing(path, overwrite=True)
    with pytest.raises(InputError, match=r'out: exists already.*--overwrite'):
        refuse_existing(path, overwrite=False)


def test_the_hash_is_that_of_all_bytes_of_a_large_file(tmp_path):
    data = bytes(range(256)) * 8193  # a little over two blocks
    (tmp_path / 'data').write_bytes(data)
    assert sha256(tmp_path / 'data') == hashlib.sha256(data).hexdigest()
