"""A map whose files are overwritten in place while a process has it open."""

from __future__ import annotations

from contextlib import ExitStack
import errno
from pathlib import Path
import subprocess
import sys
import tempfile

from husky_placerec.errors import InputError
from husky_placerec.placemap import data_files, loading
from husky_placerec.placemap.data_files import private_copy
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.storage import save_map
from husky_placerec.placemap.thumbnails import ThumbnailFile, write_thumbnails
import numpy as np
import pytest
from support.builders import random_map, thumbnails_of

# A process of its own, because a fault here is a signal that ends the process.
SEARCH = """
import sys
from pathlib import Path
from husky_placerec.placemap import loading
loading.IN_MEMORY_BYTES = int(sys.argv[2])
folder = Path(sys.argv[1])
found = loading.load_map(folder, private=True)
queries = [found.descriptors[i].astype('float32') for i in (3, 30)]
for file in folder.iterdir():
    file.write_bytes(b'')
print([found.search(query, 1, both_ways=False)[0].place for query in queries])
print([round(float(found.descriptors[i].sum()), 3) for i in range(0, len(found), 7)])
"""


@pytest.mark.parametrize('in_memory_bytes', [1 << 20, 0])
@pytest.mark.parametrize('kind', ['flat', 'hnsw', 'ivf_sq8'])
def test_a_map_that_the_node_has_open_may_be_overwritten(kind, in_memory_bytes, tmp_path):
    made = random_map(count=40)
    save_map(made.indexed(kind), tmp_path / 'map')
    command = [sys.executable, '-c', SEARCH, str(tmp_path / 'map'), str(in_memory_bytes)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    places, sums = done.stdout.splitlines()
    assert places == '[3, 30]'
    expected = np.asarray(made.descriptors, np.float16)[::7]
    assert sums == str([round(float(each.sum()), 3) for each in expected])


def test_the_change_is_noticed_at_the_next_reload(saved):
    found = load_map(saved.path, private=True)
    saved.file('descriptors').write_bytes(b'something else')
    with pytest.raises(InputError, match='truncated or altered'):
        load_map(saved.path, private=True)
    assert np.isfinite(np.asarray(found.descriptors)).all()


def test_a_large_file_is_mapped_and_a_small_one_is_in_memory(saved, monkeypatch):
    assert not isinstance(load_map(saved.path).descriptors, np.memmap)
    monkeypatch.setattr(loading, 'IN_MEMORY_BYTES', 0)
    assert isinstance(load_map(saved.path).descriptors, np.memmap)
    assert isinstance(load_map(saved.path, private=True).descriptors, np.memmap)


def test_a_private_copy_leaves_nothing_behind(tmp_path):
    file = tmp_path / 'data.npy'
    file.write_bytes(b'content')
    with private_copy(file) as path:
        file.write_bytes(b'')
        assert path.read_bytes() == b'content'
    assert [each.name for each in tmp_path.iterdir()] == ['data.npy']


def test_where_there_is_no_room_beside_the_map_the_folder_for_temporary_files_is_used(
    tmp_path, monkeypatch
):
    file = tmp_path / 'map' / 'data.npy'
    file.parent.mkdir()
    file.write_bytes(b'content')
    (tmp_path / 'tmp').mkdir()
    full = _full(monkeypatch, file.parent)
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path / 'tmp'))
    with private_copy(file) as path:
        assert path.read_bytes() == b'content'
    full.add(tmp_path / 'tmp')
    with pytest.raises(InputError, match=r'data\.npy: no private copy .*No space.*TMPDIR'):
        ExitStack().enter_context(private_copy(file))


def test_a_file_that_changes_while_it_is_copied_is_refused(tmp_path, monkeypatch):
    file = tmp_path / 'data.npy'
    file.write_bytes(b'content')
    monkeypatch.setattr(data_files.shutil, 'copyfileobj', lambda source, to, _: to.write(b'half'))
    with pytest.raises(InputError, match='changed while it was copied'):
        ExitStack().enter_context(private_copy(file))


def test_a_thumbnail_that_was_overwritten_is_refused(tmp_path):
    file = tmp_path / 'thumbnails.zip'
    write_thumbnails(file, thumbnails_of([{'front': b'jpeg' * 50_000}]), 1, ['front'])
    opened = ThumbnailFile(file)
    assert opened.jpeg(0, 'front') == b'jpeg' * 50_000
    for data in (b'x' * file.stat().st_size, b''):
        file.write_bytes(data)
        with pytest.raises(InputError, match='cannot be read'):
            opened.jpeg(0, 'front')


def _full(monkeypatch, *folders):
    """Return a set of folders in which no file can be made; a full disk cannot be had here."""
    full, make = {Path(folder) for folder in folders}, tempfile.TemporaryFile

    def made(*args, dir=None, **options):  # noqa: A002  (its name in tempfile)
        if Path(dir) in full:
            raise OSError(errno.ENOSPC, 'No space left on device')
        return make(*args, dir=dir, **options)

    monkeypatch.setattr(tempfile, 'TemporaryFile', made)
    return full
