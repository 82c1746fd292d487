"""
The texts of one frame beside those of places, and the order of candidates by them.

Words alone do not tell a place: shop names and exits repeat. So where a text stands in the image
and how large it is counts besides, and a text that many places have counts less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from husky_placerec.texts.encoders import TextEncoder
from husky_placerec.texts.index import boxes_of, TextIndex
from husky_placerec.texts.seen import SeenText
from husky_placerec.types import Candidate, FloatArray, Floats, Indices, Mask
import numpy as np
from scipy.spatial import cKDTree

TEXT_EVIDENCE = (
    'text_common',  # the greatest similarity of a text of the frame to one seen there, 0 to 1
    'text_contradiction',  # how much more similar a text of the frame is to one elsewhere, 0 to 1
)
MOST_RANKED = 20  # candidates
MOST_READ = 10  # texts of a frame, the surest first
MOST_ALIKE = 200  # places that a text of the frame is compared with, the most similar first
# How far a text lies from where the place has it, at which its weight falls to 0.6: in widths and
# heights of the image, and as the logarithm of the heights' ratio.
SPREAD = 0.2, 0.15, 0.5
# Places so near see the same signs, though each of them does not read all.
SAME_SIGNS_M = 8.0
UNKNOWN_BOX = 0.5  # the agreement of boxes where one is not known


@dataclass(frozen=True, eq=False)
class TextComparison:
    """
    How well the texts of a frame agree with places.

    :param index: the texts of the map.
    :param texts: those of the frame that are sure enough, at least one.
    :param encoder: of the index.
    :param cameras: of the map.
    :param opposites: for each camera the one that looks the other way; None: unknown.
    :param positions: x and y of the N places, in m.
    :param near_m: distance up to which a place shows the same signs.
    :param without: places that are left out, as if the map did not have them.
    """

    index: TextIndex
    texts: Sequence[SeenText]
    encoder: TextEncoder
    cameras: Sequence[str]
    opposites: tuple[int, ...] | None
    positions: cKDTree
    near_m: float
    without: Indices | None = None

    @cached_property
    def words(self) -> FloatArray:
        """The similarities [M, V] of the texts of the frame to the different texts of the map."""
        vectors = self.encoder.encode([seen.text for seen in self.texts])
        return np.clip(vectors @ self.index.vectors.T, 0, 1)

    @cached_property
    def rarity(self) -> Floats:
        """How few places have each text of the frame [M]: 1 for none, 0 for all."""
        count = self.positions.n
        alike = self.words >= self.encoder.alike
        having = [len(np.unique(self.index.place[row[self.index.word]])) for row in alike]
        return np.asarray(1 - np.log1p(having) / np.log1p(count))

    def evidence(self, places: Indices, reverse: Mask) -> Floats:
        """Return [K, len(TEXT_EVIDENCE)] for K places, each passed in reverse or not."""
        around = self.positions.query_ball_point(self.positions.data[places], SAME_SIGNS_M)
        both = self._common_ahead, self._common_reverse
        common = [both[bool(turned)][near].max() for near, turned in zip(around, reverse)]
        return np.column_stack([np.array(common, np.float64), self._contradiction(places)])

    @cached_property
    def _left_out(self) -> Mask:
        """Which texts of the map [R] are of places that are left out."""
        without = np.zeros(0, np.int64) if self.without is None else self.without
        return np.asarray(np.isin(self.index.place, without))

    @cached_property
    def _common_ahead(self) -> Floats:
        return self._common(False)

    @cached_property
    def _common_reverse(self) -> Floats:
        return self._common(True)

    def scores(
        self, places: Indices, reverse: Mask, *, words: bool = True, boxes: bool = True
    ) -> Floats:
        """
        Return [K] how much the texts of the frame are those of each place.

        It is the sum over the texts of the frame of the best product of similarity, agreement of
        the boxes and rarity.

        :param words: what is written counts; False: every text is like every other.
        :param boxes: where the texts are counts.
        """
        own = boxes_of(self.texts)
        scores = np.zeros(len(places))
        for at, (place, turned) in enumerate(zip(places.tolist(), reverse.tolist())):
            rows, partners = self._pairs(place, turned)
            if not len(rows):
                continue
            alike = self.words[:, self.index.word[rows]].astype(np.float64)
            alike = np.where(alike >= self.encoder.alike, alike, 0.0)
            found = alike * self.rarity[:, None] if words else np.ones_like(alike)
            if boxes:
                found = found * _agreement(own, self.index.boxes[rows])
            found = np.where(partners, found, 0.0)
            scores[at] = found.max(axis=1).sum()
        return scores

    def ranked(self, candidates: Sequence[Candidate], weight: float) -> list[Candidate]:
        """Return the candidates with the first MOST_RANKED in the order of texts besides."""
        first, others = list(candidates[:MOST_RANKED]), list(candidates[MOST_RANKED:])
        places = np.array([c.place for c in first], np.int64)
        reverse = np.array([bool(c.reversed) for c in first], np.bool_)
        scores = self.scores(places, reverse)
        # The order that they came in may be by local descriptors, which the texts add to.
        rank = np.array([c.similarity for c in first])
        order = np.argsort(-(np.minimum.accumulate(rank) + weight * scores), kind='stable')
        return [first[i] for i in order.tolist()] + others

    def _pairs(self, place: int, reverse: bool) -> tuple[Indices, Mask]:
        """Return the rows [R] of a place, and [M, R] whether a text is of the partner camera."""
        rows = np.arange(*np.searchsorted(self.index.place, (place, place + 1)))
        return rows, self._looks(reverse)[:, None] == self.index.camera[rows]

    def _looks(self, reverse: bool) -> Indices:
        """Return [M] the camera of a place that sees what that of each text saw."""
        partners = tuple(range(len(self.cameras)))
        if reverse and self.opposites is not None:
            partners = self.opposites
        return np.array([partners[self.cameras.index(seen.camera)] for seen in self.texts])

    def _common(self, reverse: bool) -> Floats:
        """Return [N] the greatest similarity of a text of the frame to one of each place."""
        there = (self._looks(reverse)[:, None] == self.index.camera) & ~self._left_out
        alike = np.where(there, self.words[:, self.index.word], 0.0).max(axis=0, initial=0.0)
        common = np.zeros(self.positions.n)
        np.maximum.at(common, self.index.place, alike)
        return common

    def _contradiction(self, places: Indices) -> Floats:
        """Return [K] the greatest lead of a text elsewhere over the same text here."""
        worst = np.zeros(len(places))
        for row in self.words:
            alike = np.where(self._left_out, 0.0, row[self.index.word])
            order = np.argsort(-alike, kind='stable')
            order = order[alike[order] > 0]
            there, first = np.unique(self.index.place[order], return_index=True)
            best = np.argsort(first)[:MOST_ALIKE]
            others, similarity = there[best], alike[order[first[best]]]
            at = self.positions.data
            apart = np.linalg.norm(at[places][:, None] - at[others], axis=-1)
            here = np.where(apart <= self.near_m, similarity, 0.0).max(axis=1, initial=0.0)
            elsewhere = np.where(apart > self.near_m, similarity, 0.0).max(axis=1, initial=0.0)
            # A text that the map does not have contradicts nothing: it may be new, or misread.
            known = elsewhere >= self.encoder.alike
            worst = np.maximum(worst, np.where(known, np.maximum(elsewhere - here, 0.0), 0.0))
        return worst


def sure_texts(texts: Sequence[SeenText], confidence: float) -> tuple[SeenText, ...]:
    """Return the texts that are at least so sure, the surest first, at most MOST_READ."""
    sure = [seen for seen in texts if seen.confidence >= confidence]
    return tuple(sorted(sure, key=lambda seen: -seen.confidence)[:MOST_READ])


def _agreement(own: Floats, others: Floats) -> Floats:
    """Return [M, R] how near boxes [M, 3] and [R, 3] are, 0 to 1."""
    apart = (own[:, None] - others) / np.array(SPREAD)
    agreement = np.exp(-0.5 * (apart**2).sum(axis=-1))
    return np.where(np.isfinite(agreement), agreement, UNKNOWN_BOX)
