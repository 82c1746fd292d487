"""
The drives by which decisions are calibrated and measured: rendered once, kept as JPEG.

No network may be trained on these campuses: seeds 90 to 92 calibrate, 107 to 109 test; the method
was tried on 95 to 97. On each, by each protocol, a summer day is mapped with a place every 3 m;
nine drives, one a condition, leave the map for about a third of their way; two go the other way
round. The test campuses are mapped with a place every 5 m besides.

As in `python benchmarks/decision_drives.py --drives drives`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
import hashlib
import io
from pathlib import Path

import cv2
from husky_placerec.campus.conditions import CONDITIONS
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.odometry import odometry, odometry_rng
from husky_placerec.campus.photographer import Photographer
from husky_placerec.campus.protocols import drive_of, PROTOCOLS
from husky_placerec.descriptor.extractor import DescriptorExtractor
from husky_placerec.descriptor.local.extractor import LocalExtractor
from husky_placerec.descriptor.local.features import LocalFeatures
from husky_placerec.files import write_atomic
from husky_placerec.progress import bar
from husky_placerec.types import FloatArray, Frame
import numpy as np
from numpy.typing import NDArray

CALIBRATION, TEST = (90, 91, 92), (107, 108, 109)
LENGTH_M, CALIBRATION_LENGTH_M = 300.0, 180.0
COARSE_M = 5.0  # between the places of a second map, to see how poses come in between
REVERSED = 'summer_day', 'night'
SHIFT_M = 8.0  # from one drive to the next, so that they do not leave the map at one frame
QUALITY = 90  # of the JPEGs, as a camera sends them
LEARNED = 'learned'  # the branch of the local network for rendered images
PRODUCT = {'width': 640, 'height': 360}


@dataclass(frozen=True, eq=False)
class Recorded:
    """
    A drive as it was seen.

    :param poses: [N, 7] true ones, and `wheels` [N, 7] those of the odometry.
    :param jpegs: of each frame by camera.
    """

    name: str
    stamps_ns: NDArray[np.int64]
    poses: NDArray[np.float64]
    wheels: NDArray[np.float64]
    jpegs: list[dict[str, bytes]]


@dataclass(frozen=True)
class Campus:
    """The drives on one campus: the mapped one, the nine, and those the other way."""

    protocol: str
    seed: int
    mapped: DriveConfig
    coarse: DriveConfig | None
    driven: tuple[DriveConfig, ...]
    reversed: tuple[DriveConfig, ...]

    def all(self) -> Iterator[DriveConfig]:
        yield self.mapped
        if self.coarse is not None:
            yield self.coarse
        yield from self.driven
        yield from self.reversed


def campus(protocol: str, seed: int) -> Campus:
    """Return what is driven on one campus."""
    common = drive_of(protocol, seed=seed, **PRODUCT)
    round_m = float(int(common.campus().route.length_m))
    length_m = CALIBRATION_LENGTH_M if seed in CALIBRATION else LENGTH_M
    names = list(CONDITIONS)
    driven = tuple(
        replace(
            common,
            drive=number,
            condition=name,
            detour=True,
            length_m=length_m,
            start_m=SHIFT_M * (number - (len(names) + 1) / 2),
        )
        for number, name in enumerate(names, 1)
    )
    backwards = tuple(
        replace(
            common,
            drive=20 + number,
            condition=name,
            reverse=True,
            length_m=length_m,
            start_m=round_m * number / len(REVERSED),
        )
        for number, name in enumerate(REVERSED)
    )
    mapped = replace(common, length_m=round_m)
    coarse = replace(mapped, step_m=COARSE_M) if seed not in CALIBRATION else None
    return Campus(protocol, seed, mapped, coarse, driven, backwards)


def recorded(config: DriveConfig, folder: Path) -> Recorded:
    """Render a drive, or read it from the folder."""
    digest = hashlib.sha256(repr(config).encode()).hexdigest()[:12]
    path = folder / f'{config.seed}_{config.drive}_{config.condition}_{digest}.npz'
    if not path.exists():
        write_atomic(path, _rendered(config))
    with np.load(path) as stored:
        blob, ends = stored['jpegs'].tobytes(), stored['ends'].tolist()
        cameras = [str(name) for name in stored['cameras']]
        pieces = [blob[a:b] for a, b in zip([0, *ends], ends)]
        jpegs = [
            dict(zip(cameras, pieces[i : i + len(cameras)]))
            for i in range(0, len(pieces), len(cameras))
        ]
        return Recorded(path.stem, stored['stamps'], stored['poses'], stored['wheels'], jpegs)


def described(
    drive: Recorded, extractor: DescriptorExtractor, local: LocalExtractor, folder: Path
) -> tuple[FloatArray, LocalFeatures]:
    """Return [N, C, D] float16 descriptors of a drive and its local ones, kept on the disk."""
    made_by = repr((extractor.spec, local.spec_of(LEARNED)))
    path = folder / f'{drive.name}_{hashlib.sha256(made_by.encode()).hexdigest()[:12]}.npz'
    if not path.exists():
        rows, cells = [], []
        for jpegs in drive.jpegs:
            images = {camera: decoded(jpeg) for camera, jpeg in jpegs.items()}
            frame = Frame(0, images, dict.fromkeys(images, 0))
            rows.append(extractor.describe(frame))
            cells.append(local.describe_each(frame)[local.branches.index(LEARNED)])
        data = io.BytesIO()
        np.savez(data, descriptors=np.array(rows, np.float16), local=np.array(cells))
        write_atomic(path, data.getvalue())
    with np.load(path) as stored:
        return stored['descriptors'], LocalFeatures(local.spec_of(LEARNED), stored['local'])


def decoded(jpeg: bytes) -> NDArray[np.uint8]:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def _rendered(config: DriveConfig) -> bytes:
    photographer = Photographer(config)
    pieces: list[bytes] = []
    cameras: Mapping[str, object] = {}
    for number in range(len(photographer.poses)):
        cameras = photographer.pictures(number)
        for picture in cameras.values():
            bgr = cv2.cvtColor(picture.image, cv2.COLOR_RGB2BGR)
            jpeg = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
            pieces.append(jpeg.tobytes())
    data = io.BytesIO()
    np.savez(
        data,
        jpegs=np.frombuffer(b''.join(pieces), np.uint8),
        ends=np.cumsum([len(piece) for piece in pieces]),
        cameras=np.array(list(cameras)),
        stamps=np.array([timed.stamp_ns for timed in photographer.poses]),
        poses=np.array([timed.pose.as_array() for timed in photographer.poses]),
        wheels=np.array(
            [p.as_array() for p in odometry(photographer.poses, odometry_rng(config))]
        ),
    )
    return data.getvalue()


def main() -> None:
    """Render what is missing, in one process."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--drives', type=Path, default=Path('drives'), help='kept here')
    parser.add_argument('--seeds', type=int, nargs='+', default=[*CALIBRATION, *TEST])
    parser.add_argument('--protocols', nargs='+', choices=list(PROTOCOLS), default=list(PROTOCOLS))
    args = parser.parse_args()
    cv2.setNumThreads(1)
    args.drives.mkdir(parents=True, exist_ok=True)
    plans = [c for p in args.protocols for s in args.seeds for c in campus(p, s).all()]
    with bar('Rendering', len(plans), ' drives') as shown:
        for config in plans:
            recorded(config, args.drives)
            shown.update()


if __name__ == '__main__':
    main()
