"""What one frame says by itself: by thresholds or the calibrated gate, and why it is refused."""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.config import Config
from husky_placerec.recognition.calibration import Calibration, PROVEN, UNFIT
from husky_placerec.recognition.evidence import EVIDENCE
from husky_placerec.recognition.evidence_model import EvidenceModel
from husky_placerec.recognition.search_result import SearchResult
from husky_placerec.types import Floats, Measurement, Reason

MOST_WEAK = 0.95  # probability of a single frame by a calibration that is not proven
# The reason that is given where this evidence lowers the probability most.
BLAME = {
    'similarity': Reason.LOW_SIMILARITY,
    'usual_share': Reason.LOW_SIMILARITY,
    'cosine': Reason.LOW_SIMILARITY,
    'lead': Reason.AMBIGUOUS,
    'weakest_lead': Reason.CAMERAS_DISAGREE,
    'strongest_lead': Reason.AMBIGUOUS,
    'behind': Reason.AMBIGUOUS,
    'agreement': Reason.AMBIGUOUS,
    'disagreement': Reason.CAMERAS_DISAGREE,
    'local_lead': Reason.AMBIGUOUS,
    'shift_lead': Reason.AMBIGUOUS,
    'text_common': Reason.AMBIGUOUS,
    'text_contradiction': Reason.AMBIGUOUS,
    'inliers': Reason.LOW_SIMILARITY,
    'inlier_lead': Reason.AMBIGUOUS,
}


@dataclass(frozen=True)
class Thresholds:
    """
    What decides where a map is not calibrated.

    :param min_similarity: of the best candidate. Its scale is the descriptor's own, and it shifts
        with light and season.
    :param min_margin: least lead over the best place that contradicts it. A lead carries over
        better than a similarity, because light and season lower both similarities alike.
    """

    min_similarity: float
    min_margin: float

    @classmethod
    def of(cls, config: Config) -> Thresholds:
        """Return the thresholds of a configuration."""
        return cls(config.min_similarity, config.min_margin)

    def reason(self, similarity: float | None, margin: float | None) -> str | None:
        """
        Return why the best candidate is refused, None where it is accepted.

        :param similarity: None where there is no candidate.
        :param margin: its lead; None where nothing contradicts it.
        """
        if similarity is None:
            return Reason.NO_CANDIDATE.value
        if similarity < self.min_similarity:
            return Reason.LOW_SIMILARITY.value
        ambiguous = margin is not None and margin < self.min_margin
        return Reason.AMBIGUOUS.value if ambiguous else None


def measure(
    result: SearchResult, calibration: Calibration | None, config: Config, unusable: bool = False
) -> Measurement:
    """
    Decide about the best candidate of one frame, without the frames before it.

    :param calibration: None: the map is not calibrated, and thresholds decide.
    :param unusable: nothing can be seen in any image of the frame.
    """
    if unusable:
        return Measurement(False, Reason.IMAGE_UNUSABLE.value, None)
    best = result.best
    if best is None:
        return Measurement(False, Reason.NO_CANDIDATE.value, None)
    if calibration is None:
        reason = Thresholds.of(config).reason(best.similarity, result.margin)
        metric = result.metric_near(best.place, bool(best.reversed))
        if metric is not None:
            spread_by = metric.variances, metric.covariance_xy
            return Measurement(reason is None, reason, metric.pose, None, *spread_by)
        return Measurement(reason is None, reason, best.pose)
    place, reverse = best.place, bool(best.reversed)
    gate = calibration.gate_of(result.query)
    seen = result.evidence_of(place, reverse)
    probability = float(gate.probability(seen))
    reason = gate_reason(gate, seen, config.min_probability)
    if calibration.grade != PROVEN:
        # On real sets, frames of a stated 0.985 were right 95 % of the time by weak calibrations.
        probability = min(probability, MOST_WEAK)
        if reason is None and probability < config.min_probability:
            reason = Reason.UNCALIBRATED.value
    if reason is None and calibration.grade == UNFIT:
        reason = Reason.AMBIGUOUS.value  # the map looks like road that it does not have
    pose = result.pose(place, reverse)
    errors = calibration.reversed_errors if reverse else calibration.single_errors
    spread = errors.covariance(probability, pose, result.route.spacing_at(place))
    metric = result.metric_near(place, reverse)
    if metric is not None:
        spread_by = metric.variances, metric.covariance_xy
        return Measurement(reason is None, reason, metric.pose, probability, *spread_by)
    return Measurement(reason is None, reason, pose, probability, *spread)


def gate_reason(gate: EvidenceModel, seen: Floats, min_probability: float) -> str | None:
    """
    Return why a calibrated gate refuses a candidate, None where it accepts it.

    The reason is the evidence that lowers the log odds most below those of right candidates.

    :param seen: [len(COLUMNS)] of the candidate.
    """
    if gate.probability(seen) >= min_probability:
        return None
    against = gate.against(seen)
    known = [name for name in BLAME if name in against]
    blamed = BLAME[max(known, key=lambda name: against[name])]  # of equals the first
    leads = dict(zip(EVIDENCE, seen.tolist()))
    one_camera = leads['weakest_lead'] == leads['strongest_lead']
    if one_camera and blamed is Reason.CAMERAS_DISAGREE:
        blamed = Reason.AMBIGUOUS
    return blamed.value
