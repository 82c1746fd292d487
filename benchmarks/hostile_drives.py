"""Hostile drives: bags, tracks, folders of images, and images in each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import os
from pathlib import Path
import struct
import zlib

import cv2
from hostile_world import (
    bag_data,
    Case,
    FRAMES,
    Harm,
    picture,
    START_NS,
    TRACK_HEADER,
    write_bag,
)
from husky_placerec.types import Pose, SECOND_NS
import numpy as np

MAX_PIXELS = 50_000_000


def _commands(source: str) -> list[tuple[list[str], tuple[str, ...]]]:
    """Return commands that read a drive, with what they may make."""
    pixels = ['-s', 'extractor=pixels']
    return [
        (['data', 'check', source], ()),
        (['map', 'build', source, 'out', *pixels], ('out',)),
        (['replay', source, '--map', 'map', '-o', 'out'], ('out',)),
        (['convert', source, 'out'], ('out',)),
        (['map', 'add', 'map', source], ('map',)),
    ]


def _cases(kind: str, source: str, harms: Iterator[tuple[str, Harm]], each: int) -> Iterator[Case]:
    """Yield each harm under some of the commands, in turn."""
    commands = _commands(source)
    for number, (name, harm) in enumerate(harms):
        for step in range(each):
            words, may_change = commands[(number + step) % len(commands)]
            yield Case(kind, name, words, harm, may_change)


def bags(rng: np.random.Generator) -> Iterator[Case]:
    """Yield hostile bags."""
    yield from _cases('bags', 'bag', _bags(), 1)
    for number in range(18):
        seed = int(rng.integers(1 << 32))
        words, may_change = _commands('bag')[number % 3]
        harm = _damaged(lambda folder: bag_data(folder / 'bag'), seed)
        yield Case('bags', f'random bytes {seed}', words, harm, may_change)
    for number in range(6):
        seed = int(rng.integers(1 << 32))
        words, may_change = _commands('bag')[number % 3]
        harm = _damaged(lambda folder: folder / 'bag' / 'metadata.yaml', seed)
        yield Case('bags', f'random bytes in metadata.yaml {seed}', words, harm, may_change)


def _bags() -> Iterator[tuple[str, Harm]]:
    for share in (0.0, 0.01, 0.5, 0.9, 0.999):
        yield f'cut at {share}', _cut(share)
    for name, text in {
        'a bomb of aliases': _bomb(),
        'an alias of itself': '&a [*a]',
        'python objects': '!!python/object/apply:os.system ["touch precious/owned"]',
        'nested 20000 deep': '[' * 20000,
        'a file elsewhere': 'rosbag2_bagfile_information: {version: 9, storage_identifier: mcap, '
        'relative_file_paths: [../precious/thesis.txt], message_count: 1}',
        'an empty one': '',
        'no text': '\0',
    }.items():
        yield f'metadata.yaml: {name}', _metadata(text)
    yield 'no metadata.yaml', lambda folder: (folder / 'bag' / 'metadata.yaml').unlink()
    yield 'a pipe for metadata.yaml', _piped
    yield 'a bag that is a text', lambda folder: bag_data(folder / 'bag').write_text('hello')
    yield (
        'a database that is none',
        lambda folder: (folder / 'bag' / 'x.db3').write_bytes(b'SQLite format 3\0' + bytes(999)),
    )
    yield 'escapes in frames', _written(frame_id='map\x1b[2J\x1b]0;x\x07\nerror: forged')
    yield 'a frame of 1 MB', _written(frame_id='x' * 1_000_000)
    yield 'stamps of zero', _written(stamp=lambda i: 0)
    yield 'stamps at the end of time', _written(stamp=lambda i: (2**31 - 1) * SECOND_NS + i)
    yield 'negative stamps', _written(stamp=lambda i: (i - 2**31) * SECOND_NS)
    yield 'stamps backwards', _written(stamp=lambda i: START_NS - i * SECOND_NS)
    for name, pose in {
        'null poses': Pose(0, 0, 0, 0, 0, 0, 0),
        'poses that are no number': Pose(*[float('nan')] * 7),
        'infinite poses': Pose(float('inf'), 0, 0, 0, 0, 0, 1),
        'poses of 1e300': Pose(1e300, -1e300, 0, 0, 0, 0, 1),
    }.items():
        yield name, _written(pose=lambda i, pose=pose: pose)
    yield 'huge images', _written(image=lambda i, camera: (_png(20000, 20032), 'png'))
    yield 'depth images', _written(image=lambda i, camera: (_depth(), '16UC1; png compressed '))
    yield (
        'escapes in formats',
        _written(image=lambda i, camera: (b'no image', '\x1b[31mjpeg\n\x07')),
    )
    yield 'empty images', _written(image=lambda i, camera: (b'', ''))


def tracks(rng: np.random.Generator) -> Iterator[Case]:
    """Yield hostile tracks."""
    yield from _cases('tracks', 'track', _tables('track/track.csv', TRACK_HEADER, _track_row), 1)
    for number in range(8):
        seed = int(rng.integers(1 << 32))
        words, may_change = _commands('track')[number % 5]
        harm = _damaged(lambda folder: folder / 'track' / 'track.csv', seed)
        yield Case('tracks', f'random bytes {seed}', words, harm, may_change)
    check = ['data', 'check', 'track']
    yield Case('tracks', 'a link to private images', check, _linked_track, (), 'refused')
    yield Case('tracks', 'a track elsewhere', check, _track_elsewhere, (), 'refused')


def folders(rng: np.random.Generator) -> Iterator[Case]:
    """Yield hostile folders of images."""
    header = 'stamp,front,back,x,y,z,yaw'
    yield from _cases('folders', 'drive', _tables('drive/frames.csv', header, _folder_row), 1)
    for number in range(8):
        seed = int(rng.integers(1 << 32))
        words, may_change = _commands('drive')[number % 5]
        harm = _damaged(lambda folder: folder / 'drive' / 'frames.csv', seed)
        yield Case('folders', f'random bytes {seed}', words, harm, may_change)
    for number, (name, path) in enumerate(
        {
            'a picture above': '../precious/photo.png',
            'a picture above, by a way round': 'x/../../precious/photo.png',
            'an absolute picture': '{}/precious/photo.png',
            'a link to a picture': 'link.png',
            'a link to a device': 'zero.png',
            'a picture above that is not there': '../precious/none.png',
        }.items()
    ):
        words, may_change = _commands('drive')[number % 5]
        yield Case('folders', name, words, _outside(path), may_change, 'refused')


def images(rng: np.random.Generator) -> Iterator[Case]:
    """Yield hostile images: each instead of two images of a folder, so that the rest is good."""
    for number, (name, data) in enumerate(_images()):
        words, may_change = _commands('drive')[number % 5]
        yield Case('images', name, words, _image(data), may_change)
    commands = _commands('drive')
    for number, (name, make) in enumerate(
        {
            'a pipe': os.mkfifo,
            'a folder': os.mkdir,
            'a file of 600 MB': lambda path: os.truncate(_touched(path), 600_000_000),
            'a link to itself': lambda path: os.symlink(path.name, path),
            'no rights': lambda path: os.chmod(_touched(path), 0),
        }.items()
    ):
        for step in (0, 1):
            words, may_change = commands[(number + 2 * step) % 5]
            yield Case('images', name, words, _made(make), may_change)
    for number in range(16):
        suffix = ('.png', '.jpg', '.bmp', '.webp', '.tiff', '.gif', '.ppm', '.png')[number % 8]
        seed = int(rng.integers(1 << 32))
        data = bytearray(picture(seed, suffix))
        for at in rng.integers(min(len(data), 400), size=6):
            data[at] = rng.integers(256)
        words, may_change = commands[number % 5]
        yield Case(
            'images', f'random bytes in {suffix} {seed}', words, _image(bytes(data)), may_change
        )


def _images() -> Iterator[tuple[str, bytes]]:
    yield 'a PNG of 20000x20032', _png(20000, 20032)
    yield 'a PNG of 2^31', _png(2**31 - 1, 2**31 - 1)
    yield 'a PNG of no pixels', _png(0, 0)
    yield 'a PNG of one column', _png(1, MAX_PIXELS)
    yield 'a PNG that is full', _png(20000, 20032, full=True)
    yield 'a PNG cut', picture(1)[:99]
    yield 'a PNG with a broken end', picture(1)[:-30] + bytes(30)
    yield 'a PNG of 16 bits', _depth()
    yield 'a JPEG of 65500x65500', _jpeg(65500, 65500)
    yield 'a JPEG of no lines', _jpeg(64, 0)
    yield 'a JPEG cut', picture(1, '.jpg')[:200]
    yield 'a JPEG of markers', b'\xff\xd8' + b'\xff\xe0\0\2' * 99_999
    yield 'a JPEG of nothing', b'\xff\xd8' + bytes(5_000_000)
    yield 'a BMP of 50000x50000', _bmp(50000, 50000)
    yield 'a BMP of negative size', _bmp(-50000, -2_000_000_000)
    yield 'a GIF of 65535x65535', b'GIF89a\xff\xff\xff\xff\x80\0\0' + bytes(99)
    yield 'a PNM of 99999x99999', b'P6 99999 99999 255\n' + bytes(99)
    yield 'a PNM of 10^400', b'P6 ' + b'9' * 400 + b' 1 255\n'
    yield 'a PNM of comments', b'P6' + b'#\n' * 50_000
    yield 'a TIFF that points to itself', b'II*\0\x08\0\0\0\xff\xff' + bytes(20) * 9
    yield 'a TIFF of large tiles', _tiff()
    yield 'a WebP of 16384x16384', b'RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0' + b'\xff\x3f\0' * 2
    yield 'an HDR of 99999x99999', b'#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 99999 +X 99999\n'
    yield 'an EXR', b'v/1\x01\x02\0\0\0' + bytes(500)
    yield 'a JPEG 2000', b'\0\0\0\x0cjP  \r\n\x87\n' + bytes(500)
    yield 'a text', b'not an image'
    yield 'nothing', b''
    yield 'an SVG', b'<svg xmlns="http://www.w3.org/2000/svg"/>'
    yield 'a very small one', picture(1, width=1, height=1)
    yield 'one row', picture(1, width=5000, height=1)
    yield 'one column', picture(1, width=1, height=5000)


def _png(width: int, height: int, full: bool = False) -> bytes:
    """Return a PNG of a size; if it is full, all of its pixels are there, in 1 MB of zeros."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        whole = kind + data
        return struct.pack('>I', len(data)) + whole + struct.pack('>I', zlib.crc32(whole))

    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    pixels = b''
    if full:
        packer, row = zlib.compressobj(9), bytes(1 + 3 * width)
        pixels = b''.join(packer.compress(row) for _ in range(height)) + packer.flush()
    return b'\x89PNG\r\n\x1a\n' + b''.join(
        (chunk(b'IHDR', header), chunk(b'IDAT', pixels), chunk(b'IEND', b''))
    )


def _jpeg(width: int, height: int) -> bytes:
    jpeg = bytearray(picture(1, '.jpg'))
    at = jpeg.index(b'\xff\xc0')
    jpeg[at + 5 : at + 9] = struct.pack('>HH', height, width)
    return bytes(jpeg)


def _bmp(width: int, height: int) -> bytes:
    bmp = bytearray(picture(1, '.bmp'))
    bmp[18:26] = struct.pack('<ii', width, height)
    return bytes(bmp)


def _tiff() -> bytes:
    tags = {256: 64, 257: 48, 258: 8, 259: 1, 262: 1, 277: 1, 322: 1 << 20, 323: 1 << 20}
    entries = b''.join(struct.pack('<HHII', tag, 4, 1, value) for tag, value in tags.items())
    return b'II*\0\x08\0\0\0' + struct.pack('<H', len(tags)) + entries + bytes(4)


def _depth() -> bytes:
    return cv2.imencode('.png', np.arange(64 * 48, dtype=np.uint16).reshape(48, 64))[1].tobytes()


def _tables(
    table: str, header: str, row: Callable[[int], list[str]]
) -> Iterator[tuple[str, Harm]]:
    """Yield hostile tables; `row` makes a good one."""
    rows = [row(i) for i in range(FRAMES)]
    columns = header.split(',')

    def harm(text: str | bytes) -> Harm:
        data = text if isinstance(text, bytes) else text.encode('utf-8', 'surrogateescape')
        return lambda folder: (folder / table).write_bytes(data) and None

    def written(names: list[str], values: list[list[str]]) -> Harm:
        return harm('\n'.join(map(','.join, [names, *values])) + '\n')

    def with_value(column: int, value: str) -> Harm:
        return written(columns, [[*r[:column], value, *r[column + 1 :]] for r in rows])

    x = columns.index('x' if 'x' in columns else 'tx')
    values = (
        'nan',
        'inf',
        '1e308',
        '1e999',
        '',
        'x',
        '\x1b[2J',
        '"' + 'x' * 200_000 + '"',
        '0x10',
    )
    for value in values:
        yield f'x = {value[:12]!a}', with_value(x, value)
    stamps = ('-1', '0', '1e30', '9' * 400, 'nan', '', '\x1b]0;x\x07', '99999999999999999999')
    for value in stamps:
        yield f'stamp = {value[:12]!a}', with_value(0, value)
    images = ('', '.', '/', 'x' * 5000 + '.png', 'a\0b.png', '\x1b[31m.png', '[/red].png')
    for value in images:
        yield f'image = {value[:12]!a}', with_value(1, value)
    yield 'null quaternions', written(columns, [[*r[:-4], '0', '0', '0', '0'] for r in rows])
    yield 'an empty table', harm('')
    yield 'only a header', written(columns, [])
    yield 'a header twice', written([*columns, columns[0]], [[*r, '0'] for r in rows])
    yield 'short rows', written(columns, [r[:2] for r in rows])
    yield 'long rows', written(columns, [[*r, '0', '0'] for r in rows])
    yield 'an open quote', harm(header + '\n"')
    yield 'no line end', harm('x' * 3_000_000)
    yield '100000 columns', written([f'c{i}' for i in range(100_000)], [])
    yield 'UTF-16', harm('\n'.join(map(','.join, [columns, *rows])).encode('utf-16'))
    yield 'no text', harm(bytes(range(256)) * 99)
    yield 'Latin-1', harm(header.encode() + b',\xe9\n')
    yield 'escapes in the header', written(['\x1b[2J', *columns], [['0', *r] for r in rows])
    yield 'a frame 20000 times', written(columns, rows[:1] * 20_000)
    yield 'a pipe for the table', lambda folder: _pipe(folder / table)
    yield 'a pipe beside the table', lambda folder: os.mkfifo((folder / table).with_name('a.csv'))


def _track_row(i: int) -> list[str]:
    stamp = str(START_NS + i * SECOND_NS)
    return [stamp, stamp, stamp, str(i), '0', '0', '0', '0', '0', '1']


def _folder_row(i: int) -> list[str]:
    return [
        str(START_NS + i * SECOND_NS),
        f'front_{i}.png',
        f'back_{i}.png',
        str(i),
        '0',
        '0',
        '0',
    ]


def _cut(share: float) -> Harm:
    def harm(folder: Path) -> None:
        file = bag_data(folder / 'bag')
        os.truncate(file, int(share * file.stat().st_size))

    return harm


def _metadata(text: str) -> Harm:
    return lambda folder: (folder / 'bag' / 'metadata.yaml').write_text(text) and None


def _written(**parts: object) -> Harm:
    return lambda folder: write_bag(folder / 'bag', **parts)  # type: ignore[arg-type]


def _bomb() -> str:
    """Return YAML whose aliases stand for 10^9 items."""
    lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
    for n in range(1, 9):
        lines.append(f'a{n}: &a{n} [{", ".join([f"*a{n - 1}"] * 10)}]')
    return '\n'.join(lines)


def _piped(folder: Path) -> None:
    _pipe(folder / 'bag' / 'metadata.yaml')


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _damaged(of: Callable[[Path], Path], seed: int) -> Harm:
    """Return what exchanges some bytes of a file, or cuts it."""

    def harm(folder: Path) -> None:
        rng, file = np.random.default_rng(seed), of(folder)
        data = bytearray(file.read_bytes())
        for at in rng.integers(len(data), size=max(4, len(data) // 5000)):
            data[at] = rng.integers(256)
        if rng.random() < 0.3:
            del data[int(rng.integers(len(data))) :]
        file.write_bytes(data)

    return harm


def _linked_track(folder: Path) -> None:
    private = folder / 'precious' / 'cam'
    (folder / 'track' / 'front_cam').rename(private)
    (folder / 'track' / 'front_cam').symlink_to(private)


def _track_elsewhere(folder: Path) -> None:
    (folder / 'precious' / 'front_cam').mkdir()
    (folder / 'precious' / 'front_cam' / f'{START_NS}.png').write_bytes(picture(1))
    (folder / 'track' / 'track.csv').unlink()
    (folder / 'track' / 'train.csv').write_text(
        f'track,{TRACK_HEADER}\n../precious,{",".join(_track_row(0))}\n'
    )


def _outside(path: str) -> Harm:
    def harm(folder: Path) -> None:
        (folder / 'drive' / 'link.png').symlink_to('../precious/photo.png')
        (folder / 'drive' / 'zero.png').symlink_to('/dev/zero')
        table = folder / 'drive' / 'frames.csv'
        text = table.read_text().replace('front_3.png', path.format(folder))
        table.write_text(text)

    return harm


def _image(data: bytes) -> Harm:
    def harm(folder: Path) -> None:
        for name in ('front_3.png', 'back_4.png'):
            (folder / 'drive' / name).write_bytes(data)

    return harm


def _made(make: Callable[[Path], object]) -> Harm:
    def harm(folder: Path) -> None:
        for name in ('front_3.png', 'back_4.png'):
            (folder / 'drive' / name).unlink()
            make(folder / 'drive' / name)

    return harm


def _touched(path: Path) -> Path:
    path.touch()
    return path
