"""The drives of an evaluation as maps, as `map build` makes them, and their calibrations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from husky_placerec.config import Config
from husky_placerec.data.simulated import is_simulated
from husky_placerec.data.trajectory import MAP_FRAME
from husky_placerec.descriptor.local.features import LocalFeatures
from husky_placerec.descriptor.local.spec import LocalSpec
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.errors import InputError
from husky_placerec.evaluation.cache import Descriptors
from husky_placerec.evaluation.tracks import Track
from husky_placerec.placemap.building import now, opposite_cameras
from husky_placerec.placemap.centring_choice import centred_as_asked
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.places import Places
from husky_placerec.recognition.calibrating.calibrate import Bars, calibrate, itself, no_bars
from husky_placerec.recognition.calibrating.leave_out import Setting
from husky_placerec.recognition.calibration import Calibration, UNCALIBRATED
from husky_placerec.recognition.prior import shipped_prior
from husky_placerec.recognition.shipped_calibration import calibration_for
from husky_placerec.types import FloatArray
import numpy as np


@dataclass(frozen=True, eq=False)
class DatabaseDrive:
    """
    A drive as the map.

    :param calibration: None: thresholds decide.
    """

    track: Track
    place_map: PlaceMap
    calibration: Calibration | None

    @cached_property
    def compared(self) -> FloatArray:
        """The vectors [N, C, D] that queries are compared with."""
        place_map = self.place_map
        if place_map.centring is None:
            return place_map.descriptors
        return place_map.views.vectors(np.arange(len(place_map)))

    @property
    def calibration_kind(self) -> str:
        """Where the calibration comes from: map_alone, simulated, prior or uncalibrated."""
        return UNCALIBRATED if self.calibration is None else self.calibration.kind


def map_of(
    track: Track,
    descriptors: FloatArray,
    spec: DescriptorSpec,
    config: Config,
    local: LocalFeatures | None = None,
) -> PlaceMap:
    """
    Return the map that `map build` makes of a drive.

    :param descriptors: [N, C, D] float16 of the frames of the track.
    :param local: local descriptors of these frames; None: none.
    """
    place_map = PlaceMap(
        Places(
            track.stamps_ns,
            track.poses,
            (track.name,) * len(track),
            np.asarray(descriptors.any(axis=2), np.bool_),
        ),
        descriptors,
        spec,
        track.frame_id or MAP_FRAME,
        opposite_cameras(config),
        {track.name: str(track.path)},
        now(),
        name=str(track.path),
        origin=track.origin,
        simulated=is_simulated(track.path),
        local=local,
    )
    return centred_as_asked(place_map, config.centring)


def database_drive(track: Track, place_map: PlaceMap, config: Config) -> DatabaseDrive:
    """
    Return a drive as the map, with its calibration, or what decides in its place.

    :raises InputError: for a default calibration that is damaged.
    """
    made = calibration_for(place_map, place_map.spec, config)
    return DatabaseDrive(track, place_map, made)


def calibrated_alone(
    place_map: PlaceMap, config: Config, bars: Bars = no_bars
) -> tuple[PlaceMap, str]:
    """
    Calibrate a map by its own frames, as `placerec calibrate MAP` does.

    :return: the calibrated map and ''; where it cannot be calibrated, the map as it is and why.
    """
    try:
        setting = Setting(place_map, (itself(place_map),))
        made = calibrate([setting], config, prior=shipped_prior(), bars=bars)
    except InputError as error:
        return place_map, str(error)
    return place_map.calibrated(made.as_json()), ''


def local_of(
    track: Track, descriptors: Descriptors, specs: Sequence[LocalSpec]
) -> LocalFeatures | None:
    """
    Return the local descriptors of the frames of a track, of the branch that its images ask for.

    :param specs: one for each branch; empty: there are none.
    """
    if not specs:
        return None
    branch = int(len(specs) > 1 and float(np.mean(descriptors.far)) > 0.5)
    return LocalFeatures(specs[branch], np.asarray(descriptors.local[track.rows, branch]))


def places_of(track: Track, descriptors: Descriptors) -> FloatArray:
    """Return the descriptors [N, C, D] float16 of the frames of a track, as a map stores them."""
    vectors = descriptors.vectors
    if len(track) < len(descriptors):
        vectors = vectors[track.rows]
    return np.asarray(vectors.astype(np.float16))
