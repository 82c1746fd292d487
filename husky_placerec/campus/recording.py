"""Writes a drive as a rosbag2 folder, as the robot would have recorded it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from husky_placerec.campus.drives import (
    DriveConfig,
    frame_distances,
    SPEED_M_PER_S,
    TimedPose,
    Track,
)
from husky_placerec.campus.photographer import jpegs
from husky_placerec.campus.world import Campus
from husky_placerec.files import new_folder, refuse_existing
from husky_placerec.types import SECOND_NS
import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import get_typestore, Stores

IMAGE_TOPICS = {
    'front': '/zed_node/left/image_rect_color/compressed',
    'back': '/realsense_back/color/image_raw/compressed',
}
ODOMETRY_TOPIC = '/odometry/global'
_FRAME_IDS = {
    'front': 'zed_left_camera_optical_frame',
    'back': 'realsense_back_color_optical_frame',
}
_DELAY_NS = {'front': 0, 'back': 4_000_000}  # no two cameras shutter together
_IMAGE, _ODOMETRY = 'sensor_msgs/msg/CompressedImage', 'nav_msgs/msg/Odometry'

_TYPES = get_typestore(Stores.ROS2_JAZZY)


def write_drive(
    path: Path,
    config: DriveConfig,
    *,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """
    Record a drive: both cameras and the true poses.

    :param path: the bag folder to make.
    :param workers: processes that render; with 1, this one does.
    :param progress: called with the frames done and all frames.
    :raises InputError: when the output exists or the config is not one that can be driven.
    """
    refuse_existing(path, overwrite=False)
    config.check()
    track, distances = Track(Campus(config.seed), config), frame_distances(config)
    with new_folder(path) as work:
        # The writer wants to make its folder itself, and names the files in it after it.
        folder = work / path.name
        with Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
            bag = _Bag(writer)
            bag.add_pose(track.after(-config.step_m / 2))
            pictures = jpegs(config, len(distances), workers)
            for done, (distance, images) in enumerate(zip(distances, pictures, strict=True), 1):
                frame = track.after(distance)
                bag.add_pose(frame)
                for camera, data in images.items():
                    bag.add_image(camera, frame.stamp_ns + _DELAY_NS[camera], data)
                bag.add_pose(track.after(distance + config.step_m / 2))
                if progress is not None:
                    progress(done, len(distances))
        for file in folder.iterdir():
            file.rename(work / file.name)
        folder.rmdir()


class _Bag:
    """An open bag with the three topics."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        kinds = {**dict.fromkeys(IMAGE_TOPICS.values(), _IMAGE), ODOMETRY_TOPIC: _ODOMETRY}
        self._connections = {
            topic: writer.add_connection(topic, kind, typestore=_TYPES)
            for topic, kind in kinds.items()
        }

    def add_image(self, camera: str, stamp_ns: int, jpeg: bytes) -> None:
        message = _TYPES.types[_IMAGE](
            header=_header(stamp_ns, _FRAME_IDS[camera]),
            format='jpeg',
            data=np.frombuffer(jpeg, np.uint8),
        )
        self._write(IMAGE_TOPICS[camera], stamp_ns, message)

    def add_pose(self, timed: TimedPose) -> None:
        self._write(ODOMETRY_TOPIC, timed.stamp_ns, _odometry(timed))

    def _write(self, topic: str, stamp_ns: int, message: Any) -> None:
        connection = self._connections[topic]
        data = _TYPES.serialize_cdr(message, connection.msgtype)
        self._writer.write(connection, stamp_ns, data)


def _odometry(timed: TimedPose) -> Any:
    pose = timed.pose
    types = _TYPES.types
    position = types['geometry_msgs/msg/Point'](pose.x, pose.y, pose.z)
    orientation = types['geometry_msgs/msg/Quaternion'](pose.qx, pose.qy, pose.qz, pose.qw)
    vector = types['geometry_msgs/msg/Vector3']
    ahead, still = vector(SPEED_M_PER_S, 0.0, 0.0), vector(0.0, 0.0, 0.0)
    return types[_ODOMETRY](
        header=_header(timed.stamp_ns, 'map'),
        child_frame_id='base_link',
        pose=types['geometry_msgs/msg/PoseWithCovariance'](
            types['geometry_msgs/msg/Pose'](position, orientation), np.zeros(36)
        ),
        twist=types['geometry_msgs/msg/TwistWithCovariance'](
            types['geometry_msgs/msg/Twist'](ahead, still),
            np.zeros(36),
        ),
    )


def _header(stamp_ns: int, frame_id: str) -> Any:
    seconds, nanoseconds = divmod(stamp_ns, SECOND_NS)
    time = _TYPES.types['builtin_interfaces/msg/Time'](seconds, nanoseconds)
    return _TYPES.types['std_msgs/msg/Header'](time, frame_id)
