"""The key points of all frames of a drive, for a calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from husky_placerec.metric.correspondences import FrameKeyPoints
from husky_placerec.metric.rig import Rig
from husky_placerec.metric.sight import Sight
from husky_placerec.types import Indices


@dataclass(frozen=True, eq=False)
class DriveSights:
    """
    What the cameras saw at each frame of a drive.

    :param rig: of the robot that drove.
    :param frames: [N][C]; None where the key points of a frame are not known.
    """

    rig: Rig
    frames: Sequence[Sequence[Sight] | None]

    def of(self, frame: int, width: int) -> FrameKeyPoints | None:
        """
        Return the key points of a frame; None where they are not known.

        :param width: px, of the images in which they were found.
        """
        seen = self.frames[frame]
        return None if seen is None else FrameKeyPoints(seen, self.rig, width)

    def chosen(self, frames: Indices) -> DriveSights:
        """Return those of some frames, in their order."""
        return replace(self, frames=[self.frames[frame] for frame in frames.tolist()])
