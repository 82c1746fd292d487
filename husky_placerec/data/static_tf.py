"""The poses of the parts of a robot, by the static transforms of a bag."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from husky_placerec.cameras.mounting import is_rigid, TransformTree
from husky_placerec.types import Pose

TF_TYPE = 'tf2_msgs/msg/TFMessage'
STATIC_TF = 'tf_static'  # under any namespace

Transforms = Mapping[tuple[str, str], Pose]  # pose of the second frame in the first


def transforms_of(message: Any) -> dict[tuple[str, str], Pose]:
    """Return the sound transforms of a TFMessage, each in both directions."""
    found = {}
    for stamped in message.transforms:
        pose = _pose_of(stamped)
        parent, child = stamped.header.frame_id.lstrip('/'), stamped.child_frame_id.lstrip('/')
        if is_rigid(pose):
            found[parent, child], found[child, parent] = pose, pose.inverse()
    return found


def add_transforms(tree: TransformTree, message: Any) -> None:
    """Add the transforms of a TFMessage to a tree."""
    for stamped in message.transforms:
        tree.add(stamped.header.frame_id, stamped.child_frame_id, _pose_of(stamped))


def _pose_of(stamped: Any) -> Pose:
    t, q = stamped.transform.translation, stamped.transform.rotation
    return Pose(t.x, t.y, t.z, q.x, q.y, q.z, q.w)


def pose_in(transforms: Transforms, frame: str, of: str) -> Pose | None:
    """Return the pose of the frame `of` in `frame` over any number of transforms, or None."""
    known = {frame: Pose.planar(0.0, 0.0, 0.0)}
    reached = deque([frame])
    while reached and of not in known:
        here = reached.popleft()
        for (parent, child), pose in transforms.items():
            if parent == here and child not in known:
                known[child] = known[here] @ pose
                reached.append(child)
    return known.get(of)
