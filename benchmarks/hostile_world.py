"""The sandbox of a hostile input: small good drives and a map, files of the user, and one harm."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
import hashlib
import json
from pathlib import Path
import shutil

import cv2
from husky_placerec.config import make_config
from husky_placerec.data.bag_writer import BagWriter
from husky_placerec.data.messages import compressed_image, IMAGE, ODOMETRY, odometry, serialized
from husky_placerec.operations.build_map import build_map
from husky_placerec.operations.drives import DriveOptions
from husky_placerec.placemap.manifest import MANIFEST, signed
from husky_placerec.types import Pose, SECOND_NS
import numpy as np

START_NS = 1_700_000_000 * SECOND_NS
FRAMES = 6
WIDTH, HEIGHT = 64, 48
CONFIG = make_config({'extractor': 'pixels'})
TOPICS = {name: '/' + CONFIG.camera_config(name).topic for name in CONFIG.cameras}
TRACK_HEADER = 'timestamp,front_cam_ts,back_cam_ts,tx,ty,tz,qx,qy,qz,qw'
THESIS = 'Four years of work.\n'

Harm = Callable[[Path], None]


@dataclass(frozen=True)
class Case:
    """
    A hostile input to the command line.

    :param words: the command line, without `placerec`; the current folder is the sandbox.
    :param harm: what makes the sandbox hostile.
    :param may_change: names in the sandbox that the command may make or change.
    :param expect: 'refused' (status 2), 'done' (status 0 or 1) or 'any'.
    """

    kind: str
    name: str
    words: Sequence[str]
    harm: Harm
    may_change: tuple[str, ...] = ()
    expect: str = 'any'


def picture(seed: int, suffix: str = '.png', width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """Return the file of an image of random smooth texture."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    pixels = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(suffix, pixels)[1].tobytes()


def make_world(folder: Path) -> None:
    """
    Make the good world that each sandbox begins as.

    It has a folder of images, a track, a bag, a map, parameters, and what is the user's own.
    """
    for name in ('drive', 'track/front_cam', 'track/back_cam', 'precious', 'home'):
        (folder / name).mkdir(parents=True)
    (folder / 'precious' / 'thesis.txt').write_text(THESIS)
    (folder / 'precious' / 'photo.png').write_bytes(picture(99))
    (folder / 'parameters.yaml').write_text('extractor: pixels\n')
    lines, rows = ['stamp,front,back,x,y,z,yaw'], [TRACK_HEADER]
    for i in range(FRAMES):
        stamp = START_NS + i * SECOND_NS
        for camera, seed in (('front', i), ('back', 50 + i)):
            (folder / 'drive' / f'{camera}_{i}.png').write_bytes(picture(seed))
            (folder / 'track' / f'{camera}_cam' / f'{stamp}.png').write_bytes(picture(seed))
        lines.append(f'{stamp},front_{i}.png,back_{i}.png,{i},0,0,0')
        rows.append(f'{stamp},{stamp},{stamp},{i},0,0,0,0,0,1')
    (folder / 'drive' / 'frames.csv').write_text('\n'.join(lines) + '\n')
    (folder / 'track' / 'track.csv').write_text('\n'.join(rows) + '\n')
    write_bag(folder / 'bag')
    build_map(
        folder / 'drive', folder / 'map', config=CONFIG, options=DriveOptions(thumbnail_width=32)
    )


def write_bag(
    path: Path,
    image: Callable[[int, str], tuple[bytes, str]] = lambda i, camera: (
        picture(i + 50 * (camera == 'back')),
        'png',
    ),
    frame_id: str = 'map',
    pose: Callable[[int], Pose] = lambda i: Pose.planar(i, 0.0, yaw=0.0),
    stamp: Callable[[int], int] = lambda i: START_NS + i * SECOND_NS,
) -> None:
    """Write a bag whose images, poses, stamps or frames may be hostile."""
    shutil.rmtree(path, ignore_errors=True)
    with BagWriter(path, {**dict.fromkeys(TOPICS.values(), IMAGE), '/pose': ODOMETRY}) as bag:
        for i in range(FRAMES):
            message = odometry(stamp(i), frame_id, pose(i))
            bag.write('/pose', START_NS + i * SECOND_NS, serialized(message, ODOMETRY))
            for camera, topic in TOPICS.items():
                seen = compressed_image(stamp(i), frame_id, *image(i, camera))
                bag.write(topic, START_NS + i * SECOND_NS, serialized(seen, IMAGE))


def bag_data(folder: Path) -> Path:
    """Return the file of a bag that has the messages."""
    return next(file for file in folder.iterdir() if file.name != 'metadata.yaml')


def change_manifest(folder: Path, change: Callable[[dict], object]) -> None:
    """Change `map.json`, and sign it anew as its author could."""
    about = json.loads((folder / MANIFEST).read_text())
    del about['sha256']
    change(about)
    (folder / MANIFEST).write_text(json.dumps(signed(about)))


def change_data(folder: Path, kind: str, data: bytes, suffix: str) -> None:
    """Exchange a data file of a map, with its hash."""
    digest = hashlib.sha256(data).hexdigest()
    entry = {'name': f'{kind}-{digest[:12]}{suffix}', 'sha256': digest}
    (folder / entry['name']).write_bytes(data)
    change_manifest(folder, lambda about: about['files'].update({kind: entry}))


def state(folder: Path) -> Mapping[str, str]:
    """Return what each path below a folder holds, links not followed."""
    found = {}
    for path in sorted(folder.rglob('*')):
        about = path.lstat()
        if path.is_symlink():
            content = f'link to {path.readlink()}'
        elif path.is_file() and about.st_size < 1 << 22 and about.st_mode & 0o444:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            content = f'{about.st_mode} {about.st_size if path.is_file() else ""}'
        found[str(path.relative_to(folder))] = content
    return found
