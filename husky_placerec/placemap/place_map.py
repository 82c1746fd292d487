"""The place map: poses where the robot has been, and descriptors of what it saw there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from husky_placerec.cameras.known import KnownCamera
from husky_placerec.cameras.lever_arm import LeverArm
from husky_placerec.descriptor.agreement import Probes
from husky_placerec.descriptor.centring import Centring, RunningMean
from husky_placerec.descriptor.local.features import LocalFeatures
from husky_placerec.descriptor.projection import Projection
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.descriptor.whitening import Whitening
from husky_placerec.metric.landmarks import Landmarks
from husky_placerec.placemap.index import ExhaustiveIndex, SearchIndex
from husky_placerec.placemap.indexing import build_index, BuiltIndex
from husky_placerec.placemap.places import Places
from husky_placerec.placemap.query_kinds import query_kinds, QueryKind
from husky_placerec.placemap.ranking import (
    best_candidates,
    cosines_of,
    Rival,
    Way,
    ways_of,
)
from husky_placerec.placemap.thumbnails import Thumbnails
from husky_placerec.placemap.views import BLOCK, Comparison, Views
from husky_placerec.progress import Passing
from husky_placerec.texts.map_texts import MapTexts
from husky_placerec.types import (
    Candidate,
    FloatArray,
    Floats,
    GeoOrigin,
    Indices,
    Mask,
    Place,
)
import numpy as np
from scipy.spatial import cKDTree

RIVALS = 3  # places that contradict a candidate, which are named


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
    :param centring: descriptors are compared by how they differ from the mean of their session;
        None: they are not.
    :param projection: what made the descriptors smaller; None: nothing. `spec` is that of the
        projected descriptors.
    :param lengths: [N, C] of the whitened or centred descriptors, if they are known.
    :param gain: recall on a validation drive by each way to compare, if it was measured.
    :param index: None: every place is compared.
    :param thumbnails: small images of the places; None: none.
    :param local: local descriptors of the places; None: none.
    :param probes: images with their descriptors, to compare another runtime with; None: none.
    :param landmarks: what metric poses come from; None: none.
    :param texts: the texts that were seen at the places; None: none were looked for.
    :param calibration: JSON values of a `recognition.calibration.Calibration`; None: none.
    :param simulated: all sources are rendered.
    :param cameras: what was known of the cameras of the first drive.
    :param view: how the view that all cameras share was chosen, in words; empty: by parameters.
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
    centring: Centring | None = None
    projection: Projection | None = field(default=None, repr=False)
    lengths: FloatArray | None = field(default=None, repr=False)
    gain: Mapping[str, Mapping[str, float]] | None = None
    index: BuiltIndex | None = None
    thumbnails: Thumbnails | None = None
    local: LocalFeatures | None = field(default=None, repr=False)
    probes: Probes | None = field(default=None, repr=False)
    landmarks: Landmarks | None = field(default=None, repr=False)
    texts: MapTexts | None = field(default=None, repr=False)
    calibration: Mapping[str, Any] | None = field(default=None, repr=False)
    simulated: bool = False
    cameras: Mapping[str, KnownCamera] = field(default_factory=dict, repr=False)
    view: str = ''
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
        lengths = self._measured_lengths() if self.lengths is None else self.lengths
        present, whitening, opposites = self.places.present, self.whitening, self.opposites
        return Views(self.descriptors, present, whitening, lengths, self.centring, opposites)

    def _measured_lengths(self) -> FloatArray | None:
        """Return [N, C] of the whitened or centred descriptors; None where they are neither."""
        blocks = [
            np.arange(first, min(first + BLOCK, len(self))) for first in range(0, len(self), BLOCK)
        ]
        if self.centring is not None:
            centring = self.centring
            return np.concatenate([centring.lengths(b, self.descriptors[b]) for b in blocks])
        if self.whitening is not None:
            whitening = self.whitening
            return np.concatenate([whitening.lengths(self.descriptors[b]) for b in blocks])
        return None

    @cached_property
    def _index(self) -> SearchIndex:
        index = self.index
        return ExhaustiveIndex(self.views) if index is None else index.searching(self.views)

    @cached_property
    def positions(self) -> cKDTree:
        """A KD-tree of x and y of the places."""
        return cKDTree(self.places.poses[:, :2])

    @cached_property
    def arm(self) -> LeverArm:
        """The lever arm of the robot that made the map."""
        return self.arm_of(self.cameras)

    def arm_of(self, cameras: Mapping[str, KnownCamera]) -> LeverArm:
        """Return the lever arm of a robot with these cameras; 0 where they are not known."""
        return LeverArm.between(self.spec.cameras, self.cameras, cameras)

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
        local: LocalFeatures | None = None,
        landmarks: Landmarks | None = None,
        texts: MapTexts | None = None,
        created: str | None = None,
        origin: GeoOrigin | None = None,
        simulated: bool | None = None,
    ) -> PlaceMap:
        """
        Return a map of other places, of the same model and frame.

        This is the only way to change places. It drops all that was derived from the old ones: the
        index, the lengths of whitened descriptors, the measured gain, the thumbnails, the local
        descriptors, the landmarks, the texts and the version. A map that is centred is centred by
        the means of the new places. The whitening and the calibration stay;
        `calibrated_on_these_places` tells that the calibration was measured on others. The other
        arguments are as in the class; by default they stay.
        """
        centred = self.centring is not None
        return replace(
            self._derived_dropped(),
            places=places,
            descriptors=descriptors,
            centring=_centring_of(places, descriptors) if centred else None,
            sources=self.sources if sources is None else sources,
            thumbnails=thumbnails,
            local=local,
            texts=texts,
            landmarks=landmarks,
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
        return self._compared_by(whitening, None, gain)

    def centred(
        self,
        centring: Centring | None,
        gain: Mapping[str, Mapping[str, float]] | None = None,
    ) -> PlaceMap:
        """
        Return the map compared after centring by session, or without.

        Its similarities change, so that it loses its calibration.

        :param gain: as in `whitened`.
        """
        return self._compared_by(None, centring, gain)

    def _compared_by(
        self,
        whitening: Whitening | None,
        centring: Centring | None,
        gain: Mapping[str, Mapping[str, float]] | None,
    ) -> PlaceMap:
        return replace(
            self._derived_dropped(),
            whitening=whitening,
            centring=centring,
            gain=gain,
            calibration=None,
            thumbnails=self.thumbnails,
            local=self.local,
            texts=self.texts,
            landmarks=self.landmarks,
        )

    def projected(self, projection: Projection) -> PlaceMap:
        """
        Return the map with smaller descriptors, compared raw, and without its calibration.

        :param projection: of the map's descriptors, which are not projected yet.
        """
        return replace(
            self.whitened(None),
            descriptors=projection.apply(self.descriptors).astype(np.float16),
            spec=projection.of(self.spec),
            projection=projection,
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
        return replace(
            self,
            lengths=None,
            gain=None,
            index=None,
            thumbnails=None,
            local=None,
            texts=None,
            landmarks=None,
            version='',
        )

    def fit_whitening(self) -> Whitening:
        """Fit a whitening to all descriptors of the map."""
        return Whitening.fit(np.asarray(self.descriptors, np.float32)[self.places.present])

    def fit_centring(self) -> Centring:
        """Fit the means of the tracks."""
        return _centring_of(self.places, self.descriptors)

    def new_session(self) -> RunningMean | None:
        """Return what centres the queries of a session; None where the map is not centred."""
        return None if self.centring is None else RunningMean(self.centring)

    def session_queries(self, descriptors: FloatArray) -> FloatArray:
        """
        Return raw descriptors [F, C, D] of the frames of one drive, in order, as queries.

        Where the map is centred, they are centred by their running mean.
        """
        frames, session = np.asarray(descriptors, np.float32), self.new_session()
        if session is None:
            return frames
        return np.array([session.centre(frame) for frame in frames])

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

    def near(self, position: Floats, radius_m: float) -> Indices:
        """Return the places within a distance in the plane of a position [2 or more]."""
        return np.array(self.positions.query_ball_point(position[:2], radius_m), np.int64)

    def seen_between(self, first_ns: int, last_ns: int) -> Indices:
        """Return the places with stamps from `first_ns` to `last_ns`, both included."""
        stamps = self.places.stamps_ns
        return np.flatnonzero((first_ns <= stamps) & (stamps <= last_ns))

    def search(
        self,
        query: FloatArray,
        count: int,
        *,
        both_ways: bool,
        without: Indices | None = None,
        arm: LeverArm | None = None,
    ) -> list[Candidate]:
        """
        Return the most similar places, best first.

        :param query: [C, D], zeros for absent cameras; raw, or centred by `new_session`.
        :param both_ways: search places passed in reverse, too.
        :param without: places to leave out, such as those `near` a position, or `seen_between` two
            stamps.
        :param arm: of the robot that asks; None: that of the robot that made the map.
        """
        found = self.compared(query, count, without)
        return self.ranked(found, count, both_ways=both_ways, arm=arm)

    def compared(
        self, query: FloatArray, count: int, without: Indices | None = None
    ) -> Comparison:
        """
        Compare a query with the most similar places, for `ranked` and `rival`; as in `search`.

        :param count: number of places that shall be ranked.
        """
        return self._index.compare(query, without, count)

    def ranked(
        self, found: Comparison, count: int, *, both_ways: bool, arm: LeverArm | None = None
    ) -> list[Candidate]:
        """Return the best of the places that `compared` found, as `search` does."""
        return self._best(found, count, self._ways(both_ways), arm=arm)

    def search_each(self, query: FloatArray, count: int) -> dict[str, list[Candidate]]:
        """
        Return the most similar places for each kind of query that its cameras allow.

        A single camera is searched both ways. All kinds together cost little more than one,
        because they share inner products.
        """
        found = self._index.compare(query, count=count, each=True)
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
        without: Indices | None = None,
        found: Comparison | None = None,
    ) -> Rival | None:
        """
        Return the best place that contradicts a candidate; None without one.

        A place contradicts if it is more than `apart_m` metres away, or faced the other way.

        :param without: places to leave out.
        :param found: what `compared` returned for the query; None: it is compared again.
        """
        found = self.compared(query, 1, without) if found is None else found
        near = self.near(self.places.poses[best.place], apart_m)
        if without is not None:
            near = np.union1d(near, without)
        elsewhere = self._index.elsewhere(found, query, near)
        cosines = np.full(len(query), -np.inf, np.float32)
        best_of_ways: list[tuple[float, int, bool]] = []
        for reverse, partners in self._ways(both_ways):
            seen = elsewhere
            if reverse != best.reversed:
                seen = self._index.by_each_camera(found, query, without)
            similarities = seen.similarities(partners)
            order = np.argsort(-similarities, kind='stable')[:RIVALS]
            best_of_ways += [
                (float(similarities[at]), int(seen.places[at]), bool(reverse)) for at in order
            ]
            cosines = np.maximum(cosines, seen.best_of_each(partners))
        best_of_ways = sorted(r for r in best_of_ways if np.isfinite(r[0]))[::-1][:RIVALS]
        if not best_of_ways:
            return None
        states = tuple((place, reverse) for _, place, reverse in best_of_ways)
        return Rival(best_of_ways[0][0], cosines, states)

    def cosines(self, query: FloatArray, places: Indices, reverse: Mask) -> FloatArray:
        """
        Return [K, C] the cosine of each camera of a query with K places; NaN where there is none.

        :param reverse: [K] whether each place is passed in reverse.
        """
        return cosines_of(self.views.compare(query, places), self.opposites, reverse)

    def _ways(self, both_ways: bool) -> list[Way]:
        return ways_of(len(self.spec.cameras), self.opposites, both_ways)

    def _best(
        self,
        found: Comparison,
        count: int,
        ways: list[Way],
        there: Mask | None = None,
        arm: LeverArm | None = None,
    ) -> list[Candidate]:
        poses, cameras = self.places.poses, self.spec.cameras
        return best_candidates(found, count, ways, poses, cameras, there, arm or self.arm)

    def __repr__(self) -> str:
        spec = self.spec
        model = spec.backbone or spec.extractor
        cameras = ', '.join(spec.cameras)
        return f'{self.name}: {len(self)} places of {cameras}, {model}, frame {self.frame_id}'


def _centring_of(places: Places, descriptors: FloatArray) -> Centring:
    return Centring.fit(descriptors, places.present, places.tracks)
