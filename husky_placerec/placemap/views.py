"""The views of the places of a map, and their comparison with a query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from husky_placerec.descriptor.centring import Centring
from husky_placerec.descriptor.half import as_float32
from husky_placerec.descriptor.inner_products import inner_products
from husky_placerec.descriptor.whitening import Whitening
from husky_placerec.types import FloatArray
import numpy as np
from numpy.typing import NDArray

BLOCK = 4096  # places at a time, in a loop over all places


@dataclass(frozen=True, eq=False)
class Views:
    """
    The views of the places of a map.

    A view is the image of one camera at one place. The present views are numbered by place and
    then by camera: row `starts[n]` is the first view of place n.

    :param descriptors: [N, C, D] raw unit vectors, zeros where absent; may be memory-mapped.
    :param present: [N, C].
    :param whitening: None: no whitening.
    :param lengths: [N, C] of the whitened or centred vectors, before they are normalised.
    :param centring: None: no centring. A map is whitened or centred, never both.
    :param opposites: as in `PlaceMap`.
    """

    descriptors: FloatArray
    present: NDArray[np.bool_]
    whitening: Whitening | None = None
    lengths: FloatArray | None = None
    centring: Centring | None = None
    opposites: tuple[int, ...] | None = None

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """The first row of each place [N + 1]."""
        return np.concatenate([[0], np.cumsum(self.present.sum(axis=1))])

    @cached_property
    def places(self) -> NDArray[np.int64]:
        """The place of each row."""
        return np.repeat(np.arange(len(self.present), dtype=np.int64), np.diff(self.starts))

    def rows_of(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of some places."""
        first, end = self.starts[places], self.starts[places + 1]
        rows = first[:, None] + np.arange(self.present.shape[1])
        return np.asarray(rows[rows < end[:, None]], np.int64)

    def compared(self, first: int, end: int) -> FloatArray:
        """Return the unit vectors that are compared, of the views of places [first, end)."""
        return self.vectors(np.arange(first, end))[self.present[first:end]]

    def vectors(self, places: NDArray[np.int64]) -> FloatArray:
        """Return [K, C, D] the unit vectors that are compared: raw, whitened or centred."""
        rows = as_float32(self.descriptors[places])
        if self.whitening is not None:
            return self.whitening.whiten(rows)
        return rows if self.centring is None else self.centring.centre(places, rows)

    def as_queries(self, places: NDArray[np.int64]) -> FloatArray:
        """Return [K, C, D] queries that see what some places saw; see `compare`."""
        if self.centring is not None:
            return self.vectors(places)
        return as_float32(self.descriptors[places])

    def alike(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> FloatArray:
        """Return [K, C] cosines of each camera between pairs of places; NaN where one lacks it."""
        seen = [self.vectors(places) for places in (one, other)]
        both = self.present[one] & self.present[other]
        return np.where(both, np.einsum('kcd,kcd->kc', *seen), np.nan)

    def compare(
        self, query: FloatArray, places: NDArray[np.int64], rows: FloatArray | None = None
    ) -> Comparison:
        """
        Compare a query exactly with some places.

        :param query: [C, D], zeros for absent cameras; raw, or centred by its session where the
            places are centred.
        :param rows: [K*C, D] float32 raw descriptors of these places, if they are at hand.
        """
        count, cameras, size = len(places), *self.descriptors.shape[1:]
        if rows is None:
            rows = as_float32(self.descriptors[places]).reshape(-1, size)
        there: NDArray[np.bool_] = np.asarray(query.any(axis=1))
        if self.centring is not None:
            offsets = self.centring.offsets(places, query)
            cosines = (inner_products(rows, query) - offsets) / self._lengths_of(places)
        elif self.whitening is not None:
            direction, offset = self.whitening.query_directions(query)
            cosines = inner_products(rows, direction) - offset[:, None]
            cosines = cosines / self._lengths_of(places)
        else:
            cosines = inner_products(rows, query)
        cosines = cosines.reshape(cameras, count, cameras)
        return Comparison(places, cosines, self.present[places], there)

    def _lengths_of(self, places: NDArray[np.int64]) -> FloatArray:
        """Return [K * C] the lengths of the views of some places."""
        assert self.lengths is not None
        return np.asarray(self.lengths[places], np.float32).reshape(-1)


@dataclass(frozen=True, eq=False)
class Comparison:
    """
    The comparison of a query with K places.

    :param places: [K].
    :param cosines: [A, K, C] of each camera of the query with each camera of a place.
    :param present: [K, C] the cameras that a place has.
    :param there: [A] the cameras that the query has.
    """

    places: NDArray[np.int64]
    cosines: FloatArray
    present: NDArray[np.bool_]
    there: NDArray[np.bool_]

    def at(self, rows: NDArray[Any]) -> Comparison:
        """Return the comparison with some of the places, by their rows or a mask of them."""
        return Comparison(self.places[rows], self.cosines[:, rows], self.present[rows], self.there)

    def similarities(
        self, partners: Sequence[int], there: NDArray[np.bool_] | None = None
    ) -> FloatArray:
        """
        Return [K] the mean cosine over the shared cameras; -inf where none is shared.

        :param partners: for each camera of a place, that of the query that looks the same way.
        :param there: the cameras of the query that count; None: all.
        """
        there = self.there if there is None else there & self.there
        total = np.zeros(len(self.places), np.float32)
        shared = np.zeros(len(self.places), np.float32)
        for camera, partner in enumerate(partners):
            if there[partner]:
                both = self.present[:, camera]
                total += self.cosines[partner, :, camera] * both
                shared += both
        return np.where(shared > 0, total / np.maximum(shared, 1), -np.inf)

    def best_of_each(self, partners: Sequence[int]) -> FloatArray:
        """
        Return [A] the highest cosine of each camera of the query with any place; -inf for none.

        :param partners: for each camera of a place, that of the query that looks the same way.
        """
        best = np.full(len(self.there), -np.inf, np.float32)
        for camera, partner in enumerate(partners):
            if self.there[partner]:
                alike = self.cosines[partner, self.present[:, camera], camera]
                best[partner] = max(best[partner], alike.max(initial=-np.inf))
        return best

    def shared(self, at: int, partners: Sequence[int]) -> dict[int, float]:
        """Return the cosine of each shared camera of the query with the `at`-th place."""
        return {
            partner: float(self.cosines[partner, at, camera])
            for camera, partner in enumerate(partners)
            if self.there[partner] and self.present[at, camera]
        }
