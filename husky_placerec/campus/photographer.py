"""Rendering of the pictures of a drive, in this process or in several."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
import multiprocessing
from multiprocessing.connection import Connection, wait
import os
import signal
import threading

import cv2
from husky_placerec.campus.alterations import altered
from husky_placerec.campus.conditions import condition_named
from husky_placerec.campus.drive_path import drive_poses, TimedPose
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.faults import fault_named
from husky_placerec.campus.picture import Picture, VisibleSign
from husky_placerec.campus.renderer import Renderer
from husky_placerec.campus.traffic import Traffic
from husky_placerec.types import SECOND_NS
import numpy as np

_JPEG_QUALITY = 90
_PNG_EFFORT = 1  # of 9; more effort would hardly reduce the files
_FRAMES_A_TASK = 2


class Photographer:
    """Takes the pictures of both cameras on one drive."""

    def __init__(self, config: DriveConfig) -> None:
        """Build the campus, the changes and the traffic of the drive."""
        campus = config.campus()
        self.poses: Sequence[TimedPose] = drive_poses(campus, config)
        self._config = config
        self.condition = condition_named(config.condition)
        self._traffic = Traffic(campus, config.drive, config.traffic, config.lorries)
        self._fault = fault_named(config.fault)
        scene = altered(campus, config.alterations, config.drive, self.condition.season)
        self._renderer = Renderer(scene, campus.textures, config.width, config.height)

    def pictures(self, frame: int) -> dict[str, Picture]:
        """Return the pictures of one frame, by camera name."""
        timed = self.poses[frame]
        elapsed_s = (timed.stamp_ns - self.poses[0].stamp_ns) / SECOND_NS
        moving = self._traffic.seen_from(timed.pose.x, timed.pose.y, elapsed_s)
        rig = self._config.rig
        # Seeded from the number of the frame, so that the order of rendering does not matter.
        seed = [self._config.seed, 6, self._config.drive, frame]
        rngs = [np.random.default_rng([*seed, number]) for number in range(len(rig))]
        pictures = self._renderer.render(timed.pose, rig, self.condition, moving, rngs)
        return {
            camera.name: self._with_fault(picture, frame, number)
            for number, (camera, picture) in enumerate(zip(rig, pictures, strict=True))
        }

    def _with_fault(self, picture: Picture, frame: int, number: int) -> Picture:
        if self._fault is None:
            return picture
        # The first generator is the same for each frame, so that a water drop keeps its place.
        seed = [self._config.seed, 60, self._config.drive, number]
        drive, moment = np.random.default_rng(seed), np.random.default_rng([*seed, frame])
        return self._fault.applied(picture, self._config.rig[number].name, drive, moment)


@dataclass(frozen=True)
class Encoded:
    """A compressed picture: as JPEG (as a camera sends it), as lossless PNG, and its mask."""

    jpeg: bytes
    png: bytes
    mask_png: bytes
    signs: tuple[VisibleSign, ...]


def encoded_pictures(
    config: DriveConfig, frames: int, workers: int
) -> Generator[dict[str, Encoded], None, None]:
    """
    Yield the compressed pictures of frames 0, 1, ..., by camera name.

    The rendering processes end with the generator, and with this process however it ends.

    :param workers: number of rendering processes; 1: this process renders.
    """
    if workers <= 1:
        for frame in range(frames):
            yield _encoded_frame(config, frame)
        return
    # Spawned, because compiled code and OpenCV have threads, which do not survive a fork.
    context = multiprocessing.get_context('spawn')
    reader, lifeline = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(workers, context, initializer=_begin_worker, initargs=(reader,))
    try:
        with _sigint_blocked():  # Ctrl-C reaches all processes; this one alone answers
            found = pool.map(
                _encoded_frame, [config] * frames, range(frames), chunksize=_FRAMES_A_TASK
            )
        yield from found
    finally:
        lifeline.close()
        pool.shutdown(cancel_futures=True)
        reader.close()


def _begin_worker(lifeline: Connection) -> None:
    """Prepare a rendering process, and let it end when the process that started it ends."""
    cv2.setNumThreads(1)  # the processes already use all cores
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()


def _end_with(lifeline: Connection) -> None:
    """
    End this process when the other end of a pipe closes.

    The kernel closes it also where that process was killed. The frame at work is dropped.
    """
    wait([lifeline])
    os._exit(1)


@contextmanager
def _sigint_blocked() -> Iterator[None]:
    """Block SIGINT for a while; processes that are started meanwhile never receive it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@lru_cache(maxsize=1)
def _photographer(config: DriveConfig) -> Photographer:
    return Photographer(config)


def _encoded_frame(config: DriveConfig, frame: int) -> dict[str, Encoded]:
    pictures = _photographer(config).pictures(frame)
    return {camera: _encoded(picture) for camera, picture in pictures.items()}


def _encoded(picture: Picture) -> Encoded:
    bgr = cv2.cvtColor(picture.image, cv2.COLOR_RGB2BGR)
    _, jpeg = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    effort = [cv2.IMWRITE_PNG_COMPRESSION, _PNG_EFFORT]
    _, png = cv2.imencode('.png', bgr, effort)
    _, mask = cv2.imencode('.png', picture.mask, effort)
    return Encoded(jpeg.tobytes(), png.tobytes(), mask.tobytes(), picture.signs)
