"""The place map: poses where the robot has been, and descriptors of what it saw there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.descriptor.whitening import Whitening
from husky_placerec.placemap.index import ExhaustiveIndex, SearchIndex
from husky_placerec.placemap.indexing import build_index, BuiltIndex
from husky_placerec.placemap.places import Places
from husky_placerec.placemap.query_kinds import query_kinds, QueryKind
from husky_placerec.placemap.thumbnails import Thumbnails
from husky_placerec.placemap.views import BLOCK, Comparison, Views
from husky_placerec.progress import Passing
from husky_placerec.types import Candidate, FloatArray, Floats, GeoOrigin, Place, Pose
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree


@dataclass(frozen=True, eq=False)
class Rival:
    """
    The strongest evidence of a map against a candidate.

    :param similarity: of the best place that contradicts the candidate.
    :param cosines: [C] the highest cosine of each camera of the query over all places that
        contradict; -inf for an absent camera.
    """

    similarity: float
    cosines: FloatArray


Way = tuple[
    'bool | None', tuple[int, ...]
]  # `reversed` of a candidate, and the partner of each camera


@dataclass(frozen=True, eq=False)
class PlaceMap:
    """
    Places, their descriptors, and the model that made them. It is immutable.

    :param places: N places.
    :param descriptors: [N, C, D] float16 or float32: one unit vector per camera, zeros for an
        absent camera; never whitened.
    :param spec: of the descriptors.
    :param frame_id: the frame of the poses.
    :param opposites: for each camera the index of the camera that looks the other way; None if a
        camera has none, so that places passed in reverse are not recognised.
    :param sources: path of the source of each track.
    :param origin: geographic position of the origin of the frame, if it is known.
    :param name: of the map, in messages.
    :param whitening: applied to descriptors before they are compared; None: none.
    :param lengths: [N, C] of the whitened descriptors, if they are known.
    :param gain: recall on a validation drive without and with whitening, if it was measured.
    :param index: None: every place is compared.
    :param thumbnails: small images of the places; None: none.
    :param calibration: JSON values of a `recognition.calibration.Calibration`; None: none.
    :param simulated: all sources are rendered.
    :param version: SHA-256 of the `map.json` that the map was read from; empty if it was changed
        since, or never written.

    >>> found = place_map.search(descriptor, 5, both_ways=True)  # doctest: +SKIP
    >>> found[0].place, found[0].similarity  # doctest: +SKIP
    (12, 0.91)
    """

    places: Places
    descriptors: FloatArray
    spec: DescriptorSpec
    frame_id: str
    opposites: tuple[int, ...] | None
    sources: Mapping[str, str]
    created: str
    name: str = 'map'
    origin: GeoOrigin | None = None
    whitening: Whitening | None = None
    lengths: FloatArray | None = field(default=None, repr=False)
    gain: Mapping[str, Mapping[str, float]] | None = None
    index: BuiltIndex | None = None
    thumbnails: Thumbnails | None = None
    calibration: Mapping[str, Any] | None = field(default=None, repr=False)
    simulated: bool = False
    version: str = ''

    def __len__(self) -> int:
        return len(self.places)

    def place(self, index: int) -> Place:
        """Return one place."""
        return self.places.place(index, self.spec.cameras)

    @property
    def kinds(self) -> list[QueryKind]:
        """The kinds of query that the map answers."""
        return query_kinds(self.spec.cameras, self.opposites)

    @cached_property
    def views(self) -> Views:
        """The views of the places."""
        lengths = self.lengths
        if self.whitening is not None and lengths is None:
            blocks = range(0, len(self), BLOCK)
            whitening = self.whitening
            lengths = np.concatenate(
                [whitening.lengths(self.descriptors[i : i + BLOCK]) for i in blocks]
            )
        return Views(self.descriptors, self.places.present, self.whitening, lengths)

    @cached_property
    def _index(self) -> SearchIndex:
        index = self.index
        return ExhaustiveIndex(self.views) if index is None else index.searching(self.views)

    @cached_property
    def positions(self) -> cKDTree:
        """A KD-tree of x and y of the places."""
        return cKDTree(self.places.poses[:, :2])

    def prepare(self) -> None:
        """Prepare the search now, instead of at the first query."""
        _ = self._index, self.positions

    def with_places(
        self,
        places: Places,
        descriptors: FloatArray,
        *,
        sources: Mapping[str, str] | None = None,
        thumbnails: Thumbnails | None = None,
        created: str | None = None,
        origin: GeoOrigin | None = None,
        simulated: bool | None = None,
    ) -> PlaceMap:
        """
        Return a map of other places, of the same model and frame.

        This is the only way to change places. It drops all that was derived from the old ones: the
        index, the lengths of whitened descriptors, the measured gain, the thumbnails and the
        version. The whitening and the calibration stay; `calibrated_on_these_places` tells that
        the calibration was measured on others. The other arguments are as in the class; by
        default they stay.
        """
        return replace(
            self._derived_dropped(),
            places=places,
            descriptors=descriptors,
            sources=self.sources if sources is None else sources,
            thumbnails=thumbnails,
            created=created or self.created,
            origin=origin or self.origin,
            simulated=self.simulated if simulated is None else simulated,
        )

    def with_poses(
        self, poses: Floats, frame_id: str, origin: GeoOrigin | None, created: str
    ) -> PlaceMap:
        """
        Return the map with its places moved as one rigid body; all but the version still holds.

        :param poses: [N, 7].
        :param origin: where on the Earth the new frame has its origin, if that is known.
        """
        return replace(
            self,
            places=replace(self.places, poses=poses),
            frame_id=frame_id,
            origin=origin,
            created=created,
            version='',
        )

    def whitened(
        self,
        whitening: Whitening | None,
        gain: Mapping[str, Mapping[str, float]] | None = None,
    ) -> PlaceMap:
        """
        Return the map compared through a whitening, or through none.

        Its similarities change, so that it loses its calibration.

        :param gain: recall on a validation drive without and with whitening.
        """
        return replace(
            self._derived_dropped(),
            whitening=whitening,
            gain=gain,
            calibration=None,
            thumbnails=self.thumbnails,
        )

    def calibrated(self, calibration: Mapping[str, Any]) -> PlaceMap:
        """Return the map with a calibration that was measured on its present places."""
        values = {**calibration, 'places': self.places.fingerprint()}
        return replace(self, calibration=values, version='')

    @property
    def calibrated_on_these_places(self) -> bool:
        """Whether the calibration was measured on the present places."""
        measured_on = (self.calibration or {}).get('places')
        return measured_on == self.places.fingerprint()

    def _derived_dropped(self) -> PlaceMap:
        """Return the map without all that is derived from places, descriptors and whitening."""
        return replace(self, lengths=None, gain=None, index=None, thumbnails=None, version='')

    def fit_whitening(self) -> Whitening:
        """Fit a whitening to all descriptors of the map."""
        return Whitening.fit(np.asarray(self.descriptors, np.float32)[self.places.present])

    def indexed(
        self, kind: str | None = None, progress: Passing = lambda items, _: items
    ) -> PlaceMap:
        """
        Return the map with an index, built and measured.

        :param kind: None: chosen by the size of the map.
        :raises InputError: for an unknown kind.
        """
        built = build_index(self.views, self.kinds, kind, progress)
        return replace(self, index=built, version='')

    def near(self, position: NDArray[np.float64], radius_m: float) -> NDArray[np.int64]:
        """Return the places within a distance in the plane of a position [2 or more]."""
        return np.array(self.positions.query_ball_point(position[:2], radius_m), np.int64)

    def seen_between(self, first_ns: int, last_ns: int) -> NDArray[np.int64]:
        """Return the places with stamps from `first_ns` to `last_ns`, both included."""
        stamps = self.places.stamps_ns
        return np.flatnonzero((first_ns <= stamps) & (stamps <= last_ns))

    def search(
        self,
        query: FloatArray,
        count: int,
        *,
        both_ways: bool,
        without: NDArray[np.int64] | None = None,
    ) -> list[Candidate]:
        """
        Return the most similar places, best first.

        :param query: [C, D], zeros for absent cameras.
        :param both_ways: search places passed in reverse, too.
        :param without: places to leave out, such as those `near` a position, or `seen_between` two
            stamps.
        """
        return self._best(self._index.compare(query, without, count), count, self._ways(both_ways))

    def search_each(self, query: FloatArray, count: int) -> dict[str, list[Candidate]]:
        """
        Return the most similar places for each kind of query that its cameras allow.

        A single camera is searched both ways. All kinds together cost little more than one,
        because they share inner products.
        """
        found = self._index.compare(query, count=count)
        there, ways = query.any(axis=1), self._ways(True)
        return {
            kind.name: self._best(
                found,
                count,
                [way for way in ways if way[1] == kind.partners or not all(kind.cameras)],
                kind.there,
            )
            for kind in self.kinds
            if (kind.there & there).any()
        }

    def rival(
        self,
        query: FloatArray,
        best: Candidate,
        apart_m: float,
        *,
        both_ways: bool,
        without: NDArray[np.int64] | None = None,
    ) -> Rival | None:
        """
        Return the best place that contradicts a candidate; None without one.

        A place contradicts if it is more than `apart_m` metres away, or faced the other way.

        :param without: places to leave out.
        """
        near = self.near(self.places.poses[best.place], apart_m)
        if without is not None:
            near = np.union1d(near, without)
        elsewhere = self._index.compare(query, near)
        similarity, cosines = -np.inf, np.full(len(query), -np.inf, np.float32)
        for reverse, partners in self._ways(both_ways):
            seen = elsewhere if reverse == best.reversed else self._index.compare(query, without)
            similarity = max(similarity, float(seen.similarities(partners).max(initial=-np.inf)))
            cosines = np.maximum(cosines, seen.best_of_each(partners))
        return Rival(similarity, cosines) if np.isfinite(similarity) else None

    def cosines(
        self, query: FloatArray, places: NDArray[np.int64], turned: NDArray[np.bool_]
    ) -> FloatArray:
        """
        Return [K, C] the cosine of each camera of a query with K places; NaN where there is none.

        :param turned: [K] whether the place is passed in reverse.
        """
        found = self.views.compare(query, places)
        columns = np.arange(found.present.shape[1])
        partners = np.array([columns, columns if self.opposites is None else self.opposites])
        partner = partners[turned.astype(np.int64)]  # [K, C]
        values = found.cosines[partner, np.arange(len(places))[:, None], columns]
        shared = np.where(found.there[partner] & found.present, values, np.nan)
        by_query = np.full_like(values, np.nan)
        np.put_along_axis(by_query, partner, shared, axis=1)
        return by_query

    def _ways(self, both_ways: bool) -> list[Way]:
        """Return the directions to search."""
        straight = tuple(range(len(self.spec.cameras)))
        if self.opposites is None:
            return [(None, straight)]
        return [(False, straight), *([(True, self.opposites)] if both_ways else [])]

    def _best(
        self,
        found: Comparison,
        count: int,
        ways: list[Way],
        there: NDArray[np.bool_] | None = None,
    ) -> list[Candidate]:
        """Return the best candidates of a comparison; a place may occur once per direction."""
        if not len(found.places):
            return []
        scores = np.concatenate([found.similarities(partners, there) for _, partners in ways])
        wanted = min(count, len(scores))
        best = np.argpartition(-scores, wanted - 1)[:wanted]
        best = best[np.argsort(-scores[best], kind='stable')]
        return [
            self._candidate(found, *divmod(int(at), len(found.places)), float(scores[at]), ways)
            for at in best
            if np.isfinite(scores[at])
        ]

    def _candidate(
        self, found: Comparison, way: int, at: int, similarity: float, ways: list[Way]
    ) -> Candidate:
        reverse, partners = ways[way]
        place = int(found.places[at])
        cosines = {self.spec.cameras[i]: c for i, c in found.shared(at, partners).items()}
        return Candidate(place, similarity, reverse, self._pose(place, reverse), cosines)

    def _pose(self, index: int, reverse: bool | None) -> Pose:
        pose = Pose.from_array(self.places.poses[index])
        return pose.turned_round() if reverse else pose

    def __repr__(self) -> str:
        spec = self.spec
        model = spec.backbone or spec.extractor
        cameras = ', '.join(spec.cameras)
        return f'{self.name}: {len(self)} places of {cameras}, {model}, frame {self.frame_id}'
