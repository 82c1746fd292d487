"""What speaks for and against a place: the evidence of one frame, as columns."""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.route import Places, Route
from husky_placerec.types import Candidate, FloatArray
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Turned = NDArray[np.bool_]

# The columns. Some are of use only together with others: a camera alone has other similarities
# and leads than two, so `alone` shifts them and `alone_lead` weighs them anew.
EVIDENCE = (
    'similarity',  # mean cosine over the cameras
    'lead',  # over the best candidate that contradicts
    'behind',  # the lead where it is below zero, as of a place that is not the best
    'agreement',  # share of the candidates that are at that place too
    'disagreement',  # between the cosines of the cameras
    'unusual',  # similarity over that of the place and its neighbours in the map
    'alone',  # share of the cameras that are missing
    'alone_lead',
)


@dataclass(frozen=True, eq=False)
class Sighting:
    """
    What the map has to say to one frame.

    :param query: [C, D], zeros for absent cameras.
    :param rival: similarity of the best place that contradicts the best candidate; None where
        nothing does.
    """

    query: FloatArray
    candidates: tuple[Candidate, ...]
    rival: float | None
    apart_m: float

    @property
    def best(self) -> Candidate | None:
        return self.candidates[0] if self.candidates else None

    @property
    def margin(self) -> float | None:
        """The best candidate's lead over the best that contradicts it."""
        if self.best is None or self.rival is None:
            return None
        return self.best.similarity - self.rival

    @property
    def states(self) -> tuple[Places, Turned]:
        """The candidates as places, and whether they are passed in reverse."""
        places = np.array([c.place for c in self.candidates], np.int64)
        return places, np.array([bool(c.reversed) for c in self.candidates], np.bool_)


def look(
    place_map: PlaceMap,
    query: FloatArray,
    *,
    count: int,
    apart_m: float,
    both_ways: bool,
    without: Places | None = None,
) -> Sighting:
    """
    Search a map for a frame.

    :param count: candidates at most.
    :param apart_m: distance from which a place is elsewhere.
    :param without: places that do not count, as if the map did not know them.
    """
    found = place_map.search(query, count, both_ways=both_ways, without=without)
    rival = None
    if found:
        rival = place_map.rival_similarity(
            query, found[0], apart_m, both_ways=both_ways, without=without
        )
    return Sighting(query, tuple(found), rival, apart_m)


def evidence(
    place_map: PlaceMap, route: Route, sighting: Sighting, places: Places, turned: Turned
) -> Floats:
    """
    Return [K, len(EVIDENCE)] of what one frame says of K places.

    :param places: [K], candidates or any others.
    :param turned: [K] whether each is passed in reverse.
    """
    cosines = place_map.cosines(sighting.query, places, turned).astype(np.float64)
    shared = np.isfinite(cosines)
    count = shared.sum(axis=1)
    similarity = np.where(count, np.nansum(cosines, axis=1) / np.maximum(count, 1), -1.0)
    spread = np.where(shared, cosines, -np.inf).max(axis=1, initial=-np.inf) - np.where(
        shared, cosines, np.inf
    ).min(axis=1, initial=np.inf)
    lead, agreement = _beside_candidates(route, sighting, places, turned, similarity)
    alone = 1 - count / cosines.shape[1]
    return np.column_stack(
        [
            similarity,
            lead,
            np.minimum(lead, 0.0),
            agreement,
            np.where(count > 1, spread, 0.0),
            similarity - route.usual(places),
            alone,
            alone * lead,
        ]
    )


def _beside_candidates(
    route: Route, sighting: Sighting, places: Places, turned: Turned, similarity: Floats
) -> tuple[Floats, Floats]:
    """Return [K] leads over what contradicts each place, and [K] shares of what agrees."""
    others, ways = sighting.states
    if not len(others):
        return np.maximum(similarity, 0.0), np.zeros(len(places))
    alike = np.array([c.similarity for c in sighting.candidates])
    apart = np.linalg.norm(route.positions[places][:, None] - route.positions[others], axis=-1)
    agrees = (apart <= sighting.apart_m) & (turned[:, None] == ways)
    rival = np.where(agrees, -np.inf, alike).max(axis=1)
    if sighting.rival is not None:  # it contradicts whatever agrees with the best candidate
        rival = np.where(agrees[:, 0], np.maximum(rival, sighting.rival), rival)
    rival = np.where(np.isfinite(rival), rival, 0.0)  # nothing contradicts: a stranger would
    return np.clip(similarity - rival, -1.0, 1.0), agrees.mean(axis=1)
