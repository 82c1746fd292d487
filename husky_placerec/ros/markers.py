"""Markers for rviz and Foxglove: an arrow for each candidate, and the decision as text."""

from __future__ import annotations

from geometry_msgs.msg import Vector3
from husky_placerec.ros.conversions import to_pose
from husky_placerec.types import Recognition
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

ARROW = Vector3(x=2.0, y=0.3, z=0.3)  # m: length, width, height
TEXT_M = 1.0
GREEN, RED = ColorRGBA(r=0.1, g=0.8, b=0.2, a=1.0), ColorRGBA(r=0.9, g=0.2, b=0.1, a=1.0)


def markers(recognition: Recognition, header: Header) -> MarkerArray:
    """Return the markers of a recognition; the first one deletes those of the one before."""
    drawn = [Marker(header=header, action=Marker.DELETEALL)]
    count = len(recognition.candidates)
    for rank, candidate in enumerate(recognition.candidates):
        arrow = Marker(header=header, ns='candidates', id=rank, type=Marker.ARROW, scale=ARROW)
        arrow.pose = to_pose(candidate.pose)
        arrow.color = ColorRGBA(r=0.2, g=0.4, b=1.0, a=1.0 - rank / count)
        drawn.append(arrow)
    if (pose := recognition.pose) is not None:
        text = Marker(header=header, ns='decision', type=Marker.TEXT_VIEW_FACING)
        text.pose = to_pose(pose)
        text.pose.position.z += 2 * TEXT_M
        text.scale.z = TEXT_M
        text.color = GREEN if recognition.accepted else RED
        text.text = _words(recognition)
        drawn.append(text)
    return MarkerArray(markers=drawn)


def _words(recognition: Recognition) -> str:
    words = [recognition.state or '', recognition.reason or 'recognised']
    if recognition.probability is not None:
        words.append(f'{recognition.probability:.2f}')
    return ' '.join(word for word in words if word)
