"""The calibration of a map, by drives of which it is known where they went."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from husky_placerec.config import Config
from husky_placerec.data.trajectory import Trajectory
from husky_placerec.errors import InputError
from husky_placerec.placemap.building import now
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.progress import Passing
from husky_placerec.recognition.calibration import Calibration, MAP_ALONE, OWN
from husky_placerec.recognition.covariance import CovarianceTable, pose_errors
from husky_placerec.recognition.decision import Decider
from husky_placerec.recognition.fitting import (
    fit_gates,
    fit_place,
    found_share,
    gate_figures,
)
from husky_placerec.recognition.proof import proof_needed
from husky_placerec.recognition.runs import best_trust, mistaken, Run, runs_of, Setting
from husky_placerec.recognition.samples import (
    Drive,
    right,
    RIGHT_M,
    Row,
    sample,
    Samples,
    WHOLE,
)
from husky_placerec.recognition.sequence import SequenceRules
from husky_placerec.types import Pose, SECOND_NS
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Bars = Callable[..., Passing]  # of a title and a unit
Found = tuple[float, Pose, Pose]  # a probability, the pose that was found, and the true one

ROUNDS = 2  # of following strangers, and learning to tell them
NEIGHBOURS = 20  # frames one after the other, that succeed or fail together
COVERED = 0.95  # of a drive's frames, by its odometry


def no_bars(*_: str) -> Passing:
    return lambda items, _: items


def itself(place_map: PlaceMap) -> Drive:
    """Return the map as a drive of its own, for want of a second one."""
    places = place_map.places
    return Drive(
        place_map.name, place_map.descriptors, places.stamps_ns, places.poses, itself=True
    )


def drive_of(described: PlaceMap, odometry: Trajectory | None = None) -> Drive:
    """
    Return a drive that was described as a map of its own, in the frame of the other.

    :param odometry: what it says of the way, where it covers nearly all of it.
    """
    places = described.places
    wheels = None
    if odometry is not None and odometry.covers(places.stamps_ns, SECOND_NS).mean() >= COVERED:
        wheels = odometry.at(places.stamps_ns)
    return Drive(described.name, described.descriptors, places.stamps_ns, places.poses, wheels)


def calibrate(
    settings: Sequence[Setting],
    config: Config,
    *,
    kind: str | None = None,
    bars: Bars = no_bars,
) -> Calibration:
    """
    Fit the gate, the likelihoods of the sequence and the covariances.

    :param settings: mostly one; several maps of one model give a calibration of the model.
    :param kind: of the calibration; by default by whether there is another drive than the map.
    :raises InputError: for drives that never meet their map, or of which nothing is recognised.
    """
    for setting in settings:
        _require_meeting(setting)
    config = replace(config, sequence=True)  # however the robot will decide, it is measured
    samples, places = sampled(settings, config, bars)
    _require_right(samples.whole, settings)
    first = settings[0].place_map
    # A drive off the map tells nothing of other light on it.
    alone = all(d.itself for s in settings for d in s.drives if d.poses is not None)
    draft = Calibration(
        kind or (MAP_ALONE if alone else OWN),
        first.spec.as_json(),
        first.whitening is not None,
        tuple(drive.name for s in settings for drive in s.drives),
        now(),
        *fit_gates(samples, alone),
        fit_place(places, alone),
        found_share(samples),
        trust=1.0,
        proof=0.0,
        measured=_table([]),
        estimated=_table([]),
        guessed=_table([]),
        turned=_table([]),
        figures=gate_figures(samples, alone),
    )
    runs = [run for setting in settings for run in runs_of(setting, draft, config, bars)]
    for _ in range(ROUNDS):
        for number, run in enumerate(bars('Learning what is wrong', ' drives')(runs, len(runs))):
            places += mistaken(run, draft, config, number)
        draft = replace(draft, place=fit_place(places, alone))
    whole = Samples.join(places).whole
    said = float(np.median(draft.place.log_ratio(whole.evidence[whole.true])))
    usual = min(said, SequenceRules().strongest)
    draft = replace(draft, trust=best_trust(runs, draft, config, bars('Weighing', ' times')))
    proof = proof_needed(runs, draft, config, usual)
    figures = {**draft.figures, 'usual_proof': usual}
    draft = replace(draft, proof=proof, figures=figures)
    return with_errors(draft, runs, config, bars)


def sampled(
    settings: Sequence[Setting], config: Config, bars: Bars = no_bars
) -> tuple[Samples, list[Row]]:
    """Return what the gate is fitted to, and what the likelihoods of the sequence are."""
    gates: list[Row] = []
    places: list[Row] = []
    group = 0
    for setting in settings:
        decider = Decider(setting.place_map, config, None)
        for drive in setting.drives:
            drive = drive.thinned()
            frames = bars(f'Calibrating by {drive.name}')(range(len(drive)), len(drive))
            for frame in frames:
                rows = sample(decider, drive, frame, group + frame // NEIGHBOURS)
                gates += rows.gate
                places += rows.place
            group += len(drive) // NEIGHBOURS + 1
    return Samples.join(gates), places


def with_errors(
    draft: Calibration, runs: Sequence[Run], config: Config, bars: Bars = no_bars
) -> Calibration:
    """Drive once more: how far off are the right poses."""
    shown = bars('Measuring by odometry', ' drives')(runs, len(runs))
    by_odometry = _found_poses(shown, draft, config, by_odometry=True)
    shown = bars('Measuring by time', ' drives')(runs, len(runs))
    by_time = _found_poses(shown, draft, config, by_odometry=False)
    return replace(
        draft,
        measured=_table(by_odometry.measured),
        estimated=_table(by_odometry.estimated),
        guessed=_table(by_time.estimated),
        turned=_table(by_odometry.turned),
    )


@dataclass(frozen=True)
class _Poses:
    """Right ones: of single frames, of the sequence, and of single frames that are reversed."""

    measured: list[Found] = field(default_factory=list)
    estimated: list[Found] = field(default_factory=list)
    turned: list[Found] = field(default_factory=list)


def _found_poses(
    runs: Iterable[Run], calibration: Calibration, config: Config, *, by_odometry: bool
) -> _Poses:
    found = _Poses()
    for run in runs:
        if run.drive.itself:
            continue
        said_all = run.recognitions(calibration, config, by_odometry=by_odometry)
        for said, truth in zip(said_all, run.truths):
            single, best, at = said.measurement, said.best, said.chosen
            if single is not None and best is not None:
                rows = found.turned if best.reversed else found.measured
                _add_right(rows, single.probability, single.pose, truth)
            if at is not None and not at.reversed:
                _add_right(found.estimated, said.probability, said.estimate, truth)
    return found


def _add_right(
    rows: list[Found], probability: float | None, pose: Pose | None, truth: Pose | None
) -> None:
    if probability is not None and pose is not None and truth is not None and right(pose, truth):
        rows.append((probability, pose, truth))


def _table(rows: Sequence[Found]) -> CovarianceTable:
    if not rows:
        return CovarianceTable.fit(np.zeros(0), np.zeros((0, 6)))
    probability, poses, truths = zip(*rows)
    return CovarianceTable.fit(np.array(probability), pose_errors(poses, truths))


def _require_meeting(setting: Setting) -> None:
    tree = cKDTree(setting.place_map.places.poses[:, :2])
    known = [drive for drive in setting.drives if drive.poses is not None]
    nearest = [float(tree.query(d.poses[:, :2])[0].min()) for d in known if d.poses is not None]
    if not nearest or min(nearest) > RIGHT_M:
        names = ', '.join(drive.name for drive in known) or 'no drive'
        far = f'it keeps {min(nearest):.0f} m from the map' if nearest else 'nothing to compare'
        raise InputError(
            f'{names}: {far}; expected a drive that comes within {RIGHT_M:g} m of places of '
            f'{setting.place_map.name}'
        )


def _require_right(gate: Samples, settings: Sequence[Setting]) -> None:
    name = settings[0].place_map.name
    if not gate.true.any():
        raise InputError(
            f'{name}: none of {int((gate.origin == WHOLE).sum())} frames on the map is '
            f'recognised within {RIGHT_M:g} m; expected some that are: another model may help, or '
            'poses in the frame of the map'
        )
    if gate.true.all():
        raise InputError(
            f'{name}: no frame is wrong or unknown: the map is smaller than what has to be masked '
            'to make a place unknown; expected a longer map, or a drive off it with --unknown'
        )
