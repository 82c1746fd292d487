"""The calibration of a map, by drives with known poses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from husky_placerec.config import Config
from husky_placerec.data.trajectory import Trajectory
from husky_placerec.errors import InputError
from husky_placerec.metric.drive_sights import DriveSights
from husky_placerec.placemap.building import now
from husky_placerec.placemap.merging import SAME_COSINE
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.progress import Passing
from husky_placerec.recognition.calibrating.fitting import (
    fit_gates,
    fit_place,
    found_share,
    gate_figures,
)
from husky_placerec.recognition.calibrating.leave_out import record_runs, RecordedRun, Setting
from husky_placerec.recognition.calibrating.metric_scale import metric_scale
from husky_placerec.recognition.calibrating.null import measure_null, Null
from husky_placerec.recognition.calibrating.offset import pose_offset
from husky_placerec.recognition.calibrating.promise import grade_of, Promise, promise_of, reach_of
from husky_placerec.recognition.calibrating.samples import (
    DescribedDrive,
    is_right,
    RIGHT_M,
    Row,
    sample_frame,
    Samples,
    WHOLE,
)
from husky_placerec.recognition.calibration import (
    Calibration,
    MAP_ALONE,
    OWN,
    PROVEN,
    SIMULATED,
    WEAK,
)
from husky_placerec.recognition.covariance import CovarianceTable, LEAST, pose_errors
from husky_placerec.recognition.descriptor_recognizer import DescriptorRecognizer
from husky_placerec.recognition.evidence_model import EvidenceModel
from husky_placerec.recognition.prior import Prior
from husky_placerec.recognition.route_filter import RouteFilterSettings
from husky_placerec.types import Mask, Pose, SECOND_NS
import numpy as np
from scipy.spatial import cKDTree

Bars = Callable[..., Passing]  # of a title and a unit
RightPose = tuple[float, Pose, Pose]  # its probability, the estimate, the truth

NEIGHBOURS = 20  # frames in a row that make a group
SAME_SHARE = 0.5  # of frames that are places of the map, from which a drive is the map itself
# Factor of the proof of a map alone without odometry: the filter may then follow any path, and no
# drive has told how the views of another session mislead it.
UNKNOWN_MOTION = 1.5
COVERED = 0.95  # least share of the frames that the odometry covers


def no_bars(*_: str) -> Passing:
    """Show no progress."""
    return lambda items, _: items


def itself(place_map: PlaceMap) -> DescribedDrive:
    """Return the map as a drive of its own, for want of a second one."""
    places = place_map.places
    return DescribedDrive(
        place_map.name,
        place_map.descriptors,
        places.stamps_ns,
        places.poses,
        local=place_map.local,
        itself=True,
    )


def drive_of(
    described: PlaceMap, odometry: Trajectory | None = None, sights: DriveSights | None = None
) -> DescribedDrive:
    """
    Return a drive that was described as a map in the frame of the other map.

    :param odometry: used where it covers the share COVERED of the frames.
    :param sights: key points of its frames.
    """
    places = described.places
    moved = None
    if odometry is not None and odometry.covers(places.stamps_ns, SECOND_NS).mean() >= COVERED:
        moved = odometry.at(places.stamps_ns)
    return DescribedDrive(
        described.name,
        described.descriptors,
        places.stamps_ns,
        places.poses,
        moved,
        described.local,
        described.texts,
        sights,
    )


def calibrate(
    settings: Sequence[Setting],
    config: Config,
    *,
    kind: str | None = None,
    prior: Prior | None = None,
    bars: Bars = no_bars,
) -> Calibration:
    """
    Fit the gate and the likelihood of the route filter, and measure what they can promise.

    1. Sample the evidence of right places, strangers and unknown places; fit the models, shrunk to
       the prior. A map alone knows no other light, so that it keeps the prior.
    2. Run the drives on the map and on its parts, to learn how much proof unknown road gathers.
    3. Judge each half of the drives by models that were fitted to the other half.
    4. Measure the errors of the right poses.

    :param settings: one, or several maps of one model for a calibration of the model.
    :param kind: of the calibration; `own` by default, `map_alone` where the map is the only drive.
    :param prior: what is known from other worlds; None: nothing.
    :raises InputError: for drives that never meet their map, or that are never recognised.
    """
    for setting in settings:
        _require_meeting(setting)
        _require_another_drive(setting)
    config = replace(config, sequence=True)  # measured also where the robot will not use it
    gates, places = sampled(settings, config, bars)
    samples = Samples.join(gates), Samples.join(places)
    _require_right(samples[0].whole, samples[1].whole, settings, config)
    alone = all(d.itself for s in settings for d in s.drives if d.poses is not None)
    first = settings[0].place_map
    draft = Calibration(
        kind or (MAP_ALONE if alone else OWN),
        first.spec.as_json(),
        first.whitening is not None,
        first.centring is not None,
        first.local is not None and config.rerank != 'off',
        tuple(drive.name for s in settings for drive in s.drives),
        now(),
        *_models(samples, prior, alone, kind),
        found_share(samples[0]) if prior is None or not alone else prior.found,
        proof=0.0,
        guessed_proof=0.0,
        grade=WEAK,
        weakness='',
        single_errors=_table([]),
        sequence_errors=_table([]),
        guessed_errors=_table([]),
        reversed_errors=_table([]),
        reversed_sequence_errors=_table([]),
        figures=gate_figures(samples[0], prior),
    )
    runs = [run for setting in settings for run in record_runs(setting, config, bars)]
    nulls = _nulls(draft, runs, config, bars)
    draft = _with_proof(draft, nulls, prior)
    usual = _usual_ratio(draft, samples[1])
    promise = Promise()
    if draft.kind == OWN:
        promise = promise_of(runs, _halves(draft, samples, prior, runs, config), config)
    reach = reach_of(runs, draft, config, nulls[0])
    grade, weakness = grade_of(draft.kind, promise, config.promise, reach, nulls[0].driven_m)
    offset = pose_offset([run for run in runs if run.whole])
    if offset is not None and draft.kind == OWN:
        grade = WEAK if grade == PROVEN else grade
        weakness = '; '.join(filter(None, [str(offset), weakness]))
    figures = {
        **draft.figures,
        'usual_proof': usual,
        'reach': reach.required,
        'promise': vars(promise),
    }
    draft = replace(draft, grade=grade, weakness=weakness, figures=figures)
    return with_errors(replace(draft, metric_scale=metric_scale(runs)), runs, config, bars)


def _models(
    samples: tuple[Samples, Samples],
    prior: Prior | None,
    alone: bool,
    kind: str | None = None,
) -> tuple[EvidenceModel, EvidenceModel, EvidenceModel]:
    """Return the gate, that of frames which lack a camera, and the likelihood."""
    if prior is not None and alone:
        return prior.gate, prior.partial, prior.place
    gate, partial = fit_gates(samples[0], prior)
    if prior is not None and kind == SIMULATED:
        # Followed places look alike in other ways on each campus; the prior has seen more worlds.
        return gate, partial, replace(prior.place, added=gate.added)
    return gate, partial, fit_place(samples[1], prior, gate.added)


def _nulls(
    draft: Calibration, runs: Sequence[RecordedRun], config: Config, bars: Bars = no_bars
) -> tuple[Null, Null]:
    """Return the null where odometry tells the motion, and where the elapsed time does."""
    shown = bars('Unknown road by odometry', ' runs')(runs, len(runs))
    by_odometry = measure_null(shown, draft, config, by_odometry=True)
    shown = bars('Unknown road by time', ' runs')(runs, len(runs))
    return by_odometry, measure_null(shown, draft, config, by_odometry=False)


def _with_proof(draft: Calibration, nulls: tuple[Null, Null], prior: Prior | None) -> Calibration:
    """Return the calibration with the proofs that the nulls and the prior require."""
    floor = 0.0 if prior is None else prior.proof
    by_odometry, by_time = (null.required_beside(floor) for null in nulls)
    if draft.kind == MAP_ALONE:
        by_time *= UNKNOWN_MOTION
    return replace(draft, proof=by_odometry, guessed_proof=max(by_time, by_odometry))


def _usual_ratio(draft: Calibration, places: Samples) -> float:
    """Return the median log likelihood ratio of a frame for the place where it was taken."""
    whole = places.whole
    median = float(np.median(draft.place.log_ratio(whole.evidence[whole.true])))
    return min(median, RouteFilterSettings().strongest)


def _halves(
    draft: Calibration,
    samples: tuple[Samples, Samples],
    prior: Prior | None,
    runs: Sequence[RecordedRun],
    config: Config,
) -> list[Callable[[], Calibration]]:
    """Return what makes the calibration by which each half of the drives is judged."""
    middle = float(np.median(samples[0].group))

    def judging(second: bool) -> Calibration:
        parts = [s.chosen((s.group >= middle) != second) for s in samples]
        usable = all(len(p.whole.true) and p.whole.true.any() for p in parts)
        usable = usable and not any(p.whole.true.all() for p in parts)
        if not usable:
            parts = list(samples)
        gate, partial, place = _models((parts[0], parts[1]), prior, False)
        made = replace(draft, gate=gate, partial=partial, place=place)
        others = [_half(run, not second) for run in runs]
        nulls = _nulls(made, [run for run in others if len(run.drive)], config)
        return _with_proof(made, nulls, prior)

    return [lambda: judging(False), lambda: judging(True)]


def _half(run: RecordedRun, second: bool) -> RecordedRun:
    middle = len(run.drive) // 2
    return run.part(slice(middle, len(run.drive)) if second else slice(0, middle))


def sampled(
    settings: Sequence[Setting], config: Config, bars: Bars = no_bars
) -> tuple[list[Row], list[Row]]:
    """Return the samples of the gate, and those of the likelihood of the route filter."""
    gates: list[Row] = []
    places: list[Row] = []
    group = 0
    for setting in settings:
        recognizer = DescriptorRecognizer(setting.place_map, config, None)
        for drive in setting.drives:
            drive = drive.as_queries(setting.place_map).thinned()
            frames = bars(f'Calibrating by {drive.name}')(range(len(drive)), len(drive))
            for frame in frames:
                rows = sample_frame(recognizer, drive, frame, group + frame // NEIGHBOURS)
                gates += rows.gate
                places += rows.place
            group += len(drive) // NEIGHBOURS + 1
    return gates, places


def with_errors(
    draft: Calibration, runs: Sequence[RecordedRun], config: Config, bars: Bars = no_bars
) -> Calibration:
    """Return the calibration with the errors of the right poses, measured on runs."""
    shown = bars('Measuring by odometry', ' drives')(runs, len(runs))
    by_odometry = _right_poses(shown, draft, config, by_odometry=True)
    reverse = by_odometry.reverse_sequence
    if len(reverse) < LEAST:
        reverse = by_odometry.reverse
    shown = bars('Measuring by time', ' drives')(runs, len(runs))
    by_time = _right_poses(shown, draft, config, by_odometry=False)
    return replace(
        draft,
        single_errors=_table(by_odometry.single),
        sequence_errors=_table(by_odometry.sequence),
        guessed_errors=_table(by_time.sequence),
        reversed_errors=_table(by_odometry.reverse),
        reversed_sequence_errors=_table(reverse),
    )


@dataclass(frozen=True)
class _RightPoses:
    """Right poses of single frames and of the sequence; the same on places passed in reverse."""

    single: list[RightPose] = field(default_factory=list)
    sequence: list[RightPose] = field(default_factory=list)
    reverse: list[RightPose] = field(default_factory=list)
    reverse_sequence: list[RightPose] = field(default_factory=list)


def _right_poses(
    runs: Iterable[RecordedRun], calibration: Calibration, config: Config, *, by_odometry: bool
) -> _RightPoses:
    found = _RightPoses()
    for run in runs:
        if run.drive.itself:
            continue
        said_all = run.recognitions(calibration, config, by_odometry=by_odometry, landmarks=False)
        for said, truth in zip(said_all, run.truths):
            single, best, at = said.measurement, said.best, said.chosen
            if single is not None and best is not None:
                rows = found.reverse if best.reversed else found.single
                _add_right(rows, single.probability, single.pose, truth)
            if at is not None:
                rows = found.reverse_sequence if at.reversed else found.sequence
                _add_right(rows, said.probability, said.estimate, truth)
    return found


def _add_right(
    rows: list[RightPose], probability: float | None, pose: Pose | None, truth: Pose | None
) -> None:
    if probability is None or pose is None or truth is None:
        return
    if is_right(pose, truth):
        rows.append((probability, pose, truth))


def _table(rows: Sequence[RightPose]) -> CovarianceTable:
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


def _require_another_drive(setting: Setting) -> None:
    """
    Refuse the images of the map itself as a second drive: they would promise what does not hold.

    :raises InputError: that names the drive.
    """
    for drive in setting.drives:
        same = _same_images(setting.place_map, drive)
        if drive.itself or drive.poses is None or same.mean() < SAME_SHARE:
            continue
        raise InputError(
            f'{drive.name}: {int(same.sum())} of its {len(drive)} frames are places of '
            f'{setting.place_map.name}, by stamp and image; expected another drive than the map '
            'was made of, or none: the map alone then calibrates'
        )


def _same_images(place_map: PlaceMap, drive: DescribedDrive) -> Mask:
    """Return [N] which frames of a drive have the stamp and the descriptor of a place."""
    order = np.argsort(place_map.places.stamps_ns, kind='stable')
    stamps_ns = place_map.places.stamps_ns[order]
    at = np.minimum(np.searchsorted(stamps_ns, drive.stamps_ns), len(stamps_ns) - 1)
    frames = np.asarray(drive.descriptors, np.float32)
    places = np.asarray(place_map.descriptors[order[at]], np.float32)
    alike = np.einsum('ncd,ncd->n', frames, places) >= SAME_COSINE * frames.any(axis=2).sum(axis=1)
    return np.asarray((stamps_ns[at] == drive.stamps_ns) & alike)


def _require_right(
    gate: Samples, place: Samples, settings: Sequence[Setting], config: Config
) -> None:
    name = settings[0].place_map.name
    if not gate.true.any():
        whole = [next(record_runs(setting, config, no_bars)) for setting in settings]
        offset = pose_offset(whole)
        raise InputError(
            f'{name}: none of {int((gate.origin == WHOLE).sum())} frames on the map is '
            f'recognised within {RIGHT_M:g} m; expected some that are: another model may help, or '
            f'poses in the frame of the map{"" if offset is None else f"; {offset}"}'
        )
    if gate.true.all() or place.true.all():
        raise InputError(
            f'{name}: no frame is wrong or unknown: the map is smaller than what has to be masked '
            'to make a place unknown; expected a longer map, or a drive off it with --unknown'
        )
