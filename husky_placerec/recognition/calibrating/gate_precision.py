"""The precision of the frames that the gate of a map accepts, by a drive with known poses."""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.config import Config
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.calibrating.calibrate import drive_of, sampled
from husky_placerec.recognition.calibrating.fitting import held_out, UNKNOWN_SHARE
from husky_placerec.recognition.calibrating.leave_out import Setting
from husky_placerec.recognition.calibrating.samples import Samples
from husky_placerec.recognition.prior import Prior
import numpy as np

LEAST_ACCEPTED = 20  # frames; a share of fewer tells nothing


@dataclass(frozen=True)
class GatePrecision:
    """
    What a gate accepts.

    :param precision: share of the accepted frames whose best place is right; unknown places count
        as a third of the frames, as in a calibration. None: it could not be measured.
    :param accepted: number of frames that are accepted, of known and of masked places.
    :param why: why it could not be measured; empty where it was.
    """

    precision: float | None
    accepted: int = 0
    why: str = ''


def gate_precision(
    place_map: PlaceMap, drive: PlaceMap, config: Config, prior: Prior | None = None
) -> GatePrecision:
    """
    Calibrate the gate of a map by a drive, and measure what it accepts.

    A frame is judged by a gate that was fitted to others (cross-validation), and accepted from
    `min_probability` on.

    :param drive: the frames, as a map in the frame of the other.
    """
    rows, _ = sampled([Setting(place_map, (drive_of(drive),))], config)
    if not rows:
        return GatePrecision(None, why='no frame is on the map')
    samples = Samples.join(rows).whole
    if samples.true.all() or not samples.true.any():
        every = 'right' if samples.true.all() else 'wrong'
        return GatePrecision(None, why=f'all of {len(samples.true)} frames are {every}')
    samples = samples.balanced(UNKNOWN_SHARE)
    probability = held_out(samples, None if prior is None else prior.gate)
    accepted = probability >= config.min_probability
    count = int(accepted.sum())
    if count < LEAST_ACCEPTED:
        why = f'{count} frames are accepted; expected {LEAST_ACCEPTED} or more'
        return GatePrecision(None, count, why)
    right = np.average(samples.true[accepted], weights=samples.weight[accepted])
    return GatePrecision(float(right), count)
