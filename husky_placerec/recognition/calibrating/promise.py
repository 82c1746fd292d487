"""
What a calibration can promise: decisions on stretches that were held out of its fit.

The drives are cut in half. Each half is judged by models that were fitted to the other one, on the
whole map and on its parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from husky_placerec.config import Config
from husky_placerec.recognition.calibrating.leave_out import RecordedRun
from husky_placerec.recognition.calibrating.null import Null
from husky_placerec.recognition.calibrating.reliability import upper_bound
from husky_placerec.recognition.calibrating.samples import is_right, MASKED_M
from husky_placerec.recognition.calibration import (
    Calibration,
    MAP_ALONE,
    PROVEN,
    SIMULATED,
    UNFIT,
    WEAK,
)
import numpy as np

CONFIDENCE = 0.95  # of the bounds, one-sided
LEAST_REACH = 0.05  # of the right estimates, for a map to be of use
# Known road from which it tells that a map is of no use: the proof of a frame fades within 40 m,
# so that a shorter drive does not gather what a longer one would.
LEAST_KNOWN_M = 120.0


@dataclass(frozen=True)
class Reach:
    """
    How far the right estimates on known road come, each as a share of them.

    :param required: have the proof that the null of the map requires.
    :param seen: have more proof than any estimate had on unknown road.
    :param known_m: known road that was driven.
    """

    required: float
    seen: float
    known_m: float


@dataclass(frozen=True)
class Promise:
    """
    Counts of held-out frames, each at least `evidence_every` metres from the last.

    :param known: frames on the map; `accepted` of these; `right` of the accepted ones.
    :param unknown: frames off the map; `accepted_unknown` of these.
    """

    known: int = 0
    accepted: int = 0
    right: int = 0
    unknown: int = 0
    accepted_unknown: int = 0

    def __add__(self, other: Promise) -> Promise:
        """Return the sums of the counts."""
        return Promise(*(a + b for a, b in zip(vars(self).values(), vars(other).values())))

    @property
    def least_right(self) -> float:
        """Lower bound of the share of right poses among the accepted ones."""
        return 1 - upper_bound(self.accepted - self.right, self.accepted, CONFIDENCE)

    @property
    def most_unknown(self) -> float:
        """Upper bound of the share of frames off the map that are accepted."""
        return upper_bound(self.accepted_unknown, self.unknown, CONFIDENCE)


def promise_of(
    runs: Sequence[RecordedRun],
    halves: Sequence[Callable[[], Calibration]],
    config: Config,
) -> Promise:
    """
    Return the counts of the runs, each half judged by the other's calibration.

    :param halves: return the calibration by which the first and the second half are judged.
    """
    total = Promise()
    for number, made in enumerate(halves):
        calibration = made()
        for run in runs:
            middle = len(run.drive) // 2
            part = run.part(slice(0, middle) if number == 0 else slice(middle, len(run.drive)))
            if len(part.drive):
                total += _judged(part, calibration, config)
    return total


def _judged(run: RecordedRun, calibration: Calibration, config: Config) -> Promise:
    counts, last = Promise(), -np.inf
    along = run.metres_along(config.usual_speed)
    for said, truth, at in zip(run.recognitions(calibration, config), run.truths, along.tolist()):
        if at - last < config.evidence_every:
            continue  # frames that are near each other are not independent
        last = at
        accepted = int(said.accepted)
        if truth is None:
            counts += Promise(unknown=1, accepted_unknown=accepted)
        else:
            right = said.accepted and said.pose is not None and is_right(said.pose, truth)
            counts += Promise(known=1, accepted=accepted, right=int(right))
    return counts


def reach_of(
    runs: Sequence[RecordedRun], calibration: Calibration, config: Config, null: Null
) -> Reach:
    """
    Return how far the right estimates of runs come, by a map's own null.

    What the prior asks besides does not count.
    """
    proofs: list[float] = []
    for run in runs:
        for said, truth in zip(run.recognitions(calibration, config), run.truths):
            if truth is None or said.estimate is None or not is_right(said.estimate, truth):
                continue
            proofs.append(said.proof or 0.0)
    known_m = sum(run.known_metres(config.usual_speed) for run in runs if run.whole)
    if not proofs:
        return Reach(0.0, 0.0, known_m)
    found = np.array(proofs)
    return Reach(
        float((found >= null.required).mean()), float((found > null.most).mean()), known_m
    )


def grade_of(
    kind: str, promise: Promise, asked: float, reach: Reach, unknown_m: float
) -> tuple[str, str]:
    """
    Return the grade of a calibration, and in sentences why it is not `proven`.

    :param kind: of the calibration. A simulated one serves simulated maps only, and is proven.
    :param asked: share of the accepted poses that have to be right.
    :param reach: of the right estimates, by the map's own null.
    :param unknown_m: unknown road that was driven to measure the null.
    """
    if kind == SIMULATED:
        return PROVEN, ''
    missing = []
    if reach.required < LEAST_REACH:
        if reach.seen < LEAST_REACH or reach.known_m >= LEAST_KNOWN_M:
            return UNFIT, (
                'road that the map does not have looks as much like it as its own: of the right '
                f'estimates on known road, {100 * reach.required:.0f} % have the proof that is '
                'needed here'
            )
        missing.append(
            f'{reach.known_m:.0f} m of known road are too few to gather the proof that is needed: '
            f'drive {LEAST_KNOWN_M:g} m or more'
        )
    if kind == MAP_ALONE:
        missing.append('no second drive: the map knows no other light than its own')
    elif promise.least_right < asked or promise.most_unknown > 1 - asked:
        missing.append(_too_few(promise, asked))
    if not unknown_m:
        missing.append(
            'the map is too short to tell what unknown road looks like here: none of it can be '
            f'left out by more than {MASKED_M:g} m'
        )
    return (WEAK, '; '.join(missing)) if missing else (PROVEN, '')


def _too_few(promise: Promise, asked: float) -> str:
    """Return what the held-out frames lack."""
    wrong = promise.accepted - promise.right
    if wrong or promise.accepted_unknown:
        return (
            f'{wrong} of {promise.accepted} accepted poses are wrong, and '
            f'{promise.accepted_unknown} of {promise.unknown} frames off the map are accepted'
        )
    return (
        f'no error in {promise.accepted} accepted poses and {promise.unknown} frames off the map '
        f'is too few to promise {100 * asked:g} %: {_frames_without_error(asked)} of each are '
        'needed'
    )


def _frames_without_error(asked: float) -> int:
    """Return how many frames without an error bound their share by `asked`."""
    return int(np.ceil(np.log(1 - CONFIDENCE) / np.log(asked)))
