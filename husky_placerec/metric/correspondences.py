"""The matches of a frame with landmarks of several places, pooled over all cameras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from husky_placerec.metric.landmarks import Landmarks
from husky_placerec.metric.matching import matched
from husky_placerec.metric.rig import Rig, tangents
from husky_placerec.metric.sight import Sight, unit
from husky_placerec.types import Floats, Indices, Mask
import numpy as np
from scipy.spatial.transform import Rotation


@dataclass(frozen=True, eq=False)
class Correspondences:
    """
    M matches of key points of a frame with landmarks.

    Positions of landmarks are in the frame of one place, which is near all of them.

    :param cameras: [M] of the frame.
    :param key_points: [M] numbers of the key points, distinct over all cameras.
    :param bearings: [M, 3] in the frame's `base_link`, from the centre of the camera.
    :param across: [M, 2, 3] their tangents.
    :param origins: [M, 3] centres of the cameras in `base_link`.
    :param points: [M, 3] landmarks.
    :param focals: [M] px.
    """

    cameras: Indices
    key_points: Indices
    bearings: Floats
    across: Floats
    origins: Floats
    points: Floats
    focals: Floats

    def __len__(self) -> int:
        return len(self.points)

    def chosen(self, rows: Indices | Mask) -> Correspondences:
        """Return some of the matches."""
        return Correspondences(
            self.cameras[rows],
            self.key_points[rows],
            self.bearings[rows],
            self.across[rows],
            self.origins[rows],
            self.points[rows],
            self.focals[rows],
        )

    def inliers(self, good: Mask, cameras: int) -> Indices:
        """Return [C] how many different key points of each camera are among some matches."""
        _, first = np.unique(self.key_points[good], return_index=True)
        return np.bincount(self.cameras[good][first], minlength=cameras)


class FrameKeyPoints:
    """The key points of one frame, as unit vectors, with which places are compared."""

    def __init__(self, sights: Sequence[Sight], rig: Rig, width: int) -> None:
        self.rig = rig
        self._sights = sights
        self._focals = rig.focals(width)
        self._first = np.cumsum([0, *map(len, sights)])

    @property
    def seen(self) -> list[int]:
        """The cameras that see anything."""
        return [camera for camera, sight in enumerate(self._sights) if len(sight)]

    def matches(
        self,
        landmarks: Landmarks,
        poses: Floats,
        places: Sequence[int],
        partners: Sequence[int],
    ) -> Correspondences:
        """
        Return the matches with the landmarks of places, in the frame of the first of them.

        :param poses: [N, 7] of all places of the map.
        :param partners: for each camera of the frame the camera of the places that saw the same.
        """
        home = Rotation.from_quat(poses[places[0], 3:]).inv()
        parts: list[tuple[np.ndarray, ...]] = []
        origins = self.rig.origins
        # Made anew each time: a drive keeps all its frames, and these are the larger part of one.
        units = [unit(sight.descriptors) for sight in self._sights]
        across = [tangents(s.bearings) if len(s) else np.zeros((0, 2, 3)) for s in self._sights]
        for place in places:
            turn = (home * Rotation.from_quat(poses[place, 3:])).as_matrix()
            shift = home.apply(poses[place, :3] - poses[places[0], :3])
            for camera in self.seen:
                there = landmarks.of(place, partners[camera])
                rows, theirs = matched(units[camera], there.descriptors)
                count = len(rows)
                parts.append(
                    (
                        np.full(count, camera),
                        rows + self._first[camera],
                        self._sights[camera].bearings[rows],
                        across[camera][rows],
                        np.broadcast_to(origins[camera], (count, 3)),
                        there.points[theirs] @ turn.T + shift,
                        np.full(count, self._focals[camera]),
                    )
                )
        if not parts:
            return _nothing()
        return Correspondences(*(np.concatenate(column) for column in zip(*parts)))


def _nothing() -> Correspondences:
    none, vectors = np.zeros(0, np.int64), np.zeros((0, 3))
    return Correspondences(none, none, vectors, np.zeros((0, 2, 3)), vectors, vectors, np.zeros(0))
