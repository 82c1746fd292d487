"""`--overwrite` removes an older output of placerec, file by file, and nothing else."""

from __future__ import annotations

import json
import os
from pathlib import Path

from husky_placerec.errors import InputError
from husky_placerec.output_folder import (
    check_output_folder,
    MANIFEST,
    mark_folder,
    output_folder,
    remove_own,
)
import pytest


def write(path, **files):
    """Write an output folder of some files."""
    with output_folder(path) as work:
        for name, text in files.items():
            (work / 'pairs').mkdir(exist_ok=True)
            (work / 'pairs' / name).write_text(text)
    return path


def tree(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob('*'))


def refused(path, **options):
    with pytest.raises(InputError) as caught:
        check_output_folder(path, True, **options)
    with pytest.raises(InputError), output_folder(path):
        pass
    assert str(caught.value).startswith(str(path))
    return str(caught.value)


def test_an_output_appears_when_it_is_whole_with_a_list_of_its_files(tmp_path):
    path = tmp_path / 'deep' / 'out'
    with output_folder(path) as work:
        (work / 'a').write_text('1')
        assert not path.exists()
    assert tree(path.parent) == ['out', f'out/{MANIFEST}', 'out/a']
    assert path.stat().st_mode & 0o777 == 0o755
    assert json.loads((path / MANIFEST).read_text())['files'] == ['a']


def test_an_older_output_is_replaced_whole(tmp_path):
    path = write(tmp_path / 'out', old='1', same='1')
    check_output_folder(path, overwrite=True)
    write(path, new='2', same='2')
    assert tree(tmp_path) == [
        *('out', f'out/{MANIFEST}', 'out/pairs', 'out/pairs/new', 'out/pairs/same')
    ]
    with pytest.raises(InputError, match=r'out: exists already.*--overwrite'):
        check_output_folder(path, overwrite=False)


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / 'out').mkdir()
    write(tmp_path / 'out', new='1')
    assert (tmp_path / 'out' / 'pairs' / 'new').is_file()


@pytest.mark.parametrize('error', [ValueError, KeyboardInterrupt, OSError])
def test_an_output_that_fails_leaves_the_older_one(error, tmp_path):
    path = write(tmp_path / 'out', old='1')
    before = tree(tmp_path)
    with pytest.raises(error), output_folder(path) as work:
        (work / 'new').write_text('2')
        raise error
    assert tree(tmp_path) == before


def test_an_output_that_cannot_be_renamed_leaves_the_older_one(tmp_path, monkeypatch):
    path, rename = write(tmp_path / 'out', old='1'), os.rename
    before = tree(tmp_path)

    def failing(source, target):
        if (Path(source) / 'new').exists():
            raise OSError('no')
        rename(source, target)

    monkeypatch.setattr(os, 'rename', failing)
    with pytest.raises(OSError, match='no'), output_folder(path) as work:
        (work / 'new').write_text('2')
    assert tree(tmp_path) == before


@pytest.mark.parametrize('where', ['thesis.tex', 'pairs/thesis.tex', 'chapters/1.tex', '.hidden'])
def test_a_folder_with_a_file_of_the_user_is_refused_and_kept(where, tmp_path):
    path = write(tmp_path / 'out', old='1')
    thesis = path / where
    thesis.parent.mkdir(exist_ok=True)
    thesis.write_text('years of work')
    before = tree(tmp_path)
    assert f'has {where}, which placerec did not write' in refused(path)
    assert tree(tmp_path) == before


def test_a_folder_without_a_list_is_refused_and_kept(tmp_path):
    (tmp_path / 'thesis').mkdir()
    (tmp_path / 'thesis' / 'summary.json').write_text('years of work')
    assert 'is no output of placerec' in refused(tmp_path / 'thesis')
    assert tree(tmp_path) == ['thesis', 'thesis/summary.json']


NO_LISTS = ['', '[', '[]', '{}', '{"files": [1]}', '{"files": 1}', '[' * 99999]


@pytest.mark.parametrize('text', NO_LISTS, ids=lambda text: text[:20])
def test_a_list_that_is_none_is_refused(text, tmp_path):
    path = write(tmp_path / 'out', old='1')
    (path / MANIFEST).write_text(text)
    before = tree(tmp_path)
    refused(path)
    assert tree(tmp_path) == before


@pytest.mark.parametrize('link', ['out', 'out/pairs/link', 'out/link'])
def test_a_link_is_neither_followed_nor_removed(link, tmp_path):
    (tmp_path / 'thesis').mkdir()
    (tmp_path / 'thesis' / 'old').write_text('years of work')
    if link != 'out':
        write(tmp_path / 'out', old='1')
    (tmp_path / link).symlink_to(tmp_path / 'thesis')
    refused(tmp_path / 'out')
    assert (tmp_path / link).is_symlink()
    assert (tmp_path / 'thesis' / 'old').read_text() == 'years of work'


def test_a_listed_name_that_became_a_link_is_removed_without_its_target(tmp_path):
    path = write(tmp_path / 'out', old='1')
    (tmp_path / 'thesis').write_text('years of work')
    (path / 'pairs' / 'old').unlink()
    (path / 'pairs' / 'old').symlink_to(tmp_path / 'thesis')
    write(path, new='2')
    assert (tmp_path / 'thesis').read_text() == 'years of work'


def test_a_list_that_names_files_outside_removes_none_of_them(tmp_path):
    path = write(tmp_path / 'out', old='1')
    (tmp_path / 'thesis').write_text('years of work')
    listed = ['pairs/old', '../thesis', str(tmp_path / 'thesis')]
    (path / MANIFEST).write_text(json.dumps({'files': listed}))
    write(path, new='2')
    assert (tmp_path / 'thesis').read_text() == 'years of work'


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / 'thesis').write_text('years of work')
    assert 'is a file, not a folder' in refused(tmp_path / 'thesis')
    assert (tmp_path / 'thesis').read_text() == 'years of work'


@pytest.mark.parametrize('kind', ['current', 'home'])
@pytest.mark.parametrize('inside', ['', 'deeper/still'])
def test_the_current_folder_the_home_and_what_has_them_inside_are_kept(
    kind, inside, tmp_path, monkeypatch
):
    """Even where all their files are of placerec."""
    path = write(tmp_path / 'out', old='1')
    (path / inside).mkdir(parents=True, exist_ok=True)
    if kind == 'home':
        monkeypatch.setenv('HOME', str(path / inside))
    else:
        monkeypatch.chdir(path / inside)
        assert 'is the current folder' in refused(Path('../..' if inside else '.'))
    assert f'is the {kind} folder or has it inside' in refused(path)
    assert (path / 'pairs' / 'old').is_file()


def test_files_that_come_later_are_removed_by_their_patterns_alone(tmp_path):
    mark_folder(tmp_path)
    for name in ('cells/a.json', 'cells/notes.txt', 'table.md'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    patterns = ('cells/*.json', 'table.md')
    assert 'has cells/notes.txt, which' in refused(tmp_path, patterns=patterns)
    (tmp_path / 'cells/notes.txt').unlink()
    check_output_folder(tmp_path, True, patterns)
    remove_own(tmp_path, patterns[:1])
    assert tree(tmp_path) == ['table.md']


def test_what_a_killed_writer_left_beside_a_file_is_its_own(tmp_path):
    path = write(tmp_path / 'out', old='1')
    (path / 'pairs' / '.old.a_1b2c3d').touch()
    write(path, new='2')
    (path / 'pairs' / '.other.a_1b2c3d').touch()
    assert 'has pairs/.other.a_1b2c3d' in refused(path)
