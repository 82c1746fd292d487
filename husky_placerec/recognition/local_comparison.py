"""The local agreement of one frame with places of the map, and the order of candidates by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from husky_placerec.descriptor.local.features import LocalFeatures
from husky_placerec.descriptor.local.network import LocalValues, restored
from husky_placerec.recognition.route import Route
from husky_placerec.types import Candidate, FloatArray, Floats, Indices, Mask
import numpy as np

# Factors of the agreements beside the similarity, by which candidates are ranked again. They were
# chosen on the simulated campuses 90 to 92 and hold for every map: only a lead counts as evidence.
MUTUAL, SHIFT = 2.0, 1.0
# A right place has neighbours that agree, too (see `_with_neighbours`). Chosen on the same
# campuses and on 107, with a place every 3 or 5 m.
NEIGHBOUR = 0.5  # weight of each neighbour on the track beside 1 of the place itself
NEIGHBOUR_M = 6.0  # places further apart look too different
NOT_FOUND = 0.05  # by how much a neighbour that was not found counts less than the place
# On images like those of the training, the upper third alone counts, except at places in reverse.
LEARNED = 'learned'  # the branch for such images
COLUMNS = 2 + 2 + 1  # mutual, shift, the flow to the right and down, and mutual of the upper third
ACROSS = 2  # the column of the flow to the right
UPPER = 4  # the column of the upper third

StateKey = tuple[int, bool]  # a place, and whether it is passed in reverse


@dataclass(frozen=True, eq=False)
class LocalComparison:
    """
    How well the images of a frame agree with places, cell by cell.

    Each place is compared once; a place that was not compared has no local evidence.

    :param query: [C, cells, D] local descriptors of the frame, zeros for absent cameras.
    :param places: those of the map.
    :param opposites: for each camera the one that looks the other way; None: unknown.
    :param route: tells the neighbours of a place; None: each place is ranked by itself.
    """

    query: LocalValues
    places: LocalFeatures
    opposites: tuple[int, ...] | None
    route: Route | None = None
    _known: dict[StateKey, Floats] = field(default_factory=dict, init=False)
    _computed: dict[StateKey, Floats] = field(default_factory=dict, init=False)

    def again(self) -> LocalComparison:
        """Return a comparison for which the same places count; what is computed is shared."""
        made = replace(self)
        made._known.update(self._known)
        object.__setattr__(made, '_computed', self._computed)
        return made

    def compare(self, states: Sequence[StateKey]) -> None:
        """Compare the frame with places that are passed in reverse or not."""
        for reverse in (False, True):
            new = sorted({p for p, r in states if r == reverse and (p, r) not in self._computed})
            if new:
                rows = self._agreement(np.array(new, np.int64), reverse)
                self._computed.update(zip([(place, reverse) for place in new], rows))
        self._known.update({(p, bool(r)): self._computed[p, bool(r)] for p, r in states})

    def of(self, places: Indices, reverse: Mask) -> Floats:
        """
        Return [K, COLUMNS] for K places.

        The columns are the mutual agreement, that by shift, the flow, and the mutual agreement of
        the upper third of the image.

        NaN where a place was not compared, or shares no camera with the frame.
        """
        unknown = np.full(COLUMNS, np.nan)
        keys = zip(places.tolist(), reverse.tolist())
        found = [self._known.get(key, unknown) for key in keys]
        return np.array(found, np.float64).reshape(-1, COLUMNS)

    def compared(self) -> tuple[Indices, Mask, Floats]:
        """Return the places [L] that were compared, their directions, and their agreements."""
        places = np.array([place for place, _ in self._known], np.int64)
        reverse = np.array([turned for _, turned in self._known], np.bool_)
        return places, reverse, self.of(places, reverse)

    def ranked(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Return the candidates in the order of similarity and local agreement together."""
        places = np.array([c.place for c in candidates], np.int64)
        reverse = np.array([bool(c.reversed) for c in candidates], np.bool_)
        similarity = np.array([c.similarity for c in candidates], np.float32)
        return [candidates[i] for i in self.order(places, reverse, similarity).tolist()]

    def order(self, places: Indices, reverse: Mask, similarity: FloatArray) -> Indices:
        """Return [K] the order of K places by similarity and local agreement together."""
        self.compare([*zip(places.tolist(), reverse.tolist())])
        seen = self.of(places, reverse)
        # Candidates without local agreement keep the order of their similarity.
        agreement = np.nan_to_num(MUTUAL * self._lasting(seen, reverse) + SHIFT * seen[:, 1])
        score: Floats = similarity.astype(np.float64) + agreement
        if np.isfinite(seen).any():
            score = self._with_neighbours(places, reverse, score)
        return np.argsort(-score, kind='stable')

    def _lasting(self, seen: Floats, reverse: Mask) -> Floats:
        """
        Return [K] the mutual agreement of what tells a place from its neighbours.

        In a street, facades and crowns in the upper third are near and last through all weather;
        the horizon in the middle is far and alike all along the street, the ground everywhere. So
        it was on simulated campuses. Indoors there is a ceiling, and the opposite camera sees
        other facades.
        """
        upper = ~reverse if self.places.spec.branch == LEARNED else np.zeros_like(reverse)
        return np.where(upper, seen[:, UPPER], seen[:, 0])

    def _with_neighbours(self, places: Indices, reverse: Mask, scores: Floats) -> Floats:
        """
        Return [K] the mean of each score and those of the place's neighbours on its track.

        Of neighbouring places one is hardly better than the next, and noise decides; the mean is
        highest in the middle of those that agree. A place that resembles the right one by chance
        has no such neighbours. The idea is that of matching sequences: Milford and Wyeth, SeqSLAM,
        ICRA 2012.
        """
        if self.route is None:
            return scores
        states = [*zip(places.tolist(), reverse.tolist())]
        known = dict(zip(states, scores.tolist()))
        means = []
        for place, turned in states:
            own = known[place, turned]
            near = self.route.near_neighbours(place, NEIGHBOUR_M).tolist()
            beside = sum(known.get((each, turned), own - NOT_FOUND) for each in near)
            means.append((own + NEIGHBOUR * beside) / (1 + NEIGHBOUR * len(near)))
        return np.array(means, np.float64)

    def _agreement(self, places: Indices, reverse: bool) -> Floats:
        """Return [K, COLUMNS] the mean over the cameras that both have."""
        cameras = len(self.query)
        partners = self.opposites if reverse and self.opposites is not None else range(cameras)
        total, count = np.zeros((len(places), COLUMNS)), np.zeros((len(places), 1))
        for camera, partner in enumerate(partners):
            image = restored(self.query[camera])
            if not image.any():
                continue
            others = self.places.vectors(places, partner)
            there: Mask = np.asarray(others.any(axis=(1, 2)))
            found = self.places.matcher.agreement(image, others)
            columns = np.column_stack([found.mutual, found.shift, found.flow, found.upper])
            total += np.where(there[:, None], columns, 0.0)
            count += there[:, None]
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)
