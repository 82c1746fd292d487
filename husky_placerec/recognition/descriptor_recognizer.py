"""
The method, from the descriptors of a frame to a recognition.

The live node, a replay, an evaluation and a calibration all use this class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from husky_placerec.cameras.lever_arm import LeverArm
from husky_placerec.config import Config
from husky_placerec.descriptor.local.network import LocalValues
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.ranking import Rival
from husky_placerec.recognition.calibration import Calibration
from husky_placerec.recognition.local_comparison import LocalComparison
from husky_placerec.recognition.measurement import measure
from husky_placerec.recognition.metric_comparison import MetricComparison
from husky_placerec.recognition.odometry import Odometry
from husky_placerec.recognition.route import Route
from husky_placerec.recognition.search_result import SearchResult
from husky_placerec.recognition.sequence_estimator import SequenceEstimator
from husky_placerec.recognition.text_comparer import MapTextComparer, with_texts
from husky_placerec.recognition.text_comparison import MOST_RANKED
from husky_placerec.texts.seen import SeenText
from husky_placerec.types import (
    Candidate,
    FloatArray,
    Indices,
    Recognition,
)


class DescriptorRecognizer:
    """
    Recognise frames that are described already, in stamp order.

    :param calibration: None: the map is not calibrated, and thresholds decide frame by frame.
    :ivar odometry: the poses that the sequence moves by.
    """

    most_compared: int | None = None  # candidates that are compared locally; None: all

    def __init__(
        self,
        place_map: PlaceMap,
        config: Config,
        calibration: Calibration | None,
        odometry: Odometry | None = None,
    ) -> None:
        self.odometry = odometry or Odometry()
        self.config = config
        self._switch_to(place_map, calibration)

    def _switch_to(self, place_map: PlaceMap, calibration: Calibration | None) -> None:
        self.place_map = place_map
        self.route = Route(place_map)
        self.calibration = calibration
        self.arm = self._arm_on(place_map)
        self._sequence = self._new_sequence()
        self._session = place_map.new_session()
        self._texts = self._texts_on(place_map)

    def _texts_on(self, place_map: PlaceMap) -> MapTextComparer | None:
        """Return what compares texts with those of a map; None where it has none."""
        return None if place_map.texts is None else MapTextComparer(place_map, self.config)

    def _arm_on(self, place_map: PlaceMap) -> LeverArm:
        """Return the lever arm of the robot that asks: here the one that made the map."""
        return place_map.arm

    def _new_sequence(self) -> SequenceEstimator | None:
        if self.calibration is None:
            return None
        return SequenceEstimator(self.route, self.calibration, self.config, self.odometry)

    def configure(self, config: Config) -> None:
        """Use other parameters from the next frame on; the belief stays."""
        self.config = config
        if self._sequence is not None:
            self._sequence.configure(config)

    def begin_anew(self) -> None:
        """Forget every frame and all odometry."""
        self.odometry.begin_anew()
        self._sequence = self._new_sequence()
        self._session = self.place_map.new_session()

    def query_of(self, descriptor: FloatArray) -> FloatArray:
        """
        Return the query of the next frame: its descriptor, centred where the map is centred.

        :param descriptor: [C, D] raw, zeros for absent cameras.
        """
        return descriptor if self._session is None else self._session.centre(descriptor)

    def search(
        self,
        query: FloatArray,
        local: LocalValues | None = None,
        without: Indices | None = None,
        metric: MetricComparison | None = None,
        texts: Sequence[SeenText] = (),
    ) -> SearchResult:
        """
        Search the map for a query, and rank the candidates again by local descriptors and texts.

        :param query: [C, D] from `query_of`, zeros for absent cameras.
        :param local: [C, cells, D] local descriptors of the frame; None: there are none.
        :param without: places to leave out, as if the map did not have them.
        :param metric: solves the frame by landmarks; None: there are none.
        :param texts: of the frame.
        """
        place_map, config = self.place_map, self.config
        both_ways, apart_m = config.search_reversed, config.elsewhere
        read = None if self._texts is None else self._texts.compared(texts, config, without)
        weight = 0.0 if read is None else config.text_weight
        count = max(config.candidates, MOST_RANKED) if weight else config.candidates
        seen = place_map.compared(query, count, without)
        found = place_map.ranked(seen, count, both_ways=both_ways, arm=self.arm)

        def rival_of(best: Candidate) -> Rival | None:
            return place_map.rival(
                query, best, apart_m, both_ways=both_ways, without=without, found=seen
            )

        if read is not None and weight:
            found = read.ranked(found, weight)[: config.candidates]
        rival = rival_of(found[0]) if found else None
        compared = self.compared(local)
        if compared is not None and found:
            first, most = found[0], self.most_compared
            found = [*compared.ranked(found[:most]), *([] if most is None else found[most:])]
            if read is not None and weight:
                found = read.ranked(found, weight)
            if found[0] is not first:
                rival = rival_of(found[0])
            compared.compare(rival.states if rival is not None else ())
        about = place_map, self.route, query, tuple(found), rival, apart_m
        return SearchResult(*about, without, compared, self.arm, metric, read)

    def compared(self, local: LocalValues | None) -> LocalComparison | None:
        """Return what compares a frame with places locally; None where nothing does."""
        places = self.place_map.local
        nothing = self.config.rerank == 'off' or self.most_compared == 0
        if local is None or places is None or nothing:
            return None
        return LocalComparison(local, places, self.place_map.opposites, self.route)

    def decide(
        self,
        stamp_ns: int,
        image_stamps_ns: Mapping[str, int],
        result: SearchResult,
        unusable: bool = False,
    ) -> Recognition:
        """
        Decide where a frame was taken, by its search result and the frames before it.

        :param unusable: nothing can be seen in any image of the frame.
        """
        measured = measure(result, self.calibration, self.config, unusable)
        single = Recognition(
            stamp_ns,
            image_stamps_ns,
            measured.accepted,
            measured.reason,
            result.candidates,
            result.margin,
            measured.probability,
            measured.covariance,
            measurement=measured,
            estimate=measured.pose,
            covariance_xy=measured.covariance_xy,
            metric=result.metric_pose,
        )
        if self._sequence is None or not self.config.sequence:
            return with_texts(single, result)
        if self._sequence.steps_back(stamp_ns):
            self._sequence = self._new_sequence()
            assert self._sequence is not None
        return with_texts(self._sequence.update(single, result), result)
