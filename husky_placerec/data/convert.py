"""Conversion of a source to a track, a bag, or a format of other tools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
import heapq
from operator import itemgetter
from pathlib import Path

from husky_placerec.config import Config
from husky_placerec.data.bag_writer import BagWriter
from husky_placerec.data.encoding import encoded, form_of, JPEG, PNG
from husky_placerec.data.images import ImageMessage
from husky_placerec.data.messages import compressed_image, IMAGE, ODOMETRY, odometry, serialized
from husky_placerec.data.odometry_table import write_odometry_table
from husky_placerec.data.problems import no_frames
from husky_placerec.data.source import require_clocks, Source
from husky_placerec.data.track_writer import TrackWriter
from husky_placerec.data.trajectory import MAP_FRAME, poses_or_none, Trajectory
from husky_placerec.data.vpr import image_name
from husky_placerec.errors import InputError
from husky_placerec.files import lift, new_folder, write_atomic
from husky_placerec.progress import Passing
from husky_placerec.types import Frame, Pose, tum_line
import numpy as np

POSE_TOPIC = '/ground_truth/odom'
ODOMETRY_TOPIC = 'platform/odom'  # where the parameter odometry_topic names none

Timed = tuple[int, str, bytes]  # stamp in ns, topic, CDR bytes


def to_track(
    source: Source,
    output: Path,
    config: Config,
    trajectory: Trajectory | None,
    max_gap_s: float,
    progress: Passing,
) -> int:
    """
    Write a track folder and return its number of frames.

    PNG images are copied, others are decoded and written as PNG, so that no pixel changes. A frame
    that the poses do not cover has no pose. The odometry has a table of its own.
    """
    count = 0
    with new_folder(output) as work:
        track = TrackWriter(work, config.cameras)
        for frame in progress(source.frames(config), source.frame_count(config)):
            if images := _files(source, frame, PNG):
                pose = _pose_at(trajectory, frame.stamp_ns, max_gap_s)
                track.add(frame.stamp_ns, pose, images)
                count += 1
        require_clocks(source)
        if not count:
            raise no_frames(source.path, source.problems)
        odometry = source.odometry(config.odometry_topic)
        if odometry is not None:
            write_odometry_table(odometry, work)
        track.close()
    return count


def to_bag(
    source: Source,
    output: Path,
    config: Config,
    trajectory: Trajectory | None,
    progress: Passing,
) -> int:
    """
    Write a bag (mcap) and return its number of images.

    Images are copied to the topics of their cameras, with their own stamps. Poses become Odometry
    in the map frame, at their own stamps and at the stamps of the first images of frames, which
    are the stamps of frames in a bag. The odometry has a topic of its own.
    """
    topics = {'/' + config.camera_config(name).topic.lstrip('/'): name for name in config.cameras}
    odometry_topic = '/' + (config.odometry_topic.lstrip('/') or ODOMETRY_TOPIC)
    driven = source.odometry(config.odometry_topic)
    kinds = dict.fromkeys(topics, IMAGE)
    kinds |= {POSE_TOPIC: ODOMETRY} if trajectory else {}
    kinds |= {odometry_topic: ODOMETRY} if driven else {}
    streams = [_image_messages(source, config, topic, name) for topic, name in topics.items()]
    total = source.frame_count(config) * len(topics)
    if trajectory is not None:
        streams.append(_pose_messages(source, config, trajectory))
        total += len(trajectory.stamps_ns)
    if driven is not None:
        streams.append(_odometry_messages(driven, odometry_topic))
        total += len(driven.stamps_ns)
    count = 0
    with new_folder(output) as work:
        with BagWriter(work / output.name, kinds) as bag:
            # The streams are merged lazily: one image per camera is in memory.
            for stamp_ns, topic, data in progress(heapq.merge(*streams, key=itemgetter(0)), total):
                bag.write(topic, stamp_ns, data)
                count += topic in topics
        require_clocks(source)
        if not count:
            raise no_frames(source.path, source.problems)
        lift(work / output.name)  # the writer of the bag makes its own folder
    return count


def to_vpr(
    source: Source,
    output: Path,
    config: Config,
    trajectory: Trajectory,
    max_gap_s: float,
    progress: Passing,
) -> int:
    """
    Write a folder per camera for VPR-methods-evaluation, and return the number of frames.

    A frame that the poses do not cover is left out and noted.

    :raises InputError: for an output with '@' in its path, where those tools split paths.
    """
    if '@' in str(output):
        raise InputError(f'{output}: has an @, at which the readers of this format split paths')
    count = 0
    with new_folder(output) as work:
        for camera in config.cameras:
            (work / camera).mkdir()
        for frame in progress(source.frames(config), source.frame_count(config)):
            pose = _pose_at(trajectory, frame.stamp_ns, max_gap_s)
            if pose is None:
                source.problems.note('frame without a pose, left out', str(frame.stamp_ns))
                continue
            files = _files(source, frame, JPEG)
            for camera, (stamp_ns, data) in files.items():
                name = image_name(pose, stamp_ns, trajectory.origin)
                (work / camera / name).write_bytes(data)
            count += bool(files)
        require_clocks(source)
        if not count:
            raise no_frames(source.path, source.problems)
    return count


def to_tum(trajectory: Trajectory, output: Path) -> int:
    """Write all poses as a TUM file for evo, and return their number."""
    lines = [
        tum_line(int(stamp_ns), Pose.from_array(values))
        for stamp_ns, values in zip(trajectory.stamps_ns, trajectory.poses)
    ]
    write_atomic(output, ''.join(lines).encode())
    return len(lines)


def widest_frame_ns(source: Source, config: Config) -> int:
    """Return the largest distance between the stamps of the images of a frame."""
    stamps = (frame.image_stamps_ns.values() for frame in source.frames(config))
    return max((max(each) - min(each) for each in stamps), default=0)


def _files(
    source: Source, frame: Frame[ImageMessage], form: bytes
) -> dict[str, tuple[int, bytes]]:
    """Return stamp and file of the images of a frame that decode."""
    files = {}
    for camera, image in frame.images.items():
        stamp_ns = frame.image_stamps_ns[camera]
        try:
            files[camera] = stamp_ns, encoded(image, form)
        except InputError as error:
            source.broken(camera, stamp_ns, error)
    return files


def _image_messages(source: Source, config: Config, topic: str, camera: str) -> Iterator[Timed]:
    for frame in source.frames(config):
        alone: Mapping[str, ImageMessage] = {k: v for k, v in frame.images.items() if k == camera}
        only = Frame(frame.stamp_ns, alone, frame.image_stamps_ns)
        for stamp_ns, data in _files(source, only, b'').values():
            frame_id = f'{camera}_camera_optical_frame'
            message = compressed_image(stamp_ns, frame_id, data, form_of(data))
            yield stamp_ns, topic, serialized(message, IMAGE)


def _pose_messages(source: Source, config: Config, trajectory: Trajectory) -> Iterator[Timed]:
    known = dict(zip(trajectory.stamps_ns.tolist(), trajectory.poses))
    firsts = {}
    for frame in source.frames(config):
        first_ns = next(iter(frame.image_stamps_ns.values()))
        if frame.stamp_ns in known:
            firsts[first_ns] = known[frame.stamp_ns]
    for stamp_ns, values in sorted({**firsts, **known}.items(), key=itemgetter(0)):
        message = odometry(stamp_ns, trajectory.frame_id or MAP_FRAME, Pose.from_array(values))
        yield stamp_ns, POSE_TOPIC, serialized(message, ODOMETRY)


def _odometry_messages(recorded: Trajectory, topic: str) -> Iterator[Timed]:
    for stamp_ns, values in zip(recorded.stamps_ns.tolist(), recorded.poses):
        message = odometry(stamp_ns, recorded.frame_id, Pose.from_array(values))
        yield stamp_ns, topic, serialized(message, ODOMETRY)


def _pose_at(trajectory: Trajectory | None, stamp_ns: int, max_gap_s: float) -> Pose | None:
    if trajectory is None:
        return None
    (pose,) = poses_or_none(trajectory, np.array([stamp_ns], np.int64), max_gap_s)
    return pose
