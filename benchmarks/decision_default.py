"""
The default calibration of a model for simulated maps, measured on campuses of both protocols.

The likelihood of the route filter is fitted to the protocol `hard`. The gates are fitted to both
protocols, because a gate that has seen dim views only is overconfident in clear ones. The errors
of poses are measured on `hard`, forwards and in reverse.
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
from husky_placerec.recognition.calibrating.leave_out import record_runs, Setting
from husky_placerec.recognition.calibrating.samples import DescribedDrive
from husky_placerec.recognition.calibration import Calibration, SIMULATED


def default_calibration(worlds: Callable[[str], Sequence[World]], config: Config) -> Calibration:
    """
    Return the default calibration.

    :param worlds: returns the campuses to calibrate by, for the name of a protocol.
    """
    hard = worlds(HARD)
    made = calibrate(forwards(hard), config, kind=SIMULATED)
    samples, _ = sampled([s for name in PROTOCOLS for s in forwards(worlds(name))], config)
    gate, partial = fit_gates(samples)
    made = replace(made, gate=gate, partial=partial)
    made = replace(made, figures={**made.figures, **gate_figures(samples)})
    return remeasured(made, hard, config)


def remeasured(made: Calibration, worlds: Sequence[World], config: Config) -> Calibration:
    """Return the calibration with errors measured by its gates, also those of reversed poses."""
    settings = [Setting(w.place_map, tuple(map(as_drive, w.driven + w.reversed))) for w in worlds]
    runs = [run for setting in settings for run in record_runs(setting, config, no_bars)]
    return with_errors(made, runs, config)


def forwards(worlds: Sequence[World]) -> list[Setting]:
    """Return the maps with the drives in their direction."""
    return [Setting(w.place_map, tuple(map(as_drive, w.driven))) for w in worlds]


def as_drive(drive: Driven) -> DescribedDrive:
    """Return a drive in the form that a calibration takes."""
    name = f'{drive.config.seed} {drive.config.condition}'
    return DescribedDrive(name, drive.descriptors, drive.stamps_ns, drive.poses, drive.wheels)
