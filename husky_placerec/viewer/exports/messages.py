"""Markers and diagnostics of a decision, as messages that are made without ROS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from husky_placerec.data.messages import header, quaternion, TYPES, vector
from husky_placerec.types import Pose, Recognition
from husky_placerec.viewer.places import ShownPlaces
import numpy as np

MARKERS = 'visualization_msgs/msg/MarkerArray'
ARROW, LINE, DOTS, TEXT = 0, 4, 8, 9  # values of visualization_msgs/Marker.type
DELETE_ALL = 3
GREEN, RED, BLUE = (0.0, 0.62, 0.45), (0.84, 0.37, 0.0), (0.0, 0.45, 0.7)
PINK, ORANGE, GREY = (0.8, 0.47, 0.65), (0.9, 0.62, 0.0), (0.6, 0.6, 0.6)
NOWHERE = Pose(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)


def pose_of(pose: Pose) -> Any:
    """Make a Pose."""
    return TYPES['Pose'](TYPES['Point'](pose.x, pose.y, pose.z), quaternion(pose))


def markers(said: Recognition, truth: Pose | None, stamp_ns: int, frame_id: str) -> Any:
    """Make the markers of a decision; the first one deletes those of the one before."""
    at = stamp_ns, frame_id
    drawn = [_marker(*at, '', 0, ARROW, NOWHERE, (1.0, 1.0, 1.0), GREY, action=DELETE_ALL)]
    arrow = 3.0, 0.5, 0.5  # m: length, width, height
    for rank, candidate in enumerate(said.candidates):
        opaque = 1.0 - 0.8 * rank / len(said.candidates)
        drawn.append(
            _marker(*at, 'candidates', rank, ARROW, candidate.pose, arrow, ORANGE, opaque=opaque)
        )
    if truth is not None:
        drawn.append(_marker(*at, 'true', 0, ARROW, truth, arrow, BLUE))
    if said.pose is None:
        return TYPES['MarkerArray'](drawn)
    drawn.append(_marker(*at, 'recognised', 0, ARROW, said.pose, arrow, PINK))
    if truth is not None:
        ends = [(truth.x, truth.y, truth.z), (said.pose.x, said.pose.y, said.pose.z)]
        thin = 0.3, 0.0, 0.0
        drawn.append(_marker(*at, 'error', 0, LINE, NOWHERE, thin, PINK, points=ends))
    above = Pose(said.pose.x, said.pose.y, said.pose.z + 3.0, 0.0, 0.0, 0.0, 1.0)
    colour = GREEN if said.accepted else RED
    text = _words(said)
    drawn.append(_marker(*at, 'decision', 0, TEXT, above, (0.0, 0.0, 1.5), colour, text=text))
    return TYPES['MarkerArray'](drawn)


def place_markers(places: ShownPlaces, stamp_ns: int) -> Any:
    """Make one marker of all places."""
    known = places.poses[np.isfinite(places.poses[:, 0]), :3].tolist()
    size = 0.5, 0.5, 0.0
    dots = _marker(stamp_ns, places.frame_id, 'places', 0, DOTS, NOWHERE, size, GREY, points=known)
    return TYPES['MarkerArray']([dots])


def diagnostics(said: Recognition, truth: Pose | None) -> Any:
    """Make the diagnostics of a decision: its level is OK where the pose was accepted."""
    values = {
        'state': said.state,
        'probability': said.probability,
        'proof': said.proof,
        'margin': said.margin,
        'similarity': said.best.similarity if said.best else None,
        'place': said.chosen.place if said.chosen else None,
        'distance to the truth (m)': said.pose.distance_m(truth) if said.pose and truth else None,
    }
    pairs = [TYPES['KeyValue'](name, str(v)) for name, v in values.items() if v is not None]
    level = 0 if said.accepted else 1  # OK, WARN
    message = 'accepted' if said.accepted else f'refused: {said.reason}'
    status = TYPES['DiagnosticStatus'](level, 'placerec: recognition', message, 'placerec', pairs)
    return TYPES['DiagnosticArray'](header(said.stamp_ns, ''), [status])


def _words(said: Recognition) -> str:
    words = [said.state or '', said.reason or 'recognised']
    if said.probability is not None:
        words.append(f'{said.probability:.2f}')
    return ' '.join(filter(None, words))


def _marker(
    stamp_ns: int,
    frame_id: str,
    namespace: str,
    number: int,
    kind: int,
    pose: Pose,
    scale: tuple[float, float, float],
    colour: tuple[float, float, float],
    *,
    opaque: float = 1.0,
    action: int = 0,
    text: str = '',
    points: Sequence[Sequence[float]] = (),
) -> Any:
    nothing = np.zeros(0, np.uint8)
    return TYPES['Marker'](
        header=header(stamp_ns, frame_id),
        ns=namespace,
        id=number,
        type=kind,
        action=action,
        pose=pose_of(pose),
        scale=vector(*scale),
        color=TYPES['ColorRGBA'](*colour, opaque),
        lifetime=TYPES['Duration'](0, 0),
        frame_locked=False,
        points=[TYPES['Point'](*map(float, point)) for point in points],
        colors=[],
        texture_resource='',
        texture=TYPES['CompressedImage'](header(0, ''), '', nothing),
        uv_coordinates=[],
        text=text,
        mesh_resource='',
        mesh_file=TYPES['MeshFile']('', nothing),
        mesh_use_embedded_materials=False,
    )
