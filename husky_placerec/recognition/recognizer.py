"""The method, from the images of a frame to a recognition, for the live node and replays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from husky_placerec.cameras.lever_arm import LeverArm
from husky_placerec.config import Config
from husky_placerec.descriptor.extractor import DescriptorExtractor
from husky_placerec.descriptor.local.extractor import load_local, LocalExtractor
from husky_placerec.descriptor.masking import covered, Masking
from husky_placerec.errors import InputError
from husky_placerec.metric.correspondences import FrameKeyPoints
from husky_placerec.metric.key_points import load_key_points
from husky_placerec.metric.rig import Rig
from husky_placerec.metric.sight import Observer
from husky_placerec.placemap.map_extractor import extractor_of
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.calibration import Calibration, UNCALIBRATED, UNFIT
from husky_placerec.recognition.descriptor_recognizer import DescriptorRecognizer
from husky_placerec.recognition.gravity import Gravity
from husky_placerec.recognition.image_check import usable_images
from husky_placerec.recognition.local_budget import local_plan, LocalPlan
from husky_placerec.recognition.metric_comparison import MetricComparison
from husky_placerec.recognition.shipped_calibration import calibration_for
from husky_placerec.texts.seen import SeenText
from husky_placerec.types import (
    Frame,
    Pixels,
    Pose,
    Recognition,
)
import numpy as np


class Recognizer(DescriptorRecognizer):
    """
    Recognise the places of a map in frames, in stamp order.

    One thread at a time may call it; only `odometry.add` is for any thread.

    :raises InputError: when the map was made by another descriptor than the extractor's.

    >>> recognizer = Recognizer.load(load_map(Path('campus.map')), Config())  # doctest: +SKIP
    >>> recognizer.recognize(frame).accepted  # doctest: +SKIP
    True
    """

    def __init__(
        self,
        extractor: DescriptorExtractor,
        place_map: PlaceMap,
        config: Config,
        local: LocalExtractor | None = None,
    ) -> None:
        self._extractor, self._local = extractor, local
        self._plan_local(place_map, config)
        self._seen_by = config
        self.gravity = Gravity()
        self._observer = self._observer_of(place_map, config)
        super().__init__(place_map, config, self._calibration_of(place_map, extractor, config))

    @classmethod
    def load(cls, place_map: PlaceMap, config: Config) -> Recognizer:
        """
        Make a recognizer with the extractor that made the map, or that the configuration names.

        :raises InputError: for a model that cannot be loaded, or is not the map's.
        """
        extractor = extractor_of(place_map, config)
        return cls(extractor, place_map, config, local_extractor_of(place_map, config))

    def recognize(self, frame: Frame[Pixels], texts: Sequence[SeenText] = ()) -> Recognition:
        """
        Decide where a frame was taken, and whether to believe it.

        Images in which nothing can be seen are left out; the others are described, where masks
        are on without giving weight to what moves. The map gives
        the most similar places. The frame alone is measured against thresholds or the calibrated
        gate. The sequence filter combines it with the frames before it.

        :param texts: that were read in the frame, or shortly before it.
        """
        shares = self._extractor.static_shares(frame)
        seen = usable_images(frame, covered(shares)) if self.config.check_images else frame
        query = self.query_of(self._extractor.describe(seen, shares))
        local = self._local.describe(seen) if self._local_wanted and self._local else None
        result = self.search(query, local, metric=self._metric(seen), texts=texts)
        unusable = bool(frame.images) and not seen.images
        return self.decide(frame.stamp_ns, frame.image_stamps_ns, result, unusable)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed of the cameras, in sentences."""
        return self._extractor.preparation.notes

    @property
    def view(self) -> str:
        """How the images of each camera are brought to the view of the map, in words."""
        return self._extractor.preparation.in_words

    def look_through(self, config: Config) -> None:
        """
        Take the cameras that a configuration tells of, from the next frame on.

        :raises InputError: for cameras that cannot fill the view of the map; nothing then changes.
        """
        cameras = self.place_map.cameras
        extractor = self._extractor.seen_by(config, cameras)
        if self._local is not None:
            self._local = self._local.seen_by(extractor.spec, config, cameras)
        self._extractor, self._seen_by = extractor, config
        self._observer = self._observer_of(self.place_map, config)
        self.arm = self._arm_on(self.place_map)

    @property
    def local_words(self) -> str:
        """How many candidates are compared locally, and why; empty where none ever are."""
        return '' if self.local_plan is None else self.local_plan.words

    @property
    def local_doubt(self) -> str:
        """That the budget is too small to compare anything; empty where it is not."""
        return f'local descriptors: {self.local_words}' if self.most_compared == 0 else ''

    @property
    def masking(self) -> Masking | None:
        """What makes weights of masks, and counts them; None where masks are off."""
        return self._extractor.masking

    def limit_segmentation(self, budget_s: float) -> None:
        """Let frames wait for their masks no longer than a budget in seconds."""
        if self._extractor.masking is not None:
            self._extractor.masking = self._extractor.masking.within(budget_s)

    def add_odometry(self, stamp_ns: int, pose: Pose) -> None:
        """Add a pose of `base_link` in the frame `odom`, for the next frame."""
        self.odometry.add(stamp_ns, pose)
        self.odometry.take_new()

    def reload(self, place_map: PlaceMap) -> None:
        """
        Go on with another version of the map; the sequence begins anew.

        A map of another precision is taken where its probes agree, as by `extractor_of`.

        :raises InputError: for a map of another descriptor or frame; the old map is then kept.
        """
        if place_map.frame_id != self.place_map.frame_id:
            raise InputError(
                f'{place_map.name}: poses in the frame {place_map.frame_id}; '
                f'expected {self.place_map.frame_id}, as before'
            )
        extractor = self._extractor.agreeing_with(place_map.spec, place_map.probes, place_map.name)
        if self._local is None:  # the map may have got local descriptors
            self._local = local_extractor_of(place_map, self._seen_by)
            self._plan_local(place_map, self._seen_by)
        calibration = self._calibration_of(place_map, extractor, self.config)
        self._observer = self._observer_of(place_map, self._seen_by)
        self._extractor = extractor
        self._switch_to(place_map, calibration)

    def _arm_on(self, place_map: PlaceMap) -> LeverArm:
        return place_map.arm_of(self._extractor.preparation.cameras)

    def warm_up(self) -> None:
        """Do on a blank frame what is slow the first time, then begin anew."""
        spec = self.place_map.spec
        blank = np.zeros((spec.input_height, spec.input_width, 3), np.uint8)
        self.recognize(Frame(0, dict.fromkeys(spec.sees, blank), dict.fromkeys(spec.sees, 0)))
        self.begin_anew()

    @property
    def calibration_kind(self) -> str:
        """Where the calibration comes from: own, map_alone, simulated, prior or uncalibrated."""
        return UNCALIBRATED if self.calibration is None else self.calibration.kind

    @property
    def grade(self) -> str:
        """What the calibration can promise: proven, weak or unfit; empty without one."""
        return '' if self.calibration is None else self.calibration.grade

    @property
    def weakness(self) -> str:
        """Why the calibration is not proven, in a sentence; empty where it is."""
        return '' if self.calibration is None else self.calibration.weakness

    @property
    def required_proof(self) -> float | None:
        """The proof that a pose needs, by the last frame; None without a sequence, or if unfit."""
        if self._sequence is None or not self.config.sequence or self.grade == UNFIT:
            return None
        return self._sequence.required_proof

    def _metric(self, seen: Frame[Pixels]) -> MetricComparison | None:
        """Return what solves a frame by landmarks; None where nothing does."""
        landmarks, observer = self.place_map.landmarks, self._observer
        if landmarks is None or observer is None or self.config.metric == 'off':
            return None
        width = landmarks.spec.input_width
        found = FrameKeyPoints(observer.see(seen), observer.rig, width)
        up = self.gravity.at(seen.stamp_ns)
        scale = 1.0 if self.calibration is None else self.calibration.metric_scale
        return MetricComparison(self.place_map, found, self.config, seen.stamp_ns, up, scale)

    def _observer_of(self, place_map: PlaceMap, config: Config) -> Observer | None:
        """Return what finds key points; None where the map has no landmarks."""
        if place_map.landmarks is None:
            return None
        spec, cameras = place_map.spec.sees, self._extractor.preparation.cameras
        finder = load_key_points(config, len(spec), place_map.landmarks.spec)
        finder.spec.require_same(place_map.landmarks.spec, place_map.name)
        rig = Rig.of(spec, cameras, place_map.name)
        return Observer(finder.detector, rig, finder.spec.input_width, finder.spec.size)

    @property
    def _local_wanted(self) -> bool:
        wanted = self.config.rerank != 'off' and self.most_compared != 0
        return wanted and self.place_map.local is not None

    def _plan_local(self, place_map: PlaceMap, config: Config) -> None:
        """Choose how many candidates are compared locally."""
        self.local_plan: LocalPlan | None = None
        if self._local is not None and place_map.local is not None:
            self.local_plan = local_plan(self._local, place_map, config)
            self.most_compared = self.local_plan.count

    def _calibration_of(
        self, place_map: PlaceMap, extractor: DescriptorExtractor, config: Config
    ) -> Calibration | None:
        """Check that a map fits, prepare its search, and return its calibration."""
        extractor.spec.require_same(place_map.spec, place_map.name)
        if place_map.local is not None and self._local is not None:
            self._local.spec.require_same(place_map.local.spec, place_map.name)
        require_local(place_map, config)
        place_map.prepare()
        if self.most_compared == 0:
            config = replace(config, rerank='off')
        return calibration_for(place_map, extractor.spec, config)


def local_extractor_of(place_map: PlaceMap, config: Config) -> LocalExtractor | None:
    """
    Return what describes frames as the local descriptors of a map; None where none are used.

    :raises InputError: as `require_local`, and for a network that is not that of the map.
    """
    require_local(place_map, config)
    if place_map.local is None or config.rerank == 'off':
        return None
    made = load_local(config, place_map.spec, place_map.local.spec, place_map.cameras)
    made.spec.require_same(place_map.local.spec, place_map.name)
    return made


def require_local(place_map: PlaceMap, config: Config) -> None:
    """
    Refuse a map without local descriptors where they are asked for.

    :raises InputError: that says how to add them.
    """
    if config.rerank == 'always' and place_map.local is None:
        raise InputError(
            f'{place_map.name}: has no local descriptors, and rerank is always; add them with '
            'placerec map add-local MAP SOURCE, or build the map with --local'
        )
