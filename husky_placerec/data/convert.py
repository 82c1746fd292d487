"""Conversion of a source to a track, a bag, or a format of other tools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
import heapq
from operator import itemgetter
from pathlib import Path

from husky_placerec.cameras.camera_info import info_topics, INFO_TYPE
from husky_placerec.cameras.known import cameras_of, KnownCamera
from husky_placerec.config import Config
from husky_placerec.data.bag_writer import BagWriter
from husky_placerec.data.camera_file import write_camera_file
from husky_placerec.data.encoding import encoded, form_of, JPEG, PNG
from husky_placerec.data.frames import BASE_FRAME
from husky_placerec.data.images import ImageMessage
from husky_placerec.data.messages import (
    camera_info,
    compressed_image,
    IMAGE,
    ODOMETRY,
    odometry,
    serialized,
    transforms,
)
from husky_placerec.data.odometry_table import write_odometry_table
from husky_placerec.data.problems import no_frames
from husky_placerec.data.source import config_of_source, require_clocks, Source
from husky_placerec.data.static_tf import TF_TYPE
from husky_placerec.data.track_writer import TrackWriter
from husky_placerec.data.trajectory import MAP_FRAME, poses_or_none, Trajectory
from husky_placerec.data.vpr import image_name
from husky_placerec.errors import InputError
from husky_placerec.files import lift, write_atomic
from husky_placerec.output_folder import output_folder
from husky_placerec.progress import Passing
from husky_placerec.types import Frame, Pose, tum_line
import numpy as np

POSE_TOPIC = '/ground_truth/odom'
STATIC_TF_TOPIC = '/tf_static'
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
    with output_folder(output) as work:
        track = TrackWriter(work, config.cameras)
        write_camera_file(work, cameras_of(config_of_source(source, config)[0]))
        for frame in progress(source.frames(config), source.frame_count(config)):
            if images := _files(source, frame, PNG, config.max_pixels):
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
    known = source.found_cameras(config).cameras
    streams = [
        _image_messages(source, config, topic, name, known.get(name, KnownCamera()))
        for topic, name in topics.items()
    ]
    kinds |= {
        info_topics(topic, config.camera_config(name).transport)[0]: INFO_TYPE
        for topic, name in topics.items()
        if known.get(name, KnownCamera()).intrinsics is not None
    }
    mountings = _mountings(known)
    kinds |= {STATIC_TF_TOPIC: TF_TYPE} if mountings else {}
    total = source.frame_count(config) * len(topics)
    if trajectory is not None:
        streams.append(_pose_messages(source, config, trajectory))
        total += len(trajectory.stamps_ns)
    if driven is not None:
        streams.append(_odometry_messages(driven, odometry_topic))
        total += len(driven.stamps_ns)
    count = 0
    with output_folder(output) as work:
        with BagWriter(work / output.name, kinds) as bag:
            first_ns = next((frame.stamp_ns for frame in source.frames(config)), 0)
            if mountings:
                data = serialized(transforms(first_ns, BASE_FRAME, mountings), TF_TYPE)
                bag.write(STATIC_TF_TOPIC, first_ns, data)
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
    with output_folder(output) as work:
        for camera in config.cameras:
            (work / camera).mkdir()
        for frame in progress(source.frames(config), source.frame_count(config)):
            pose = _pose_at(trajectory, frame.stamp_ns, max_gap_s)
            if pose is None:
                source.problems.note('frame without a pose, left out', str(frame.stamp_ns))
                continue
            files = _files(source, frame, JPEG, config.max_pixels)
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
    source: Source, frame: Frame[ImageMessage], form: bytes, max_pixels: int
) -> dict[str, tuple[int, bytes]]:
    """Return stamp and file of the images of a frame that decode."""
    files = {}
    for camera, image in frame.images.items():
        stamp_ns = frame.image_stamps_ns[camera]
        try:
            files[camera] = stamp_ns, encoded(image, form, max_pixels)
        except InputError as error:
            source.broken(camera, stamp_ns, error)
    return files


def _image_messages(
    source: Source, config: Config, topic: str, camera: str, known: KnownCamera
) -> Iterator[Timed]:
    frame_id = known.frame_id or f'{camera}_camera_optical_frame'
    transport = config.camera_config(camera).transport
    for frame in source.frames(config):
        alone: Mapping[str, ImageMessage] = {k: v for k, v in frame.images.items() if k == camera}
        only = Frame(frame.stamp_ns, alone, frame.image_stamps_ns)
        for stamp_ns, data in _files(source, only, b'', config.max_pixels).values():
            message = compressed_image(stamp_ns, frame_id, data, form_of(data))
            yield stamp_ns, topic, serialized(message, IMAGE)
            if known.intrinsics is not None:
                info = camera_info(stamp_ns, frame_id, known.intrinsics)
                yield stamp_ns, info_topics(topic, transport)[0], serialized(info, INFO_TYPE)


def _mountings(known: Mapping[str, KnownCamera]) -> dict[str, Pose]:
    """Return the pose of each optical frame whose camera's mounting is known."""
    return {
        camera.frame_id or f'{name}_camera_optical_frame': camera.mounting
        for name, camera in known.items()
        if camera.mounting is not None
    }


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
