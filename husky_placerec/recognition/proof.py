"""How much has to speak for a pose: more than on any road that the map does not know."""

from __future__ import annotations

from collections.abc import Sequence
import math

from husky_placerec.config import Config
from husky_placerec.recognition.calibration import Calibration
from husky_placerec.recognition.runs import Run
from husky_placerec.recognition.sequence import SequenceRules

UNSEEN_M = 2000.0  # of unknown road, that is allowed for beyond what was driven
LEAST_M = 50.0  # that is taken to have been driven where it was less, or none


def proof_needed(
    runs: Sequence[Run], calibration: Calibration, config: Config, usual: float
) -> float:
    """
    Return the proof that a pose needs, as the log of a likelihood ratio.

    It is the most that a drive came to where the map knows nothing near, and more the less of
    such road was driven: each time that e times as much is still to come, it is taken to find a
    stretch that looks like the map for one frame longer.

    :param usual: what one frame says where it is right.
    """
    most, driven_m = 0.0, 0.0
    for run in runs:
        for stretch in run.unknown():
            driven_m += stretch.metres(config.usual_speed)
            said = stretch.recognitions(calibration, config)
            proofs = [r.proof or 0.0 for r in said if (r.probability or 0.0) >= config.lost_below]
            most = max([most, *proofs])
    return most + max(usual, 0.0) * math.log1p(UNSEEN_M / max(driven_m, LEAST_M))


def frames_needed(proof: float, usual: float, every_m: float) -> int | None:
    """
    Return how many usual frames come to a proof; None where no number of them does.

    :param every_m: the distance between them.
    """
    fades = math.exp(-every_m / SequenceRules().proof_m)
    most = usual / (1 - fades)  # by however many frames
    if most <= proof:
        return None
    return max(math.ceil(math.log1p(-proof / most) / math.log(fades)), 1)
