"""Recognitions as JSON: the lines of `recognitions.jsonl`, an interface that others read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from husky_placerec import schema
from husky_placerec.types import (
    Candidate,
    Measurement,
    MetricPose,
    Pose,
    Recognition,
    TextAgreement,
)

_STAMP = schema.integer(0, 2**63 - 1)
_NUMBER = schema.none_or(schema.number(-1e12, 1e12))
_CHANCE = schema.none_or(schema.number(0, 1 + 1e-6))
_WORD = schema.none_or(schema.text(64))
_PLACE = schema.integer(0, 2**31)
_TURN = schema.none_or(schema.boolean)
_POSE = schema.record(dict.fromkeys(Pose.__dataclass_fields__, schema.number(-1e12, 1e12)))
_VARIANCES = schema.none_or(schema.items(schema.number(-1e12, 1e12), least=6, most=6))
_CANDIDATE = schema.record(
    {'place': _PLACE, 'similarity': schema.number(-1e6, 1e6), 'reversed': _TURN, 'pose': _POSE},
    {
        'cosines': schema.mapping(schema.number(-1e6, 1e6), schema.text(64), most=16),
        'probability': _CHANCE,
    },
)
_SINGLE = schema.record(
    {'accepted': schema.boolean, 'reason': _WORD, 'pose': schema.none_or(_POSE)},
    {'probability': _CHANCE, 'covariance': _VARIANCES},
)
_TEXTS = schema.record(
    {
        'read': schema.items(schema.text(64), most=100),
        'common': schema.number(0, 1 + 1e-6),
        'contradiction': schema.number(0, 1 + 1e-6),
    }
)
_METRIC = schema.record(
    {
        'solved': schema.boolean,
        'reason': _WORD,
        'inliers': schema.mapping(schema.integer(0, 100_000), schema.text(64), most=16),
        'matches': schema.integer(0, 1_000_000),
        'place': _PLACE,
        'reversed': schema.boolean,
    },
    {
        'pose': schema.none_or(_POSE),
        'covariance': schema.none_or(schema.items(schema.number(-1e12, 1e12), least=36, most=36)),
        'lead': schema.none_or(schema.integer(-100_000, 100_000)),
        'up': schema.none_or(schema.items(schema.number(-1, 1), least=3, most=3)),
    },
)
_LINE = schema.record(
    {
        'stamp_ns': _STAMP,
        'accepted': schema.boolean,
        'reason': _WORD,
        'pose': schema.none_or(_POSE),
        'candidates': schema.items(_CANDIDATE, most=1000),
    },
    {
        'image_stamps_ns': schema.none_or(schema.mapping(_STAMP, schema.text(64), most=16)),
        'place': schema.none_or(_PLACE),
        'similarity': _NUMBER,
        'reversed': _TURN,
        'margin': _NUMBER,
        'probability': _CHANCE,
        'covariance': _VARIANCES,
        'state': _WORD,
        'proof': _NUMBER,
        'measurement': schema.none_or(_SINGLE),
        'metric': schema.none_or(_METRIC),
        'truth': _POSE,
        'texts': _TEXTS,
    },
)


def recognition_json(recognition: Recognition, truth: Pose | None = None) -> dict[str, Any]:
    """
    Return the values of one line.

    :param truth: the true pose of the frame, where it is known.
    """
    at, pose = recognition.chosen or recognition.best, recognition.pose
    single = recognition.measurement
    line = {
        'stamp_ns': recognition.stamp_ns,
        'cameras': list(recognition.image_stamps_ns),
        'image_stamps_ns': dict(recognition.image_stamps_ns),
        'accepted': recognition.accepted,
        'reason': recognition.reason,
        'probability': recognition.probability,
        'reversed': at.reversed if at else None,
        'place': at.place if at else None,
        'similarity': at.similarity if at else None,
        'margin': recognition.margin,
        'pose': dict(vars(pose)) if pose else None,
        'covariance': list(recognition.covariance) if recognition.covariance else None,
        'state': recognition.state,
        'proof': recognition.proof,
        'measurement': _measurement(single) if single else None,
        'metric': _metric(recognition.metric) if recognition.metric else None,
        'candidates': [_candidate(candidate) for candidate in recognition.candidates],
    }
    if recognition.texts is not None:
        line['texts'] = {**vars(recognition.texts), 'read': list(recognition.texts.read)}
    if truth is not None:
        line['truth'] = dict(vars(truth))
        line['error_m'] = pose.distance_m(truth) if pose else None
        line['error_deg'] = pose.angle_deg(truth) if pose else None
    return line


def _measurement(single: Measurement) -> dict[str, Any]:
    return {
        'accepted': single.accepted,
        'reason': single.reason,
        'probability': single.probability,
        'pose': dict(vars(single.pose)) if single.pose else None,
        'covariance': list(single.covariance) if single.covariance else None,
    }


def _metric(metric: MetricPose) -> dict[str, Any]:
    return {
        'solved': metric.solved,
        'reason': metric.reason,
        'inliers': dict(metric.inliers),
        'matches': metric.matches,
        'lead': metric.lead,
        'place': metric.place,
        'reversed': metric.reversed,
        'pose': dict(vars(metric.pose)) if metric.pose else None,
        'covariance': list(metric.covariance) if metric.covariance else None,
        'up': list(metric.up) if metric.up else None,
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        'place': candidate.place,
        'similarity': candidate.similarity,
        'cosines': dict(candidate.cosines),
        'probability': candidate.probability,
        'reversed': candidate.reversed,
        'pose': dict(vars(candidate.pose)),
    }


def recognition_of(line: Any, source: str) -> tuple[Recognition, Pose | None]:
    """
    Return what `recognition_json` wrote, and the true pose where the line has one.

    The block of the covariance in the plane is not in a line.

    :param source: where the line comes from, for the error.
    :raises InputError: for a line that is not as expected.
    """
    schema.require(line, _LINE, source)
    candidates = tuple(map(_candidate_of, line['candidates']))
    pose = _pose_of(line['pose'])
    truth = _pose_of(line.get('truth'))
    recognition = Recognition(
        line['stamp_ns'],
        line.get('image_stamps_ns') or {},
        line['accepted'],
        line['reason'],
        candidates,
        line.get('margin'),
        line.get('probability'),
        _variances_of(line),
        line.get('state'),
        _measurement_of(line['measurement']) if line.get('measurement') else None,
        pose,
        chosen=_chosen_of(line, candidates),
        proof=line.get('proof'),
        metric=_metric_of(line['metric']) if line.get('metric') else None,
        texts=_texts_of(line['texts']) if 'texts' in line else None,
    )
    return recognition, truth


def _texts_of(values: Mapping[str, Any]) -> TextAgreement:
    return TextAgreement(tuple(values['read']), values['common'], values['contradiction'])


def _chosen_of(line: Mapping[str, Any], candidates: tuple[Candidate, ...]) -> Candidate | None:
    """Return the place of the estimate; its own pose is only known where it is a candidate."""
    place, turned, pose = line.get('place'), line.get('reversed'), _pose_of(line['pose'])
    if place is None or pose is None:
        return None
    for candidate in candidates:
        if (candidate.place, candidate.reversed) == (place, turned):
            return candidate
    return Candidate(place, line.get('similarity') or 0.0, turned, pose)


def _candidate_of(values: Mapping[str, Any]) -> Candidate:
    pose = _pose_of(values['pose'])
    assert pose is not None  # the schema requires it
    return Candidate(
        values['place'],
        values['similarity'],
        values['reversed'],
        pose,
        values.get('cosines') or {},
        values.get('probability'),
    )


def _measurement_of(values: Mapping[str, Any]) -> Measurement:
    return Measurement(
        values['accepted'],
        values['reason'],
        _pose_of(values['pose']),
        values.get('probability'),
        _variances_of(values),
    )


def _metric_of(values: Mapping[str, Any]) -> MetricPose:
    covariance, up = values.get('covariance'), values.get('up')
    return MetricPose(
        values['solved'],
        values['reason'],
        _pose_of(values.get('pose')),
        tuple(covariance) if covariance else None,
        values['inliers'],
        values['matches'],
        values['place'],
        values['reversed'],
        values.get('lead'),
        (up[0], up[1], up[2]) if up else None,
    )


def _pose_of(values: Mapping[str, Any] | None) -> Pose | None:
    if values is None:
        return None
    return Pose(**{name: float(values[name]) for name in Pose.__dataclass_fields__})


def _variances_of(values: Mapping[str, Any]) -> tuple[float, ...] | None:
    return tuple(values['covariance']) if values.get('covariance') else None
