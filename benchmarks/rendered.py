"""Simulated drives for training and measuring: rendered once, kept at the size of a network."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
import hashlib
import multiprocessing
from pathlib import Path

import cv2
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.photographer import Photographer
from husky_placerec.config import make_config
from husky_placerec.descriptor.pinhole import make_pinhole
from husky_placerec.descriptor.preparation import Preparation
from husky_placerec.evaluation.tags import tags_of
from husky_placerec.evaluation.tracks import Track
from husky_placerec.progress import bar
from husky_placerec.training.drives import Drive
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 320, 180  # as rendered
PINHOLE_FOCAL = (
    0.737  # of 192x112 images: the narrower camera sees all of it, 910 * 112 / 720 / 192
)


@dataclass(frozen=True)
class Lens:
    """
    How rendered images become those of a network.

    :param focal: of the virtual pinhole for cameras that are unlike; 0 resizes.
    """

    width: int
    height: int
    focal: float = 0.0

    def preparation(self, config: DriveConfig) -> Preparation:
        """Return what brings the images of a drive's cameras to this size."""
        size = (self.width, self.height)
        return Preparation(size, make_pinhole(make_config(intrinsics(config)), self.focal, size))


def intrinsics(config: DriveConfig) -> dict[str, object]:
    """Return the parameters that tell the lenses of a drive's cameras."""
    values: dict[str, object] = {}
    for camera in config.rig:
        fx, fy, _, _ = camera.intrinsics(config.width, config.height)
        known = {'fx': fx, 'fy': fy, 'width': config.width, 'height': config.height}
        values.update({f'camera.{camera.name}.{key}': value for key, value in known.items()})
    return values


def rendered(
    configs: Sequence[DriveConfig], lens: Lens, folder: Path, workers: int = 2
) -> list[Drive]:
    """Return drives through a lens, rendered now or kept in the folder from before."""
    paths = render(configs, folder, workers)
    return [_through(lens, config, path) for config, path in zip(configs, paths)]


def render(configs: Sequence[DriveConfig], folder: Path, workers: int = 2) -> list[Path]:
    """
    Render what is not yet in the folder; return a file a drive.

    Each has the images [N, C, HEIGHT, WIDTH, 3]; `poses_of` has the poses, `masks_of` the masks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    configs = [replace(config, width=WIDTH, height=HEIGHT) for config in configs]
    missing = [each for each in configs if not _file(each, folder).exists()]
    if missing:
        context = multiprocessing.get_context('spawn')
        with (
            ProcessPoolExecutor(workers, context) as pool,
            bar('Rendering', len(missing), ' drives') as shown,
        ):
            for _ in pool.map(_render, missing, [folder] * len(missing)):
                shown.update()
    return [_file(each, folder) for each in configs]


def _file(config: DriveConfig, folder: Path) -> Path:
    return folder / f'{drive_name(config)}.npy'


def drive_name(config: DriveConfig) -> str:
    """Return a name that depends on everything that the drive does."""
    digest = hashlib.sha256(repr(config).encode()).hexdigest()[:12]
    return f'{config.seed}_{config.drive}_{config.condition}_{digest}'


def poses_of(path: Path) -> NDArray[np.float64]:
    """Return the poses [N, 7] of a rendered drive."""
    return np.asarray(np.load(_poses(path)))


def masks_of(path: Path) -> NDArray[np.uint8]:
    """Return the masks [N, C, HEIGHT, WIDTH] of a rendered drive, classes of Mapillary Vistas."""
    return np.asarray(np.load(_masks(path), mmap_mode='r'))


def _render(config: DriveConfig, folder: Path) -> Path:
    cv2.setNumThreads(1)
    path = _file(config, folder)
    photographer = Photographer(config)
    shape = (len(photographer.poses), len(config.rig), HEIGHT, WIDTH, 3)
    temporary = path.with_suffix('.part')
    images = np.lib.format.open_memmap(temporary, 'w+', np.uint8, shape)
    masks = np.empty(shape[:-1], np.uint8)
    for frame in range(len(photographer.poses)):
        for number, picture in enumerate(photographer.pictures(frame).values()):
            images[frame, number], masks[frame, number] = picture.image, picture.mask
    images.flush()
    np.save(_masks(path), masks)
    np.save(_poses(path), np.array([timed.pose.as_array() for timed in photographer.poses]))
    temporary.replace(path)
    return path


def _through(lens: Lens, config: DriveConfig, path: Path) -> Drive:
    small = path.with_name(f'{path.stem}_{lens.width}x{lens.height}_{lens.focal:.3f}.npy')
    if not small.exists():
        prepare, images = lens.preparation(config), np.load(path, mmap_mode='r')
        names = [camera.name for camera in config.rig]
        views = [[prepare(n, image) for n, image in zip(names, frame)] for frame in images]
        temporary = small.with_suffix('.part')
        with temporary.open('wb') as file:
            np.save(file, np.array(views))
        temporary.replace(small)
    return _drive(path, poses_of(path), np.load(small, mmap_mode='r'))


def _drive(path: Path, poses: NDArray[np.float64], images: NDArray[np.uint8]) -> Drive:
    rows = np.arange(len(poses))
    stamps = np.stack([rows, rows], axis=1)
    track = Track(path.stem, path, 'map', rows, rows, stamps, poses, tags_of(path.stem))
    return Drive(track, images, np.ones(images.shape[:2], np.bool_))


def _poses(path: Path) -> Path:
    return path.with_name(f'{path.stem}_poses.npy')


def _masks(path: Path) -> Path:
    return path.with_name(f'{path.stem}_masks.npy')
