"""Odometry and motions of a robot that drives straight on."""

from __future__ import annotations

from husky_placerec.recognition.motion import Motion
from husky_placerec.recognition.odometry import Odometry
from husky_placerec.types import Pose, SECOND_NS
from support.builders import planar, SPACING_M


def straight(seconds=20, speed=1.0, rate=10):
    """Return the odometry of a straight drive from stamp 0, taken by the recognizer."""
    odometry = Odometry()
    for tick in range(seconds * rate + 1):
        odometry.add(tick * SECOND_NS // rate, planar(speed * tick / rate))
    odometry.take_new()
    return odometry


def ahead(metres=SPACING_M):
    """Return the motion of a robot that drives straight on."""
    return Motion(Pose.planar(metres, 0.0, 0.0), abs(metres), 0.05 * abs(metres), 0.05)
