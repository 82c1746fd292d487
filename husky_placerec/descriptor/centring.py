"""
Centring by session: descriptors are compared by how they differ from the mean of their session.

The descriptors of one drive have much in common: its light, its season, its lens. This common part
says nothing about the place, and it differs from drive to drive. So a descriptor of the map is
centred by the mean of its track, and a query by the running mean of the session that it belongs
to. Each camera has a mean of its own.

Source: Schubert, Neubert and Protzel, Unsupervised Learning Methods for Visual Place Recognition
in Discretely and Continuously Changing Environments, ICRA 2020. They subtract the mean of all
queries, which a robot does not know while it drives; the running mean is ours.

A map stores raw descriptors m. With the mean t of its track and a centred query u of unit length,

    cos(u, m - t) = (u . m - u . t) / |m - t|

so a search compares raw descriptors by one scalar product each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from husky_placerec.descriptor.fusion import normalize
from husky_placerec.descriptor.inner_products import inner_products
from husky_placerec.types import FloatArray, Indices, Mask
import numpy as np

LEAST_PLACES = 20  # a mean of fewer places says more about these places than about the session
BLOCK = 4096  # places at a time

PRIOR = 20  # the mean of a track counts as if it had that many more places of all tracks
# The running mean never counts more than MEMORY frames, so that it follows the light of a long
# drive. Frames in a row are alike: that many say as much about the mean as one frame at random.
MEMORY, ALIKE_FRAMES = 100, 4
# A frame counts if its view differs from that of the last frame that counted by this share of what
# neighbouring places of the map differ. So neither the frame rate nor a standing robot matters.
LEAST_CHANGE = 0.3


@dataclass(frozen=True, eq=False)
class Centring:
    """
    The mean descriptors of the tracks of a map.

    :param means: [T, C, D] float32, by track and camera.
    :param track: [N] the track of each place.
    :param change: what neighbouring places of a track differ: the median of 1 - cosine.
    """

    means: FloatArray
    track: Indices
    change: float

    @classmethod
    def fit(cls, descriptors: FloatArray, present: Mask, tracks: Sequence[str]) -> Centring:
        """
        Fit to the places of a map.

        The mean of a short track is shrunk to that of all tracks, as if it had PRIOR more places.

        :param descriptors: [N, C, D] raw unit vectors, zeros where absent; may be memory-mapped.
        :param present: [N, C].
        :param tracks: [N] the name of the track of each place.
        """
        names, track = np.unique(np.asarray(tracks), return_inverse=True)
        track = track.astype(np.int64)
        sums = np.zeros((len(names), *descriptors.shape[1:]), np.float64)
        counts = np.zeros((len(names), descriptors.shape[1]), np.float64)
        for first in range(0, len(track), BLOCK):
            rows = slice(first, first + BLOCK)
            np.add.at(sums, track[rows], np.asarray(descriptors[rows], np.float32))
            np.add.at(counts, track[rows], present[rows])
        overall = sums.sum(0) / np.maximum(counts.sum(0), 1)[:, None]
        seen = counts > 0
        means = (sums + PRIOR * overall) / (counts + PRIOR)[..., None] * seen[..., None]
        return cls(means.astype(np.float32), track, _typical_change(descriptors, present, track))

    @property
    def common(self) -> float:
        """
        The share of a descriptor that is common to its track: the mean of |mean|^2, 0 to 1.

        It is near 0 where training has centred the descriptors already.
        """
        squares = (self.means.astype(np.float64) ** 2).sum(axis=2)
        seen = squares > 0
        return float(squares[seen].mean()) if seen.any() else 0.0

    @property
    def start(self) -> FloatArray:
        """The mean [C, D] that a session starts with: that of the tracks; zeros for no image."""
        seen = self.means.any(axis=2)
        total = self.means.sum(axis=0)
        return np.asarray(total / np.maximum(seen.sum(axis=0), 1)[:, None], np.float32)

    def centre(self, places: Indices, vectors: FloatArray) -> FloatArray:
        """Return the centred unit vectors [K, C, D] of K places; absent cameras stay zero."""
        return normalize(self._difference(places, vectors))

    def lengths(self, places: Indices, vectors: FloatArray) -> FloatArray:
        """Return [K, C]: the length of each centred vector before normalisation; 1 for zeros."""
        lengths = np.linalg.norm(self._difference(places, vectors), axis=-1)
        return np.asarray(np.where(lengths > 0, lengths, 1), np.float32)

    def offsets(self, places: Indices, queries: FloatArray) -> FloatArray:
        """Return [A, K * C]: scalar products of A queries [A, D] with the means of K places."""
        tracks, cameras, size = self.means.shape
        products = inner_products(self.means.reshape(-1, size), queries)
        by_track = products.reshape(-1, tracks, cameras)
        return np.asarray(by_track[:, self.track[places]].reshape(len(products), -1))

    def _difference(self, places: Indices, vectors: FloatArray) -> FloatArray:
        vectors = np.asarray(vectors, np.float32)
        return (vectors - self.means[self.track[places]]) * vectors.any(axis=-1, keepdims=True)


class RunningMean:
    """
    The mean of the descriptors of one session, up to the present frame.

    The mean s of n frames is shrunk towards the mean t of the map, and the less, the further they
    are apart in comparison with the error of s:

        mean = t + max(0, 1 - error / |s - t|^2) (s - t),   error = ALIKE_FRAMES (1 - common) / n

    So a session in the light of the map stays at the map's mean, and one in another light leaves
    it within some ten frames. It follows the change of view instead of time: a standing robot does
    not move it.

    Source of the shrinkage: James and Stein, Estimation with Quadratic Loss, Berkeley Symposium on
    Mathematical Statistics and Probability, 1961.
    """

    def __init__(self, centring: Centring) -> None:
        self._start = centring.start
        self._mean = self._start.copy()
        self._seen = np.zeros_like(self._start)
        self._count = np.zeros(len(self._start))
        self._scatter = 1 - centring.common
        self._least_change = LEAST_CHANGE * centring.change
        self._last: FloatArray | None = None

    def centre(self, query: FloatArray) -> FloatArray:
        """
        Count a query of the session, and return it centred.

        :param query: [C, D] raw unit vectors, zeros for absent cameras.
        :return: [C, D] unit vectors, zeros for absent cameras.
        """
        there: Mask = np.asarray(query.any(axis=1), np.bool_)
        if self._has_changed(query, there):
            self._last = query
            self._count[there] = np.minimum(self._count[there] + 1, MEMORY)
            self._seen[there] += (query - self._seen)[there] / self._count[there, None]
            self._mean[there] = self._shrunk()[there]
        return normalize((query - self._mean) * there[:, None])

    def _shrunk(self) -> FloatArray:
        """Return [C, D] the mean of the session, shrunk towards that of the map."""
        apart = self._seen - self._start
        error = ALIKE_FRAMES * self._scatter / np.maximum(self._count, 1)
        share = 1 - error / np.maximum((apart**2).sum(axis=1), np.finfo(np.float32).tiny)
        return np.asarray(self._start + np.maximum(share, 0)[:, None] * apart, np.float32)

    def _has_changed(self, query: FloatArray, there: Mask) -> bool:
        if self._last is None:
            return bool(there.any())
        shared = there & self._last.any(axis=1)
        if not shared.any():
            return bool(there.any())
        cosine = float((query * self._last).sum(axis=1)[shared].mean())
        return 1 - cosine >= self._least_change


def _typical_change(descriptors: FloatArray, present: Mask, track: Indices) -> float:
    """Return the median of 1 - cosine between neighbouring places of a track; 0 without any."""
    step = max(1, len(track) // BLOCK)  # a sample of a large map is enough
    first = np.arange(0, len(track) - 1, step)
    both = (present[first] & present[first + 1]) & (track[first] == track[first + 1])[:, None]
    one = np.asarray(descriptors[first], np.float32)
    other = np.asarray(descriptors[first + 1], np.float32)
    changes = 1 - np.einsum('kcd,kcd->kc', one, other)[both]
    return float(np.median(changes)) if len(changes) else 0.0
