"""The place map: where the robot has been, and what it looked like there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from husky_placerec.descriptor.fusion import turned_round
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.placemap.index import SearchIndex
from husky_placerec.placemap.places import Places
from husky_placerec.types import Candidate, FloatArray, GeoOrigin, Place, Pose
import numpy as np


@dataclass(frozen=True, eq=False)
class PlaceMap:
    """
    Places, their descriptors and what made them.

    :param places: N places.
    :param descriptors: [N, C, D] float16 or float32, a unit vector a camera, zeros where absent.
    :param spec: what made the descriptors.
    :param frame_id: the frame of the poses.
    :param opposites: for each camera the index of the one that looks the other way; None when
        some camera has none, so that a place passed in reverse cannot be told.
    :param sources: where the places come from.
    :param origin: where on the Earth the frame has its origin, if that is known.
    :param name: what to call the map in messages.
    """

    places: Places
    descriptors: FloatArray
    spec: DescriptorSpec
    frame_id: str
    opposites: tuple[int, ...] | None
    sources: tuple[str, ...]
    created: str
    name: str = 'map'
    origin: GeoOrigin | None = None

    def __len__(self) -> int:
        return len(self.places)

    def place(self, index: int) -> Place:
        return self.places.place(index, self.spec.cameras)

    @cached_property
    def _index(self) -> SearchIndex:
        return SearchIndex(np.asarray(self.descriptors, np.float32), self.places.present)

    def prepare(self) -> None:
        """Build the search index now, rather than at the first query."""
        _ = self._index

    def search(self, query: FloatArray, count: int, *, both_ways: bool) -> list[Candidate]:
        """
        Return the places most like a query, best first.

        :param query: [C, D], zeros for absent cameras.
        :param both_ways: search also the places passed in reverse.
        """
        ways: list[tuple[bool | None, FloatArray]]
        if self.opposites is None:
            ways = [(None, query)]
        else:
            ways = [(False, query)]
            if both_ways:
                ways.append((True, turned_round(query, self.opposites)))
        candidates = [
            Candidate(int(place), float(similarity), reverse, self._pose(int(place), reverse))
            for reverse, descriptor in ways
            for place, similarity in zip(*self._index.search(descriptor, count))
        ]
        return sorted(candidates, key=lambda c: -c.similarity)[:count]

    def _pose(self, index: int, reverse: bool | None) -> Pose:
        pose = Pose.from_array(self.places.poses[index])
        return pose.turned_round() if reverse else pose

    def __repr__(self) -> str:
        spec = self.spec
        model = spec.backbone or spec.extractor
        cameras = ', '.join(spec.cameras)
        return f'{self.name}: {len(self)} places of {cameras}, {model}, frame {self.frame_id}'
