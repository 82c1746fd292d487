"""Hostile place maps: fields of `map.json` and data files, signed as their author could."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import io
import json
import os
from pathlib import Path
import pickle
from typing import Any
import zipfile

from hostile_world import Case, change_data, change_manifest, Harm
from husky_placerec.placemap.manifest import MANIFEST
import numpy as np

# The commands that read a map. `map add` changes it, so that a map that is no map is in danger.
READ = {
    'info': ['map', 'info', 'map'],
    'verify': ['map', 'verify', 'map'],
    'replay': ['replay', 'drive', '--map', 'map', '-o', 'out'],
    'add': ['map', 'add', 'map', 'track'],
    'transform': ['map', 'transform', 'map', '--xyz', '1', '2', '3'],
    'merge': ['map', 'merge', 'out', 'map', 'map'],
}
CHANGES = {'replay': ('out',), 'add': ('map',), 'transform': ('map',), 'merge': ('out',)}
VALUES: tuple[Any, ...] = (None, -1, 1e300, 10**30, '', 'x' * 100_000, [], {}, [[]], True)


class _Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ('touch precious/owned',)


def maps(rng: np.random.Generator) -> Iterator[Case]:
    """Yield hostile maps."""
    commands = list(READ)
    for number, (name, harm) in enumerate(_manifests()):
        command = commands[number % len(commands)]
        yield _case(command, name, harm)
    for number, (name, harm) in enumerate(_data()):
        for command in (commands[number % 2], commands[2 + number % 4]):
            yield _case(command, name, harm)
    for number in range(24):
        file = ('map.json', 'places', 'descriptors', 'thumbnails')[number % 4]
        seed = int(rng.integers(1 << 32))
        yield _case(commands[number % 3], f'random bytes in {file} {seed}', _random(file, seed))


def _case(command: str, name: str, harm: Harm) -> Case:
    return Case('maps', name, READ[command], harm, CHANGES.get(command, ()))


def _field(path: tuple[Any, ...], value: Any) -> Harm:
    def change(about: dict) -> None:
        target: Any = about
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = value

    return lambda folder: change_manifest(folder / 'map', change)


def _manifests() -> Iterator[tuple[str, Harm]]:
    paths: list[tuple[Any, ...]] = [
        ('places',),
        ('frame_id',),
        ('opposites',),
        ('created',),
        ('sources',),
        ('files',),
        ('index',),
        ('descriptor',),
        ('descriptor', 'cameras'),
        ('descriptor', 'extractor'),
        ('descriptor', 'input_width'),
        ('descriptor', 'size'),
        ('descriptor', 'pinhole_focal'),
        ('descriptor', 'fused'),
        ('index', 'kind'),
        ('index', 'recall'),
        ('index', 'shortlist'),
        ('files', 'places'),
        ('files', 'descriptors', 'name'),
        ('origin',),
        ('calibration',),
        ('whitening_gain',),
        ('simulated',),
    ]
    for number, path in enumerate(paths):
        for value in (VALUES[number % len(VALUES)], VALUES[(3 * number + 4) % len(VALUES)]):
            shown = '/'.join(map(str, path))
            yield f'{shown} = {str(value)[:20]!r}', _field(path, value)
    yield 'escapes in frame_id', _field(('frame_id',), 'map\x1b[2J\x1b]0;x\x07')
    yield 'half a surrogate in frame_id', _field(('frame_id',), '\ud800')
    yield 'markup in a source', _field(('sources',), {'drive': '[/red]\x1b[31m'})
    yield 'a data file elsewhere', _field(('files', 'places', 'name'), '../precious/thesis.txt')
    yield 'an absolute data file', _field(('files', 'places', 'name'), '/etc/passwd')
    yield 'a checkpoint to unpickle', _checkpoint
    yield 'weights elsewhere', _weights
    yield 'infinite numbers', lambda folder: _write(folder, b'{"format_version": 1, "a": 1e999}')
    yield 'nested 100000 deep', lambda folder: _write(folder, b'[' * 100_000 + b']' * 100_000)
    yield 'not UTF-8', lambda folder: _write(folder, b'\xff\xfe{}')
    yield 'an empty map.json', lambda folder: _write(folder, b'')
    yield 'a list', lambda folder: _write(folder, b'[1]')
    yield 'a number with 100000 digits', lambda folder: _write(folder, b'9' * 100_000)
    yield 'a pipe for map.json', lambda folder: _exchange(folder, os.mkfifo)
    yield 'a folder for map.json', lambda folder: _exchange(folder, os.mkdir)


def _write(folder: Path, data: bytes) -> None:
    (folder / 'map' / MANIFEST).write_bytes(data)


def _exchange(folder: Path, make: Callable[[Path], object]) -> None:
    (folder / 'map' / MANIFEST).unlink()
    make(folder / 'map' / MANIFEST)


def _checkpoint(folder: Path) -> None:
    (folder / 'map' / 'model.pt').write_bytes(pickle.dumps(_Bomb()))
    change_manifest(
        folder / 'map',
        lambda about: about['descriptor'].update(
            extractor='timm',
            backbone='resnet18',
            backbone_options='checkpoint_path=map/model.pt',
            weights='random',
            pooling='average',
            normalization='imagenet',
        ),
    )


def _weights(folder: Path) -> None:
    (folder / 'map' / 'model.onnx').write_bytes(pickle.dumps(_Bomb()))
    change_manifest(
        folder / 'map',
        lambda about: about['descriptor'].update(extractor='onnx', weights='map/model.onnx'),
    )


def _data() -> Iterator[tuple[str, Harm]]:
    rows = 'stamp_ns,x,y,z,qx,qy,qz,qw,track,cameras'
    place = '{stamp},{x},0,0,0,0,0,1,{track},{cameras}'
    good = {'stamp': 1, 'x': 0, 'track': '"drive"', 'cameras': '"front+back"'}
    changes: dict[str, dict[str, Any]] = {
        'a stamp of 1e30': {'stamp': 10**30},
        'a negative stamp': {'stamp': -5},
        'a pose that is no number': {'x': 'nan'},
        'a pose beyond all numbers': {'x': '1e999'},
        'a camera that is not there': {'cameras': '"left"'},
        'a field of 1 MB': {'track': '"' + 'x' * 1_000_000 + '"'},
        'escapes in a track': {'track': '"\x1b[2J\nerror: forged"'},
        'a track that is no text': {'track': '"\0"'},
    }
    for name, change in changes.items():
        text = '\n'.join(
            [rows, *(place.format(**{**good, 'stamp': i, **change}) for i in range(6))]
        )
        yield name, _exchanged('places', text.encode(), '.csv')
    yield 'places that are no text', _exchanged('places', b'\xff' * 1000, '.csv')
    for name, array in {
        'descriptors that are not finite': np.full((6, 2, 768), np.nan, np.float16),
        'descriptors of another shape': np.zeros((6, 768), np.float16),
        'descriptors of another type': np.zeros((6, 2, 768)),
        'zero descriptors': np.zeros((6, 2, 768), np.float16),
    }.items():
        yield name, _exchanged('descriptors', _npy(array), '.npy')
    yield 'a pickle for descriptors', _exchanged('descriptors', _pickle(), '.npy')
    header = b"{'descr': '<f2', 'fortran_order': False, 'shape': (999999999, 999999), }"
    for name, text in {
        'a shape of terabytes': header,
        'a negative shape': header.replace(b'999999999', b'-1'),
        'a header that runs code': b"__import__('os').system('touch precious/owned')",
        'a header nested deep': b'(' * 9000,
    }.items():
        data = b'\x93NUMPY\x01\x00' + len(text).to_bytes(2, 'little') + text
        yield name, _exchanged('descriptors', data, '.npy')
    yield 'a bomb of thumbnails', _exchanged('thumbnails', _zip(), '.zip')
    yield 'thumbnails that are no archive', _exchanged('thumbnails', b'PK' * 99, '.zip')
    yield 'a link for a new file', _link
    yield 'a pipe for a new file', lambda folder: os.mkfifo(folder / 'map' / 'places-new.csv')


def _exchanged(kind: str, data: bytes, suffix: str) -> Harm:
    return lambda folder: change_data(folder / 'map', kind, data, suffix)


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _pickle() -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([_Bomb()], object), allow_pickle=True)
    return file.getvalue()


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('0000000_front.jpg', bytes(300_000_000))
    return file.getvalue()


def _link(folder: Path) -> None:
    for name in ('places-new.csv', 'descriptors-new.npy', '.map.json.new'):
        (folder / 'map' / name).symlink_to('../precious/thesis.txt')


def _random(file: str, seed: int) -> Harm:
    def harm(folder: Path) -> None:
        rng = np.random.default_rng(seed)
        about = json.loads((folder / 'map' / MANIFEST).read_text())
        path = folder / 'map' / (about['files'][file]['name'] if file != MANIFEST else file)
        data = bytearray(path.read_bytes())
        for at in rng.integers(len(data), size=8):
            data[at] = rng.integers(256)
        if rng.random() < 0.3:
            del data[int(rng.integers(len(data))) :]
        if file == MANIFEST:
            path.write_bytes(data)
        else:
            change_data(folder / 'map', file, bytes(data), path.suffix)

    return harm
