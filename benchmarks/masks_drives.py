"""The simulated drives on which masks are trained and measured, and their static shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.protocols import drive_of
from husky_placerec.config import make_config
from husky_placerec.descriptor.masking import Masking
from husky_placerec.training.drives import Drive
from husky_placerec.types import Classes, Frame, Pixels
import numpy as np
from numpy.typing import NDArray
from rendered import Lens, masks_of, PINHOLE_FOCAL, rendered

LENS = Lens(192, 112, PINHOLE_FOCAL)  # of the shipped network, for unlike cameras
TRAFFIC = 0.0, 1.0, 3.0  # of the queries, times the usual
TRAINING_SEEDS = range(301, 305)
# Condition and traffic of the drives of a training campus.
TRAINING = ('summer_day', 0.0), ('night', 3.0), ('autumn_rain', 1.0), ('winter_dusk', 5.0)
# Condition and direction of the queries; the map is a summer day with the usual traffic.
QUERIES = ('winter_dusk', False), ('autumn_rain', False), ('night', True)


def training_drives() -> list[list[DriveConfig]]:
    """Return the drives of each campus to train on."""
    about = {'route_m': 720.0, 'length_m': 400.0, 'step_m': 4.0, 'sway': 0.0}
    return [
        [
            drive_of('hard', seed=seed, drive=n, condition=condition, traffic=traffic, **about)
            for n, (condition, traffic) in enumerate(TRAINING)
        ]
        for seed in TRAINING_SEEDS
    ]


def measured_drives(seed: int) -> tuple[DriveConfig, dict[float, list[DriveConfig]]]:
    """
    Return the mapped drive of a campus, and its queries by their traffic.

    The queries of each traffic have the same poses and light.
    """
    common = drive_of('hard', seed=seed, sway=0.0)
    common = replace(common, length_m=float(int(common.campus().route.length_m)))
    queries = {
        traffic: [
            replace(
                common, drive=n, condition=condition, reverse=back, traffic=traffic, step_m=9.0
            )
            for n, (condition, back) in enumerate(QUERIES, 1)
        ]
        for traffic in TRAFFIC
    }
    return replace(common, traffic=1.0), queries


def static_of(
    config: DriveConfig,
    path: Path,
    every: int = 1,
    name: str = '',
    segment: Callable[[Pixels], Classes] | None = None,
) -> NDArray[np.uint8]:
    """
    Return how static each pixel is, [N, C, 112, 192] of 0 to 255, computed once.

    :param every: one of so many frames is used.
    :param name: of the masks; empty: the true ones.
    :param segment: makes the classes of an image; None: the true ones.
    """
    stored = path.with_name(f'{path.stem}_static{every}{name}.npy')
    if not stored.exists():
        masking = Masking.of(make_config({'masks': True}))
        assert masking is not None
        prepare, found = LENS.preparation(config), []
        names = [camera.name for camera in config.rig]
        images = np.load(path, mmap_mode='r')[::every]
        for pair, masks in zip(images, masks_of(path)[::every]):
            classes: Mapping[str, Classes] = dict(zip(names, masks))
            if segment is not None:
                classes = {n: segment(np.asarray(image)) for n, image in zip(names, pair)}
            frame = Frame(0, dict(zip(names, pair)), dict.fromkeys(names, 0), classes)
            shares = masking.shares(frame, prepare)
            found.append([np.round(shares[n] * 255).astype(np.uint8) for n in names])
        np.save(stored, np.array(found))
    return np.asarray(np.load(stored, mmap_mode='r'))


def with_static(drives: list[Drive], configs: list[DriveConfig]) -> list[Drive]:
    """Return drives with their true masks."""
    return [
        replace(drive, static=static_of(config, drive.track.path))
        for drive, config in zip(drives, configs)
    ]


def load_training(folder: Path, masks: bool) -> list[list[Drive]]:
    """Return the drives to train on, rendered now or before, with masks or without."""
    groups = training_drives()
    loaded = [rendered(group, LENS, folder) for group in groups]
    if not masks:
        return loaded
    return [with_static(drives, configs) for drives, configs in zip(loaded, groups)]
