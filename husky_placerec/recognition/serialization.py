"""Recognitions as JSON: the lines of `recognitions.jsonl`, an interface that others read."""

from __future__ import annotations

from typing import Any

from husky_placerec.types import Candidate, Measurement, Pose, Recognition


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
        'candidates': [_candidate(candidate) for candidate in recognition.candidates],
    }
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


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        'place': candidate.place,
        'similarity': candidate.similarity,
        'cosines': dict(candidate.cosines),
        'reversed': candidate.reversed,
        'pose': dict(vars(candidate.pose)),
    }
