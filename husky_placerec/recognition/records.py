"""Recognitions as lines of JSON: what the node logs and a replay writes, and others read."""

from __future__ import annotations

from typing import Any

from husky_placerec.types import Candidate, Pose, Recognition


def record(recognition: Recognition, truth: Pose | None = None) -> dict[str, Any]:
    """Return the keys of one line; `truth` is where the frame really was, if that is known."""
    best, pose = recognition.best, recognition.pose
    line = {
        'stamp_ns': recognition.stamp_ns,
        'cameras': list(recognition.image_stamps_ns),
        'image_stamps_ns': dict(recognition.image_stamps_ns),
        'accepted': recognition.accepted,
        'reason': recognition.reason,
        'probability': recognition.probability,
        'reversed': best.reversed if best else None,
        'place': best.place if best else None,
        'similarity': best.similarity if best else None,
        'margin': recognition.margin,
        'pose': dict(vars(pose)) if pose else None,
        'covariance': list(recognition.covariance) if recognition.covariance else None,
        'state': recognition.state,
        'candidates': [_candidate(candidate) for candidate in recognition.candidates],
    }
    if truth is not None:
        line['truth'] = dict(vars(truth))
        line['error_m'] = pose.distance_m(truth) if pose else None
        line['error_deg'] = pose.angle_deg(truth) if pose else None
    return line


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        'place': candidate.place,
        'similarity': candidate.similarity,
        'cosines': dict(candidate.cosines),
        'reversed': candidate.reversed,
        'pose': dict(vars(candidate.pose)),
    }
