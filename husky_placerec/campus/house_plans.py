"""Plans of the houses along a road; some runs of houses repeat an earlier run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from husky_placerec.campus.facades import GROUND_FLOOR_M
import numpy as np

_HOUSES_A_RUN = 4
_LAWN_SHARE = 0.1


@dataclass(frozen=True)
class HousePlan:
    """A house without a place; houses of the same plan look the same."""

    width_m: float
    depth_m: float
    height_m: float
    setback_m: float  # from the centre line of the road to the front
    gap_m: float  # to the next house
    look: int  # seed of its walls, tints and roof


def house_plans(rng: np.random.Generator, aliasing: float) -> Iterator[HousePlan]:
    """
    Yield plans without end.

    :param aliasing: share of the runs that repeat an earlier run, so that places look alike.
    """
    runs: list[list[HousePlan]] = []
    while True:
        repeats, chosen = rng.random(2)
        if runs and repeats < aliasing:
            yield from runs[int(chosen * len(runs))]
        else:
            runs.append([_plan(rng) for _ in range(_HOUSES_A_RUN)])
            yield from runs[-1]


def _plan(rng: np.random.Generator) -> HousePlan:
    lawn_m = rng.uniform(17, 50) if rng.random() < _LAWN_SHARE else 0.0
    return HousePlan(
        width_m=rng.uniform(12, 30),
        depth_m=rng.uniform(9, 16),
        height_m=GROUND_FLOOR_M + float(rng.choice([3, 6, 9, 9, 12, 15, 18, 24])),
        setback_m=rng.uniform(9.5, 17),
        gap_m=rng.uniform(3, 14) + lawn_m,
        look=int(rng.integers(2**31)),
    )
