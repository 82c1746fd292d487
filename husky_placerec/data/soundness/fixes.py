"""Satellite fixes that cannot be right, though their status says that they are."""

from __future__ import annotations

from husky_placerec.data.soundness.doubt import Doubt, first_stamps
from husky_placerec.errors import InputError
from husky_placerec.types import Floats, Indices, Mask
import numpy as np

MOST_DEG = 90.0, 180.0  # latitude, longitude
NULL_DEG = 1e-4  # around latitude 0, longitude 0: what receivers send without a position
MINUTES = 60.0
LOST_SIGMA_M = 20.0
ALTITUDES_M = -500.0, 9000.0
ALTITUDE_M, DEVIATIONS = 30.0, 10.0  # from the median; a hilly drive has a large deviation
SEA_LEVEL_M = 10.0
FEW = 0.05


def possible_fixes(
    stamps_ns: Indices, fixes: Floats, sigmas_m: Floats, source: str
) -> tuple[Mask, list[Doubt]]:
    """
    Return which fixes may be right, each by itself, and the doubts about the others.

    :param fixes: [N, 3] latitude and longitude in degrees, altitude in metres.
    :param sigmas_m: [N] standard deviations by their covariance, NaN where it is not known.
    :raises InputError: if none may be right.
    """
    beyond = (abs(fixes[:, :2]) > MOST_DEG).any(axis=1)
    null = (abs(fixes[:, :2]) < NULL_DEG).all(axis=1)
    unsure = (sigmas_m > LOST_SIGMA_M) & ~beyond & ~null
    reasons = (
        ('range', beyond, 'have no latitude and longitude', _unit(fixes[beyond])),
        ('null', null, 'are at latitude 0, longitude 0', 'the receiver had no position'),
        (
            'lost',
            unsure,
            f'have a standard deviation over {LOST_SIGMA_M:g} m',
            'the receiver had hardly a position',
        ),
    )
    good = ~(beyond | null | unsure)
    total = len(fixes)
    doubts = [
        Doubt(
            kind,
            f'{which.sum()} of {total} fixes {what}, at {first_stamps(stamps_ns[which])}',
            f'{why}; they are left out',
        )
        for kind, which, what, why in reasons
        if which.any()
    ]
    if not good.any():
        found = '; '.join(
            f'{which.sum()} {what} ({why})' for _, which, what, why in reasons if which.any()
        )
        raise InputError(
            f'{source}: none of {total} fixes can be right: {found}, the first is latitude '
            f'{fixes[0, 0]:.7g}, longitude {fixes[0, 1]:.7g}; expected degrees, as 55.93, 37.52'
        )
    return good, doubts


def _unit(fixes: Floats) -> str:
    """Return what numbers beyond the range of degrees may be."""
    if len(fixes):
        size = abs(fixes[:, :2])
        as_minutes = (size <= np.multiply(MOST_DEG, 100)).all() and (size % 100 < MINUTES).all()
        if as_minutes:
            return 'degrees and minutes, as NMEA has them; convert them to degrees'
    return f'beyond {MOST_DEG[0]:g} and {MOST_DEG[1]:g} degrees'


def sound_altitudes(stamps_ns: Indices, altitudes_m: Floats) -> tuple[Floats, list[Doubt]]:
    """
    Return [N] altitudes where those that cannot be right, or are missing, are interpolated.

    NaN throughout if none is known.
    """
    known = np.isfinite(altitudes_m)
    possible = known & (altitudes_m >= ALTITUDES_M[0]) & (altitudes_m <= ALTITUDES_M[1])
    risen = possible & (altitudes_m != 0)
    if risen.mean() > FEW and abs(np.median(altitudes_m[risen])) > SEA_LEVEL_M:
        possible = risen  # 0 is what a receiver sends without an altitude
    if possible.any():
        middle = np.median(altitudes_m[possible])
        off = abs(np.where(possible, altitudes_m, middle) - middle)
        spread = 1.4826 * np.median(off[possible])
        possible &= off <= max(ALTITUDE_M, DEVIATIONS * spread)
    wrong = known & ~possible
    doubts = []
    if wrong.any():
        doubts.append(
            Doubt(
                'altitude',
                f'{wrong.sum()} of {len(wrong)} altitudes cannot be right, the first is '
                f'{altitudes_m[wrong][0]:g} m at {stamps_ns[wrong][0]}',
                'they are taken from their neighbours',
            )
        )
    if not possible.any():
        return np.full(len(altitudes_m), np.nan), doubts
    since = stamps_ns - stamps_ns[0]
    filled = np.interp(since, since[possible], altitudes_m[possible])
    return np.where(possible, altitudes_m, filled), doubts
