"""The tables of decisions.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from decision_judging import Frames, Measurer, METHODS, SEQUENCE, SINGLE
from decision_worlds import carried, QUARTER, World
from husky_placerec.recognition.calibrating.reliability import Reliability, upper_bound
from husky_placerec.types import Mask
import numpy as np
from rich.table import Table

DRAWS = 1000
CARRIED_M = 20.0  # within which a carried robot is to be right again


def interval(ratios: Sequence[tuple[float, float]]) -> str:
    """Return a share over all drives in %, with its 95 % interval."""
    parts = np.array(ratios, float).reshape(-1, 2)
    if not parts[:, 1].sum():
        return '-'
    rng = np.random.default_rng(0)
    draws = parts[rng.integers(len(parts), size=(DRAWS, len(parts)))].sum(axis=1)
    draws = draws[draws[:, 1] > 0]
    low, high = np.percentile(100 * draws[:, 0] / draws[:, 1], [2.5, 97.5])
    share = 100 * parts[:, 0].sum() / parts[:, 1].sum()
    return f'{share:.2f} ({low:.2f}-{high:.2f})'


def table(title: str, drives: Sequence[Frames]) -> Table:
    """Return the table of all methods over drives."""
    shown = Table(title=f'{title}: {len(drives)} drives', title_justify='left')
    for name in ('', *METHODS):
        shown.add_column(name, justify='left' if not name else 'right')
    rows: list[tuple[str, Callable[[Frames, str], tuple[float, float]]]] = [
        ('right of accepted, %', lambda f, m: _sums(f.right[m], f.accepted[m])),
        ('   within 5 m', lambda f, m: _sums(f.near[m], f.accepted[m])),
        ('on the map accepted, %', lambda f, m: _sums(f.accepted[m], f.on_map)),
        ('   from 15 m on', lambda f, m: _sums(f.accepted[m], f.settled)),
        ('off the map accepted, %', lambda f, m: _sums(f.accepted[m], ~f.on_map)),
    ]
    for name, ratio in rows:
        parts = ([ratio(frames, method) for frames in drives] for method in METHODS)
        shown.add_row(name, *map(interval, parts))
    for method in (SINGLE, SEQUENCE):
        errors = (_mean_along(drives, method, by) for by in METHODS)
        shown.add_row(f'error along the road, m, where the {method} accepts', *errors)
    errors = ['', '', *(f'{_calibration_error(drives, m):.3f}' for m in (SINGLE, SEQUENCE))]
    shown.add_row('expected calibration error', *errors)
    inside = [
        interval([_sums(f.inside[m], f.accepted[m] & f.right[m]) for f in drives])
        for m in (SINGLE, SEQUENCE)
    ]
    shown.add_row('right ones in the 95 % ellipse', '', '', *inside)
    return shown


def _sums(hit: Mask, among: Mask) -> tuple[float, float]:
    return float((hit & among).sum()), float(among.sum())


def _mean_along(drives: Sequence[Frames], accepting: str, by: str) -> str:
    """Return the mean error by one method where another accepts and both are right."""
    errors = [
        f.along_m[by][f.accepted[accepting] & f.right[accepting] & f.right[by]] for f in drives
    ]
    joined = np.concatenate(errors)
    return f'{joined.mean():.2f}' if len(joined) else '-'


def _calibration_error(drives: Sequence[Frames], method: str) -> float:
    probability = np.concatenate([f.probability[method] for f in drives])
    true = np.concatenate([f.right[method] for f in drives])
    known = np.isfinite(probability)
    return Reliability.of(probability[known], true[known]).error


def off_map_line(name: str, drives: Sequence[Frames]) -> list[str]:
    """Return a row about drives that are wholly off the map."""
    cells = [name, str(sum(len(f.on_map) for f in drives))]
    for method in METHODS:
        wrong = sum(int(f.accepted[method].sum()) for f in drives)
        frames = sum(len(f.on_map) for f in drives)
        cells.append(
            f'{wrong}: {1000 * wrong / frames:.2f}, at most '
            f'{1000 * upper_bound(wrong, frames):.2f} in 1000'
        )
    return cells


def carried_line(protocol: str, tested: Sequence[World], measure: Measurer) -> str:
    """Return how soon a robot that was carried elsewhere is right again, as a sentence."""
    soon, wrong, count = 0, [], 0
    for each in tested:
        for number, drive in enumerate(each.driven):
            other = each.driven[(number + 4) % len(each.driven)]
            joined = carried(drive, other)
            frames = measure(each.place_map, joined)
            half = len(drive) // QUARTER
            within = range(half, min(half + round(CARRIED_M / drive.config.step_m), len(joined)))
            if not frames.on_map[list(within)].all():
                continue
            count += 1
            accepted, true = frames.accepted[SEQUENCE], frames.right[SEQUENCE]
            soon += bool((accepted & true)[list(within)].any())
            wrong.append(int((accepted & ~true)[list(within)].sum()))
    most = max(wrong, default=0)
    return (
        f'{protocol}, carried: right again within {CARRIED_M:g} m in {soon} of {count} drives, '
        f'at most {most} wrong poses in between'
    )
