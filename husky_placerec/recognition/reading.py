"""A frame on the map: what can be asked of it there."""

from __future__ import annotations

from dataclasses import dataclass, field

from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.evidence import evidence, Floats, Sighting, Turned
from husky_placerec.recognition.refinement import refined_pose
from husky_placerec.recognition.route import Places, Route
from husky_placerec.types import Candidate, Pose
import numpy as np

State = tuple[int, bool]  # a place, and whether it is passed in reverse


@dataclass(frozen=True, eq=False)
class Reading:
    """What one frame says of the places of a map; what was asked once is kept."""

    place_map: PlaceMap
    route: Route
    sighting: Sighting
    _evidence: dict[State, Floats] = field(default_factory=dict, init=False)
    _poses: dict[State, Pose] = field(default_factory=dict, init=False)

    def evidence(self, places: Places, turned: Turned) -> Floats:
        """Return [K, len(EVIDENCE)] of K places, each passed in reverse or not."""
        return evidence(self.place_map, self.route, self.sighting, places, turned)

    def evidence_of(self, place: int, turned: bool) -> Floats:
        """Return [len(EVIDENCE)] of one place."""
        state = place, turned
        if state not in self._evidence:
            self._evidence[state] = self.evidence(np.array([place]), np.array([turned]))[0]
        return self._evidence[state]

    def similarities(self, places: Places, turned: bool) -> Floats:
        """Return [K] mean cosines over the cameras; -inf where none is shared."""
        cosines = self.place_map.cosines(self.sighting.query, places, np.full(len(places), turned))
        seen = np.isfinite(cosines)
        total = np.where(seen, cosines, 0.0).sum(axis=1)
        return np.where(seen.any(axis=1), total / np.maximum(seen.sum(axis=1), 1), -np.inf)

    def pose(self, place: int, turned: bool) -> Pose:
        """Return where near a place the frame was taken."""
        state = place, turned
        if state not in self._poses:
            self._poses[state] = refined_pose(
                self.place_map,
                self.route,
                place,
                turned,
                lambda places: self.similarities(places, turned),
            )
        return self._poses[state]

    def candidate(self, place: int, turned: bool) -> Candidate:
        """Return a place as if it had been searched for."""
        mapped = Pose.from_array(self.place_map.places.poses[place])
        return Candidate(
            place,
            float(self.similarities(np.array([place]), turned)[0]),
            turned if self.place_map.opposites is not None else None,
            mapped.turned_round() if turned else mapped,
        )
