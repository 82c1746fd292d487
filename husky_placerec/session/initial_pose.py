"""When a localizer is given a pose to start from."""

from __future__ import annotations

import math

from husky_placerec.config import Config
from husky_placerec.recognition.calibration import PROVEN
from husky_placerec.types import Pose, Recognition


class InitialPose:
    """
    Give one pose when it is due, and no other until somebody asks again.

    A wrong pose harms a localizer that was right. So a pose is given only if it was accepted on a
    map whose calibration is proven, its standard deviation is small, somebody listens, and the
    last one that was given is far away.
    """

    def __init__(self) -> None:
        self._due = False
        self._last: Pose | None = None
        self._why_not = ''  # of the last frame

    def activated(self, config: Config) -> None:
        """Make a pose due where the configuration asks for one at the start."""
        self._due = config.initial_pose == 'once'

    def ask(self, config: Config) -> bool:
        """Make a pose due; return whether initial poses are switched on."""
        self._due = config.initial_pose != 'off'
        return self._due

    def waits_for(self, config: Config) -> str:
        """Return what has to happen before a pose is given, for the diagnostics."""
        if config.initial_pose == 'off':
            return 'nothing; initial_pose is off'
        if not self._due:
            return 'a call of ~/relocalize'
        return self._why_not or 'a frame'

    def take(
        self, recognition: Recognition, grade: str, listeners: int, config: Config
    ) -> Pose | None:
        """
        Return the pose to give now, if one is due; it then no longer is.

        :param grade: of the calibration; empty for an uncalibrated map.
        """
        self._due = self._due and config.initial_pose != 'off'
        if not self._due:
            return None
        self._why_not = self._missing(recognition, grade, listeners, config)
        if self._why_not:
            return None
        self._due, self._last = False, recognition.pose
        return recognition.pose

    def _missing(
        self, recognition: Recognition, grade: str, listeners: int, config: Config
    ) -> str:
        """Return what a frame lacks; empty where its pose may be given."""
        if not grade:
            return 'a calibrated map; run placerec calibrate'
        if grade != PROVEN:
            return f'a proven calibration; that of the map is {grade}, see placerec map info'
        if not listeners:
            return 'a subscriber of initialpose'
        pose, covariance = recognition.pose, recognition.covariance
        if not recognition.accepted or pose is None or covariance is None:
            return f'an accepted pose; the last frame was refused: {recognition.reason}'
        deviation_m, most_m = math.sqrt(max(covariance[:2])), config.initial_pose_sigma
        if deviation_m > most_m:
            reverse = recognition.chosen is not None and recognition.chosen.reversed
            return (
                f'a standard deviation of at most {most_m:g} m (initial_pose_sigma); that of the '
                f'last pose is {deviation_m:.1f} m'
                + (', because the place is passed in reverse' if reverse else '')
            )
        spacing_m = config.initial_pose_spacing
        if self._last is not None and (apart_m := self._last.distance_m(pose)) < spacing_m:
            return (
                f'a pose at least {spacing_m:g} m from the one that was given last '
                f'(initial_pose_spacing); the last pose is {apart_m:.1f} m from it'
            )
        return ''
