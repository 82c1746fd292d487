"""A simulated drive as a sequence of messages: frames and the motion between them."""

from __future__ import annotations

from collections.abc import Mapping

from husky_placerec.campus.drive_path import DrivePath, frame_distances, SPEED_M_PER_S, TimedPose
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.messages import Speaker
from husky_placerec.campus.odometry import odometry, odometry_rng
from husky_placerec.campus.photographer import Encoded
import numpy as np

DELAY_NS = 4_000_000  # of each camera after the one before: real ones are not synchronised
_MOTION_STEP_M = 0.2  # distance between poses: 5 poses per second


class SimulatedDrive:
    """
    One drive of a robot. Its messages go to a speaker in the order of time.

    :raises InputError: for an invalid configuration.
    """

    def __init__(self, config: DriveConfig) -> None:
        config.check()
        track = DrivePath(config.campus(), config)
        distances = frame_distances(config)
        self.frames: list[TimedPose] = [track.after(distance) for distance in distances]
        # Poses begin before the first image and end after the last one, so that they enclose all.
        reach = np.arange(-_MOTION_STEP_M, distances[-1] + 2 * _MOTION_STEP_M, _MOTION_STEP_M)
        motion = [track.after(float(distance)) for distance in reach]
        wheels = odometry(motion, odometry_rng(config))
        self._motion = list(zip(motion, wheels, strict=True))
        self._told = 0

    def begin(self, speaker: Speaker) -> None:
        """Send the poses of the cameras on the robot; call this before the first frame."""
        speaker.tell_rig(self._motion[0][0].stamp_ns)

    def tell_frame(
        self, speaker: Speaker, frame: TimedPose, pictures: Mapping[str, Encoded]
    ) -> dict[str, int]:
        """Send the motion so far and the images; return the image stamps (ns) by camera."""
        self._tell_motion(speaker, frame.stamp_ns)
        stamps = {name: frame.stamp_ns + i * DELAY_NS for i, name in enumerate(pictures)}
        for name, picture in pictures.items():
            speaker.tell_image(name, stamps[name], picture.jpeg)
        return stamps

    def finish(self, speaker: Speaker) -> None:
        """Send the rest of the motion; call this after the last frame."""
        self._tell_motion(speaker, self._motion[-1][0].stamp_ns)

    def _tell_motion(self, speaker: Speaker, until_ns: int) -> None:
        while self._told < len(self._motion):
            timed, wheels = self._motion[self._told]
            if timed.stamp_ns > until_ns:
                return
            speaker.tell_motion(timed.stamp_ns, timed.pose, wheels, SPEED_M_PER_S)
            self._told += 1
