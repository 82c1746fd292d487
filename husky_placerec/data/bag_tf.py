"""The poses of base_link in the map frame, by the transforms of a bag."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from husky_placerec.data.bag_file import BagFile
from husky_placerec.data.frames import BASE_FRAME, is_base_frame
from husky_placerec.data.static_tf import STATIC_TF, TF_TYPE, transforms_of
from husky_placerec.data.trajectory import MAP_FRAME, Trajectory
from husky_placerec.errors import InputError
from husky_placerec.types import Floats, Pose, SECOND_NS
import numpy as np
from scipy.spatial.transform import Rotation

MAX_GAP_NS = 2 * SECOND_NS  # between two transforms that are interpolated

Link = tuple[str, str]  # the pose of the second frame in the first
Moving = Mapping[Link, tuple[list[int], list[list[float]]]]  # stamps in ns, and [7] poses


@dataclass(frozen=True)
class Step:
    """
    A step of the chain of transforms from the map frame to base_link.

    :param link: parent and child, as they were recorded.
    :param backwards: whether the chain leads from the child to the parent.
    """

    link: Link
    backwards: bool


def static_transforms(bag: BagFile) -> dict[Link, Pose]:
    """Return the static transforms of a bag, each in both directions."""
    topics = {
        name: name
        for name, kind in bag.topics.items()
        if kind == TF_TYPE and name.endswith(STATIC_TF)
    }
    found: dict[Link, Pose] = {}
    for message in bag.unstamped(topics) if topics else ():
        found |= transforms_of(message)
    return found


def tf_topics(bag: BagFile) -> list[str]:
    """Return the topics of TF that lead from a frame `map` to `base_link`."""
    topics = [
        name
        for name, kind in bag.topics.items()
        if kind == TF_TYPE and not name.endswith(STATIC_TF)
    ]
    fixed = static_transforms(bag) if topics else {}
    return [name for name in topics if _chain(_moving(bag, name), fixed)]


def read_tf(bag: BagFile, topic: str) -> Trajectory:
    """
    Read the poses of base_link in the map frame from the transforms on a topic.

    Each transform is interpolated, as tf2 does, to the stamps of the one that comes most often.
    There is no pose where a transform has a gap of over 2 s.

    :raises InputError: for no chain of transforms from `map` to `base_link`.
    """
    moving, fixed, source = _moving(bag, topic), static_transforms(bag), f'{bag.path} {topic}'
    chain = _chain(moving, fixed)
    if not chain:
        links = ', '.join(f'{parent} to {child}' for parent, child in moving) or 'none'
        raise InputError(
            f'{source}: expected transforms from {MAP_FRAME} to {BASE_FRAME}; there are: {links}'
        )
    tracks = {
        step.link: Trajectory.make(
            *moving[step.link],
            f'{source} {" to ".join(step.link)}',
            *step.link,
            problems=bag.problems,
        )
        for step in chain
        if step.link in moving
    }
    stamps = max((track.stamps_ns for track in tracks.values()), key=len)
    for track in tracks.values():
        if len(track.stamps_ns) > 1:  # a single transform holds for the whole drive
            stamps = stamps[track.covers(stamps, MAX_GAP_NS)]
    if not len(stamps):
        raise InputError(f'{source}: the transforms from map to base_link are never known at once')
    poses = np.tile(Pose.planar(0.0, 0.0, 0.0).as_array(), (len(stamps), 1))
    for step in chain:
        if step.link in tracks:
            poses = _composed(poses, _directed(tracks[step.link].at(stamps), step.backwards))
        else:
            poses = _composed(poses, fixed[step.link].as_array()[None])
    return Trajectory.make(stamps.tolist(), poses.tolist(), source, MAP_FRAME, BASE_FRAME)


def _moving(bag: BagFile, topic: str) -> dict[Link, tuple[list[int], list[list[float]]]]:
    """Return the transforms on a topic, by parent and child."""
    found: dict[Link, tuple[list[int], list[list[float]]]] = {}
    for message in bag.unstamped({topic: topic}):
        for each in message.transforms:
            link = each.header.frame_id.lstrip('/'), each.child_frame_id.lstrip('/')
            stamps, poses = found.setdefault(link, ([], []))
            t, q = each.transform.translation, each.transform.rotation
            stamp = each.header.stamp
            stamps.append(stamp.sec * SECOND_NS + stamp.nanosec)
            poses.append([t.x, t.y, t.z, q.x, q.y, q.z, q.w])
    return found


def _chain(moving: Moving, fixed: Mapping[Link, Pose]) -> list[Step]:
    """Return the steps from the map frame to base_link, some of which move; [] without them."""
    steps: dict[str, list[tuple[str, Step]]] = {}
    for parent, child in moving:
        steps.setdefault(parent, []).append((child, Step((parent, child), False)))
        steps.setdefault(child, []).append((parent, Step((parent, child), True)))
    for parent, child in fixed:
        steps.setdefault(parent, []).append((child, Step((parent, child), False)))
    for start in steps:
        if start.split('/')[-1] != MAP_FRAME:
            continue
        known: dict[str, list[Step]] = {start: []}
        reached = deque([start])
        while reached:
            here = reached.popleft()
            if is_base_frame(here) and any(step.link in moving for step in known[here]):
                return known[here]
            for frame, step in steps[here]:
                if frame not in known:
                    known[frame] = [*known[here], step]
                    reached.append(frame)
    return []


def _directed(poses: Floats, backwards: bool) -> Floats:
    """Return [N, 7] poses, or their inverses."""
    if not backwards:
        return poses
    turns = Rotation.from_quat(poses[:, 3:]).inv()
    return np.hstack([-turns.apply(poses[:, :3]), turns.as_quat()])


def _composed(first: Floats, second: Floats) -> Floats:
    """Return [N, 7] poses: the second, which are given in the frames of the first."""
    turns = Rotation.from_quat(first[:, 3:])
    positions = first[:, :3] + turns.apply(second[:, :3])
    return np.hstack([positions, (turns * Rotation.from_quat(second[:, 3:])).as_quat()])
