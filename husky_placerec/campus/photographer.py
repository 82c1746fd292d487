"""Takes the pictures of a drive, in this process or in several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
import math
import multiprocessing

import cv2
from husky_placerec.campus.conditions import condition_named
from husky_placerec.campus.drives import drive_poses, DriveConfig, TimedPose
from husky_placerec.campus.renderer import Renderer
from husky_placerec.campus.traffic import Traffic
from husky_placerec.campus.world import Campus
from husky_placerec.types import Pixels, SECOND_NS
import numpy as np

CAMERAS = {'front': 0.0, 'back': math.pi}  # yaw relative to base_link
_JPEG_QUALITY = 90
_FRAMES_A_TASK = 2


class Photographer:
    """One campus, one drive, both cameras."""

    def __init__(self, config: DriveConfig) -> None:
        """Build the campus and what is about on this drive."""
        campus = Campus(config.seed)
        self.poses: Sequence[TimedPose] = drive_poses(campus, config)
        self._config = config
        self.condition = condition_named(config.condition)
        self._traffic = Traffic(campus, config.drive)
        self._renderer = Renderer(campus, config.width, config.height)

    def pictures(self, frame: int) -> dict[str, Pixels]:
        """Return the pictures of one frame, by camera."""
        timed = self.poses[frame]
        pose, yaw = timed.pose, 2 * math.atan2(timed.pose.qz, timed.pose.qw)
        elapsed_s = (timed.stamp_ns - self.poses[0].stamp_ns) / SECOND_NS
        moving = self._traffic.seen_from(pose.x, pose.y, elapsed_s)
        result = {}
        for number, (camera, turned) in enumerate(CAMERAS.items()):
            # From the frame's number, so that the order of rendering does not matter.
            rng = np.random.default_rng([self._config.seed, 6, self._config.drive, frame, number])
            result[camera] = self._renderer.render(
                pose.x, pose.y, yaw + turned, self.condition, moving, rng
            )
        return result


def jpegs(config: DriveConfig, frames: int, workers: int) -> Iterator[dict[str, bytes]]:
    """Yield the compressed pictures of frames 0, 1, ... by camera."""
    if workers <= 1:
        for frame in range(frames):
            yield _compressed(config, frame)
        return
    # Not forked: compiled code and OpenCV do not survive a fork with their threads.
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(workers, context, initializer=_use_one_thread) as pool:
        try:
            yield from pool.map(
                _compressed, [config] * frames, range(frames), chunksize=_FRAMES_A_TASK
            )
        finally:
            pool.shutdown(cancel_futures=True)


def _use_one_thread() -> None:
    cv2.setNumThreads(1)  # the processes share the cores among them


@lru_cache(maxsize=1)
def _photographer(config: DriveConfig) -> Photographer:
    return Photographer(config)


def _compressed(config: DriveConfig, frame: int) -> dict[str, bytes]:
    return {
        camera: _jpeg(picture) for camera, picture in _photographer(config).pictures(frame).items()
    }


def _jpeg(picture: Pixels) -> bytes:
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return data.tobytes()
