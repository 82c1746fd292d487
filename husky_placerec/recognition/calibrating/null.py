"""
The map's null: how much proof a pose gathers on road that the map does not have.

Ranking carries over from one world to the next, and scale does not. So how much proof is enough is
measured on the map itself: its places are left out in turn, and what the sequence then believes is
wrong. The required proof lies above all of that by a margin for road that was not driven.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
import math

from husky_placerec.config import Config
from husky_placerec.recognition.calibrating.leave_out import RecordedRun
from husky_placerec.recognition.calibration import Calibration
from husky_placerec.recognition.route_filter import RouteFilterSettings
import numpy as np

UNSEEN_M = 2000.0  # of unknown road, which is allowed for beyond what was driven
LEAST_M = 50.0  # that counts as driven where less was driven
# Bounds of the scale of the tail. A true likelihood ratio exceeds exp(a) with a probability of at
# most exp(-a) (Wald, Sequential Analysis, 1947): the scale is 1.
LEAST_SCALE, MOST_SCALE = 1.0, 6.0


@dataclass(frozen=True)
class Null:
    """
    What the sequence gathers on unknown road.

    :param most: the largest proof that an estimate came to, of those that are believed otherwise.
    :param scale: of the tail of the proofs: the mean of those above 0.
    :param driven_m: how much unknown road was driven.
    """

    most: float
    scale: float
    driven_m: float

    @property
    def required(self) -> float:
        """
        The proof that a pose needs.

        `required = most + scale * ln(1 + UNSEEN_M / driven_m)`: the largest of e times as many
        samples of an exponential tail lies higher by its scale.
        """
        return self.most + self.scale * math.log1p(UNSEEN_M / max(self.driven_m, LEAST_M))

    def required_beside(self, prior_proof: float) -> float:
        """
        Return the proof that a pose needs, not below that of a prior as far as it counts.

        The prior counts `UNSEEN_M / (UNSEEN_M + driven_m)`: little unknown road does not show that
        none of it looks like the map.
        """
        share = UNSEEN_M / (UNSEEN_M + self.driven_m)
        return max(self.required, share * prior_proof)


def measure_null(
    runs: Iterable[RecordedRun], calibration: Calibration, config: Config, *, by_odometry: bool
) -> Null:
    """Measure the null by the stretches of the runs that the map does not have."""
    most, driven_m, tail = 0.0, 0.0, []
    for run in runs:
        for stretch in run.unknown_stretches():
            driven_m += stretch.metres(config.usual_speed)
            for said in stretch.recognitions(calibration, config, by_odometry=by_odometry):
                proof = said.proof or 0.0
                if proof > 0:
                    tail.append(proof)
                if (said.probability or 0.0) >= config.lost_below:
                    most = max(most, proof)
    scale = float(np.clip(np.mean(tail) if tail else 0.0, LEAST_SCALE, MOST_SCALE))
    return Null(most, scale, driven_m)


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
