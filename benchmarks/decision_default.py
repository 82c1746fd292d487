"""
The calibration that a model brings along for simulated maps, from campuses of both protocols.

It is fitted to `hard`, but for the gates: these are to both protocols, since what has seen dim
views alone believes too much of clear ones. How far off poses are is measured on `hard`, forwards
and in reverse.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from decision_worlds import Driven, World
from husky_placerec.campus.protocols import HARD, PROTOCOLS
from husky_placerec.config import Config
from husky_placerec.recognition.calibrating.calibrate import (
    calibrate,
    no_bars,
    sampled,
    with_errors,
)
from husky_placerec.recognition.calibrating.fitting import fit_gates, gate_figures
from husky_placerec.recognition.calibrating.leave_out import runs_of, Setting
from husky_placerec.recognition.calibrating.samples import Drive
from husky_placerec.recognition.calibration import Calibration, SIMULATED


def default_calibration(worlds: Callable[[str], Sequence[World]], config: Config) -> Calibration:
    """
    Calibrate.

    :param worlds: of a protocol, those to calibrate by.
    """
    hard = worlds(HARD)
    made = calibrate(forwards(hard), config, kind=SIMULATED)
    samples, _ = sampled([s for name in PROTOCOLS for s in forwards(worlds(name))], config)
    gate, partial = fit_gates(samples)
    made = replace(made, gate=gate, partial=partial)
    made = replace(made, figures={**made.figures, **gate_figures(samples)})
    return remeasured(made, hard, config)


def remeasured(made: Calibration, worlds: Sequence[World], config: Config) -> Calibration:
    """Measure the errors once more, by what the gates now say, and of reversed poses too."""
    settings = [Setting(w.place_map, tuple(map(as_drive, w.driven + w.reversed))) for w in worlds]
    runs = [run for setting in settings for run in runs_of(setting, made, config, no_bars)]
    return with_errors(made, runs, config)


def forwards(worlds: Sequence[World]) -> list[Setting]:
    return [Setting(w.place_map, tuple(map(as_drive, w.driven))) for w in worlds]


def as_drive(drive: Driven) -> Drive:
    name = f'{drive.config.seed} {drive.config.condition}'
    return Drive(name, drive.descriptors, drive.stamps_ns, drive.poses, drive.wheels)
