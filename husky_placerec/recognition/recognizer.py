"""The method, from a frame to a recognition: the same for the live node, a replay and a test."""

from __future__ import annotations

from husky_placerec.config import Config
from husky_placerec.descriptor.extractor import DescriptorExtractor, load_extractor
from husky_placerec.errors import InputError
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.gate import Gate
from husky_placerec.recognition.odometry import Odometry
from husky_placerec.types import (
    Candidate,
    FloatArray,
    Frame,
    Measurement,
    Pixels,
    Pose,
    Recognition,
)
import numpy as np


class Recognizer:
    """
    Recognises the places of a map.

    :raises InputError: when the map was made by another descriptor than this one.
    """

    def __init__(
        self, extractor: DescriptorExtractor, place_map: PlaceMap, config: Config
    ) -> None:
        extractor.spec.require_same(place_map.spec, place_map.name)
        place_map.prepare()
        self._map = place_map
        self._extractor = extractor
        self._odometry = Odometry()
        self.configure(config)

    @classmethod
    def load(cls, place_map: PlaceMap, config: Config) -> Recognizer:
        """
        Make a recognizer with the extractor that made the map, or that the configuration names.

        :raises InputError: for a model that cannot be loaded or is not the map's.
        """
        return cls(load_extractor(config, place_map.spec), place_map, config)

    @property
    def place_map(self) -> PlaceMap:
        return self._map

    def reload(self, place_map: PlaceMap) -> None:
        """
        Go on with another version of the map, without missing a frame.

        May be called from any thread while another recognises: what is slow is done before the
        exchange, and each frame is recognised on one version from beginning to end.

        :raises InputError: for a map of another descriptor or frame; the old one is then kept.
        """
        self._extractor.spec.require_same(place_map.spec, place_map.name)
        if place_map.frame_id != self._map.frame_id:
            raise InputError(
                f'{place_map.name}: poses in the frame {place_map.frame_id}; '
                f'expected {self._map.frame_id}, as before'
            )
        place_map.prepare()
        self._map = place_map

    @property
    def calibration(self) -> str:
        """How it is known what to believe: own, map_alone, simulated or uncalibrated."""
        return 'uncalibrated'

    def configure(self, config: Config) -> None:
        """Go on with other thresholds, from the next frame on; from any thread."""
        self._gate = Gate(config.min_similarity, config.min_margin)
        self._apart_m = config.elsewhere
        self._count = config.candidates
        self._both_ways = config.search_reversed

    def odometry(self, stamp_ns: int, pose: Pose) -> None:
        """Take a pose in the frame `odom`, in which the robot never jumps; from any thread."""
        self._odometry.add(stamp_ns, pose)

    def forget(self) -> None:
        """Begin anew, as if no frame had been seen; from any thread."""
        self._odometry.clear()

    def warm_up(self) -> None:
        """Do once, on a blank frame, what is slow the first time; nothing is remembered of it."""
        spec = self.place_map.spec
        blank = np.zeros((spec.input_height, spec.input_width, 3), np.uint8)
        frame = Frame(0, dict.fromkeys(spec.sees, blank), dict.fromkeys(spec.sees, 0))
        self.recognize(frame)

    def recognize(self, frame: Frame[Pixels]) -> Recognition:
        """Decide where the frame was taken, and whether to believe it."""
        place_map = self._map  # may be exchanged meanwhile
        descriptor = self._extractor.describe(frame)
        candidates = place_map.search(descriptor, self._count, both_ways=self._both_ways)
        best = candidates[0] if candidates else None
        margin = self._margin(place_map, descriptor, best)
        reason = self._gate.refuse(best.similarity if best else None, margin)
        return Recognition(
            frame.stamp_ns,
            frame.image_stamps_ns,
            reason is None,
            reason,
            tuple(candidates),
            margin=margin,
            measurement=Measurement(reason is None, reason, best.pose if best else None),
        )

    def _margin(
        self, place_map: PlaceMap, descriptor: FloatArray, best: Candidate | None
    ) -> float | None:
        """Return the best candidate's lead over the best that contradicts it."""
        if best is None:
            return None
        rival = place_map.rival_similarity(
            descriptor, best, self._apart_m, both_ways=self._both_ways
        )
        return None if rival is None else best.similarity - rival
