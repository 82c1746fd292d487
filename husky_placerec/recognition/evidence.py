"""What speaks for and against a place: the evidence of one frame, as columns."""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.placemap.place_map import PlaceMap, Rival
from husky_placerec.recognition.route import Places, Route
from husky_placerec.types import Candidate, FloatArray
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Turned = NDArray[np.bool_]

# The columns. A place that merely looks alike often convinces one camera and not the other: hence
# their leads besides that of both.
EVIDENCE = (
    'similarity',  # mean cosine over the cameras
    'lead',  # over the best candidate that contradicts
    'behind',  # the lead where it is below zero, as of a place that is not the best
    'weakest_lead',  # of the camera that leads least, over the best that contradicts for it alone
    'strongest_lead',  # of the one that leads most
    'agreement',  # share of the candidates that are at that place too
    'disagreement',  # between the cosines of the cameras
    'unusual',  # similarity over that of the place and its neighbours in the map
)


@dataclass(frozen=True, eq=False)
class Sighting:
    """
    What the map has to say to one frame.

    :param query: [C, D], zeros for absent cameras.
    :param rival: the best that contradicts the best candidate; None where nothing does.
    """

    query: FloatArray
    candidates: tuple[Candidate, ...]
    rival: Rival | None
    apart_m: float

    @property
    def best(self) -> Candidate | None:
        return self.candidates[0] if self.candidates else None

    @property
    def margin(self) -> float | None:
        """The best candidate's lead over the best that contradicts it."""
        if self.best is None or self.rival is None:
            return None
        return self.best.similarity - self.rival.similarity

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
        rival = place_map.rival(query, found[0], apart_m, both_ways=both_ways, without=without)
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
    agrees = _agreeing(route, sighting, places, turned)
    lead, weakest, strongest = _leads(place_map, sighting, agrees, similarity, cosines)
    return np.column_stack(
        [
            similarity,
            lead,
            np.minimum(lead, 0.0),
            weakest,
            strongest,
            agrees.mean(axis=1) if agrees.size else np.zeros(len(places)),
            np.where(count > 1, spread, 0.0),
            similarity - route.usual(places),
        ]
    )


def _agreeing(
    route: Route, sighting: Sighting, places: Places, turned: Turned
) -> NDArray[np.bool_]:
    """Return [K, L] which of the L candidates are at each place too, faced the same way."""
    others, ways = sighting.states
    apart = np.linalg.norm(route.positions[places][:, None] - route.positions[others], axis=-1)
    return np.asarray((apart <= sighting.apart_m) & (turned[:, None] == ways))


def _leads(
    place_map: PlaceMap,
    sighting: Sighting,
    agrees: NDArray[np.bool_],
    similarity: Floats,
    cosines: Floats,
) -> tuple[Floats, Floats, Floats]:
    """
    Return [K] leads over what contradicts each place: of the similarity, and of the cameras.

    Those of the cameras are the least and the greatest of any.
    """
    names = place_map.spec.cameras
    alike = [
        (c.similarity, *(c.cosines.get(n, -np.inf) for n in names)) for c in sighting.candidates
    ]
    scores = np.array(alike, np.float64).reshape(-1, 1 + len(names))  # [L, 1 + C]
    contradicting = np.where(agrees[..., None], -np.inf, scores)
    rivals = contradicting.max(axis=1, initial=-np.inf)  # [K, 1 + C]
    if sighting.rival is not None and len(scores):
        against_best = [sighting.rival.similarity, *sighting.rival.cosines]
        rivals = np.where(agrees[:, :1], np.maximum(rivals, against_best), rivals)
    rivals = np.where(np.isfinite(rivals), rivals, 0.0)  # nothing contradicts: a stranger would
    leads = np.clip(np.column_stack([similarity, cosines]) - rivals, -1.0, 1.0)
    seen = np.isfinite(leads[:, 1:])
    weakest = np.where(seen, leads[:, 1:], 1.0).min(axis=1)
    strongest = np.where(seen, leads[:, 1:], -1.0).max(axis=1)
    none = ~seen.any(axis=1)
    return leads[:, 0], np.where(none, -1.0, weakest), np.where(none, -1.0, strongest)
