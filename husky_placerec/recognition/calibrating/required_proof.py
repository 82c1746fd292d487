"""The proof that a pose needs: more evidence than any road gathers that the map does not have."""

from __future__ import annotations

from collections.abc import Sequence
import math

from husky_placerec.config import Config
from husky_placerec.recognition.calibrating.leave_out import RecordedRun
from husky_placerec.recognition.calibration import Calibration
from husky_placerec.recognition.route_filter import RouteFilterSettings

UNSEEN_M = 2000.0  # of unknown road, which is allowed for beyond what was driven
LEAST_M = 50.0  # that counts as driven where less was driven


def required_proof(
    runs: Sequence[RecordedRun], calibration: Calibration, config: Config, usual: float
) -> float:
    """
    Return the cumulative log likelihood ratio that a pose needs.

    `required = most + usual * ln(1 + UNSEEN_M / driven_m)`, where `most` is the most that an
    estimate came to on `driven_m` metres of unknown road. Each time that e times as much unknown
    road is still to come, it may look like the map for one more frame.

    :param usual: the log likelihood ratio of a frame for the place where it was taken: median.
    """
    most, driven_m = 0.0, 0.0
    for run in runs:
        for stretch in run.unknown_stretches():
            driven_m += stretch.metres(config.usual_speed)
            said = stretch.recognitions(calibration, config)
            proofs = [r.proof or 0.0 for r in said if (r.probability or 0.0) >= config.lost_below]
            most = max([most, *proofs])
    return most + max(usual, 0.0) * math.log1p(UNSEEN_M / max(driven_m, LEAST_M))


def frames_needed(proof: float, usual: float, every_m: float) -> int | None:
    """
    Return how many usual frames come to a proof; None where no number of them does.

    The evidence of a frame fades by `exp(-metres / proof_m)`, so that the sum is bounded by
    `usual / (1 - exp(-every_m / proof_m))`.

    :param every_m: distance between the frames.
    """
    fades = math.exp(-every_m / RouteFilterSettings().proof_m)
    most = usual / (1 - fades)
    if most <= proof:
        return None
    return max(math.ceil(math.log1p(-proof / most) / math.log(fades)), 1)
