"""The places that a drive was recognised among, as the page draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from husky_placerec.errors import InputError
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.thumbnails import Thumbnails
from husky_placerec.types import Floats, GeoOrigin, Indices, Pose, Recognition
import numpy as np
from scipy.spatial import cKDTree

MOST_PLACES = 2_000_000  # of a map that is not there


@dataclass(frozen=True, eq=False)
class ShownPlaces:
    """
    N places, those of a map or of a drive that was taken as the map.

    :param poses: [N, 7], NaN for a place of which nothing is known.
    :param stamps_ns: [N], -1 where it is not known.
    :param tracks: [N] names of the drives.
    :param sources: path of each drive, as the map or the results name it.
    :param cameras: names, in the order of the descriptor.
    :param opposites: for each camera the one that looks the other way; empty: none.
    :param image_stamps_ns: for each place the stamps of its images, as far as they are known.
    """

    name: str
    poses: Floats
    stamps_ns: Indices
    tracks: Sequence[str]
    sources: Mapping[str, str]
    cameras: tuple[str, ...]
    opposites: Mapping[str, str] = field(default_factory=dict)
    thumbnails: Thumbnails | None = None
    origin: GeoOrigin | None = None
    frame_id: str = 'map'
    image_stamps_ns: Sequence[Mapping[str, int]] | None = None

    def __len__(self) -> int:
        return len(self.stamps_ns)

    @cached_property
    def positions(self) -> cKDTree:
        """A KD-tree of x and y of the known places."""
        known = self.poses[:, :2]
        return cKDTree(known[np.isfinite(known).all(axis=1)])

    def nearest_m(self, x: float, y: float) -> float:
        """Return the distance to the nearest place."""
        return float(self.positions.query((x, y))[0])

    def camera_of(self, camera: str, turned: bool | None) -> str:
        """Return the camera that looked, when the place was mapped, where `camera` looks now."""
        return self.opposites.get(camera, camera) if turned else camera

    @classmethod
    def of_map(cls, place_map: PlaceMap) -> ShownPlaces:
        """Return the places of a map."""
        cameras = place_map.spec.cameras
        opposites = place_map.opposites or ()
        return cls(
            place_map.name,
            place_map.places.poses,
            place_map.places.stamps_ns,
            place_map.places.tracks,
            place_map.sources,
            cameras,
            {camera: cameras[other] for camera, other in zip(cameras, opposites)},
            place_map.thumbnails,
            place_map.origin,
            place_map.frame_id,
        )

    @classmethod
    def of_drive(
        cls,
        name: str,
        source: str,
        frames: Sequence[tuple[Recognition, Pose | None]],
        cameras: tuple[str, ...],
        opposites: Mapping[str, str],
        origin: GeoOrigin | None = None,
    ) -> ShownPlaces:
        """Return the places of a drive of an evaluation: its frames as queries of another map."""
        unknown = np.full(7, np.nan)
        return cls(
            name,
            np.array([unknown if t is None else t.as_array() for _, t in frames]).reshape(-1, 7),
            np.array([recognition.stamp_ns for recognition, _ in frames], np.int64),
            (name,) * len(frames),
            {name: source},
            cameras,
            opposites,
            origin=origin,
            image_stamps_ns=[recognition.image_stamps_ns for recognition, _ in frames],
        )

    @classmethod
    def of_candidates(
        cls, name: str, recognitions: Sequence[Recognition], cameras: tuple[str, ...]
    ) -> ShownPlaces:
        """
        Return the places that recognitions name, where neither map nor drive is there.

        :raises InputError: for more than MOST_PLACES.
        """
        seen: dict[int, Pose] = {}
        for recognition in recognitions:
            for candidate in recognition.candidates:
                seen.setdefault(candidate.place, candidate.pose)
        last = max(seen, default=-1)
        if last >= MOST_PLACES:
            raise InputError(f'{name}: place {last}; expected up to {MOST_PLACES} places')
        poses = np.full((last + 1, 7), np.nan)
        for place, pose in seen.items():
            poses[place] = pose.as_array()
        stamps = np.full(len(poses), -1, np.int64)
        return cls(name, poses, stamps, ('',) * len(poses), {}, cameras)
