"""The method, from a frame to a recognition: the same for the live node, a replay and a test."""

from __future__ import annotations

from husky_placerec.config import Config
from husky_placerec.descriptor.extractor import DescriptorExtractor, load_extractor
from husky_placerec.errors import InputError
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.calibration import UNCALIBRATED
from husky_placerec.recognition.decision import Decider
from husky_placerec.recognition.defaults import calibration_for
from husky_placerec.recognition.odometry import Odometry
from husky_placerec.recognition.sight import usable
from husky_placerec.types import Frame, Pixels, Pose, Recognition
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
        self._extractor = extractor
        self._odometry = Odometry()
        self._config = config
        self._decider = self._decider_of(place_map)
        self._forgotten = False

    @classmethod
    def load(cls, place_map: PlaceMap, config: Config) -> Recognizer:
        """
        Make a recognizer with the extractor that made the map, or that the configuration names.

        :raises InputError: for a model that cannot be loaded or is not the map's.
        """
        return cls(load_extractor(config, place_map.spec), place_map, config)

    @property
    def place_map(self) -> PlaceMap:
        return self._decider.place_map

    def reload(self, place_map: PlaceMap) -> None:
        """
        Go on with another version of the map, without missing a frame.

        May be called from any thread while another recognises: what is slow is done before the
        exchange, and each frame is recognised on one version from beginning to end. The sequence
        begins anew, since the places are others.

        :raises InputError: for a map of another descriptor or frame; the old one is then kept.
        """
        self._extractor.spec.require_same(place_map.spec, place_map.name)
        if place_map.frame_id != self.place_map.frame_id:
            raise InputError(
                f'{place_map.name}: poses in the frame {place_map.frame_id}; '
                f'expected {self.place_map.frame_id}, as before'
            )
        place_map.prepare()
        self._decider = self._decider_of(place_map)

    @property
    def calibration(self) -> str:
        """How it is known what to believe: own, map_alone, simulated or uncalibrated."""
        calibration = self._decider.calibration
        return UNCALIBRATED if calibration is None else calibration.kind

    @property
    def proof_asked(self) -> float | None:
        """The proof that the sequence asks of a pose; None where there is none."""
        calibration = self._decider.calibration
        if calibration is None or not self._config.sequence:
            return None
        return self._config.proof * calibration.proof

    def configure(self, config: Config) -> None:
        """Go on with other thresholds, from the next frame on; from any thread."""
        self._config = config

    def odometry(self, stamp_ns: int, pose: Pose) -> None:
        """Take a pose in the frame `odom`, in which the robot never jumps; from any thread."""
        self._odometry.add(stamp_ns, pose)

    def forget(self) -> None:
        """Begin anew, as if no frame had been seen; from any thread."""
        self._odometry.clear()
        self._forgotten = True

    def warm_up(self) -> None:
        """Do once, on a blank frame, what is slow the first time; nothing is remembered of it."""
        spec = self.place_map.spec
        blank = np.zeros((spec.input_height, spec.input_width, 3), np.uint8)
        frame = Frame(0, dict.fromkeys(spec.sees, blank), dict.fromkeys(spec.sees, 0))
        self.recognize(frame)
        self._forgotten = True

    def recognize(self, frame: Frame[Pixels]) -> Recognition:
        """Decide where the frame was taken, and whether to believe it."""
        decider = self._decider  # may be exchanged meanwhile
        if self._forgotten:
            self._forgotten = False
            decider.forget()
        if decider.config is not self._config:
            decider.configure(self._config)
        seen = usable(frame) if self._config.check_images else frame
        return decider.decide(
            frame.stamp_ns,
            frame.image_stamps_ns,
            self._extractor.describe(seen),
            unusable=bool(frame.images) and not seen.images,
        )

    def _decider_of(self, place_map: PlaceMap) -> Decider:
        calibration = calibration_for(place_map, self._extractor.spec)
        return Decider(place_map, self._config, calibration, self._odometry)
