"""A writer that is killed, or finds the disk full, leaves the old map or the new one, whole."""

from __future__ import annotations

from dataclasses import replace
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time

from husky_placerec.errors import InputError
from husky_placerec.placemap.data_files import only_writer
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.storage import edit_map, save_map, verify_map
import pytest
from support.builders import random_map
from support.paths import ROOT, TESTS

KILLS = 40


HOG_THE_DISK = """
import resource, signal, sys
from support.builders import random_map
from husky_placerec.placemap.storage import save_map
from pathlib import Path
made = random_map(1, 400).indexed()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
save_map(made, Path(sys.argv[1]), overwrite=True)
"""


def run(code, *words):
    folders = [str(TESTS), str(ROOT)]
    path = os.pathsep.join([*folders, os.environ.get('PYTHONPATH', '')])
    return subprocess.Popen(
        [sys.executable, '-c', code, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, 'PYTHONPATH': path},
    )


@pytest.fixture
def versions():
    return [random_map(seed, 400).indexed('hnsw') for seed in (1, 2)]


@pytest.fixture
def writing(versions, tmp_path):
    """Return a function that starts a process that replaces a map again and again."""
    path = tmp_path / 'map'
    save_map(random_map(0, 400), path)

    def write():
        for i in range(100_000):
            save_map(versions[i % 2], path, overwrite=True)

    def start():
        process = multiprocessing.get_context('fork').Process(target=write, daemon=True)
        process.start()
        return process

    return start


def contents(place_map):
    return place_map.descriptors.tobytes()


def test_a_writer_killed_at_any_moment_leaves_a_whole_map(writing, versions, tmp_path):
    path = tmp_path / 'map'
    known = {contents(made) for made in [random_map(0, 400), *versions]}
    seen, chance, most_s = set(), random.Random(0), 0.08
    for kill in range(KILLS):
        writer = writing()
        if kill > KILLS // 2 and len(seen) == 1:  # a loaded host has not committed once
            most_s *= 1.5
        time.sleep(chance.uniform(0.0, most_s))
        writer.kill()
        writer.join()
        assert writer.exitcode == -signal.SIGKILL
        verify_map(path)
        seen.add(contents(load_map(path)))
    assert seen <= known
    assert len(seen) > 1  # it was killed after its first commit too
    for seed in (1, 2):  # what the dead left behind goes with the next versions
        save_map(random_map(seed), path, overwrite=True)
    assert len(list(path.iterdir())) == 5


def test_a_reader_meets_a_whole_map_while_it_is_replaced(writing, versions, tmp_path):
    writer = writing()
    try:
        seen = {contents(load_map(tmp_path / 'map')) for _ in range(60)}
    finally:
        writer.kill()
        writer.join()
    assert seen <= {contents(made) for made in [random_map(0, 400), *versions]}
    assert len(seen) > 1


@pytest.mark.parametrize('limit', [100, 20_000, 30_000])
def test_a_full_disk_leaves_the_old_map_and_nothing_else(tmp_path, limit):
    path = tmp_path / 'map'
    save_map(random_map(0, 40), path)
    before = {file: file.read_bytes() for file in path.iterdir()}
    writer = run(HOG_THE_DISK, path, limit)
    assert 'File too large' in writer.communicate()[1]
    assert {file: file.read_bytes() for file in path.iterdir()} == before
    new = run(HOG_THE_DISK, tmp_path / 'new', limit)
    assert 'File too large' in new.communicate()[1]
    assert list(tmp_path.iterdir()) == [path]


def test_two_programs_do_not_change_a_map_at_once(tmp_path):
    path = tmp_path / 'map'
    save_map(random_map(), path)
    with only_writer(path):
        for write in (
            lambda: save_map(random_map(1), path, overwrite=True),
            lambda: edit_map(path, lambda old: old),
        ):
            with pytest.raises(InputError, match='another program is changing this map'):
                write()
        load_map(path)  # readers are not kept out
    save_map(random_map(1), path, overwrite=True)


def test_a_change_that_fails_leaves_the_map_as_it_was(tmp_path):
    path = tmp_path / 'map'
    save_map(random_map(), path)
    before = {file: file.read_bytes() for file in path.iterdir()}

    def change(old):
        raise InputError('no')

    with pytest.raises(InputError, match='no'):
        edit_map(path, change)
    assert edit_map(path, lambda old: old).created == random_map().created
    assert {file: file.read_bytes() for file in path.iterdir()} == before


HARMFUL = ['places-new.csv', 'descriptors-new.npy', 'index-new.faiss', 'map-new.json', 'map.json']


@pytest.mark.parametrize('name', HARMFUL)
@pytest.mark.parametrize('bait', ['link', 'pipe'])
def test_a_foreign_map_cannot_lead_a_writer_elsewhere(name, bait, tmp_path):
    """Someone else prepared the folder: names that a writer could use are links or pipes."""
    path, thesis = tmp_path / 'map', tmp_path / 'thesis'
    save_map(random_map(0, 40), path)
    thesis.write_text('years of work')
    if name == 'map.json':
        thesis.write_bytes((path / name).read_bytes())
        (path / name).unlink()
    kept = thesis.read_bytes()
    if bait == 'link' or name == 'map.json':
        (path / name).symlink_to(thesis)
    else:
        os.mkfifo(path / name)
    edit_map(path, lambda old: replace(old, frame_id='moved').indexed('hnsw'))
    assert load_map(path).frame_id == 'moved'
    assert thesis.read_bytes() == kept
    assert not (path / 'map.json').is_symlink()


def test_a_commit_removes_no_file_of_the_user(tmp_path):
    path = tmp_path / 'map'
    save_map(random_map(0), path)
    names = 'places-2024.csv', 'index-of-notes.md', 'places-new.csv', '.map.json.bak'
    for name in names:
        (path / name).write_text('years of work')
    (path / 'places-0123456789ab.csv').mkdir()  # a name of ours, but no file
    for seed in (1, 2):
        save_map(random_map(seed), path, overwrite=True)
    assert all((path / name).read_text() == 'years of work' for name in names)
    assert (path / 'places-0123456789ab.csv').is_dir()


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path):
    path = tmp_path / 'map'
    save_map(random_map(0), path)
    left = ['.places.a_1b2c3d.csv', '.map.json.a_1b2c3d', 'descriptors-0123456789ab.npy']
    for name in left:
        (path / name).touch()
    save_map(random_map(1), path, overwrite=True)
    assert not any((path / name).exists() for name in left)


@pytest.mark.parametrize('text', ['{"tiles": []}', '', 'thesis'])
def test_a_folder_with_a_map_json_of_another_program_is_not_overwritten(text, tmp_path):
    path = tmp_path / 'tiles'
    path.mkdir()
    (path / 'map.json').write_text(text)
    with pytest.raises(InputError, match='exists and is not a place map'):
        save_map(random_map(), path, overwrite=True)
    assert (path / 'map.json').read_text() == text


def test_a_damaged_map_is_overwritten(tmp_path):
    path = tmp_path / 'map'
    save_map(random_map(0), path)
    whole = (path / 'map.json').read_bytes()
    (path / 'map.json').write_bytes(whole[:99])
    save_map(random_map(1), path, overwrite=True)
    assert len(load_map(path)) == 20
