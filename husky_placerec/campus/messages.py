"""The ROS messages of a simulated Husky: topics, frames and serialized bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from husky_placerec.campus.rig import BACK, CameraModel, FRONT
from husky_placerec.data.messages import (
    camera_info,
    compressed_image,
    IMAGE,
    ODOMETRY,
    odometry,
    serialized,
    transforms,
    TYPES,
)
from husky_placerec.types import Pose

COMPRESSED = '/compressed'  # after the name of the pictures
IMAGE_TOPICS = {camera.name: camera.topic + COMPRESSED for camera in (FRONT, BACK)}
INFO_TOPICS = {
    'front': '/zed_node/left/camera_info',
    'back': '/realsense_back/color/camera_info',
}
ODOMETRY_TOPIC = '/platform/odom'  # of the wheels, as on a Clearpath robot; it drifts
TRUTH_TOPIC = '/ground_truth/odom'
TF_TOPIC, STATIC_TF_TOPIC = '/tf', '/tf_static'
INFO, TF = 'sensor_msgs/msg/CameraInfo', 'tf2_msgs/msg/TFMessage'

MOTION_TOPICS = {
    ODOMETRY_TOPIC: ODOMETRY,
    TRUTH_TOPIC: ODOMETRY,
    TF_TOPIC: TF,
    STATIC_TF_TOPIC: TF,
}


def topics_of(rig: tuple[CameraModel, ...]) -> dict[str, str]:
    """Return the type of each topic of a robot, as `package/msg/Name`."""
    images = {camera.topic + COMPRESSED: IMAGE for camera in rig}
    infos = {info_topic(camera): INFO for camera in rig}
    return {**images, **infos, **MOTION_TOPICS}


def info_topic(camera: CameraModel) -> str:
    """Return the topic of the CameraInfo of a camera: beside its pictures."""
    return camera.topic.rpartition('/')[0] + '/camera_info'


Sink = Callable[[str, int, bytes], None]  # takes topic, stamp in ns, CDR bytes


class Speaker:
    """
    Sends the sensor messages of the robot to a sink (a bag or DDS), in the order of the stamps.

    :param size: width and height of the images.
    """

    def __init__(self, sink: Sink, rig: tuple[CameraModel, ...], size: tuple[int, int]) -> None:
        self._sink = sink
        self._cameras = {camera.name: camera for camera in rig}
        self._types = topics_of(rig)
        self._size = size

    def tell_rig(self, stamp_ns: int) -> None:
        """Send the poses of the cameras on the robot as static TF."""
        poses = {camera.frame_id: camera.optical_pose() for camera in self._cameras.values()}
        self._tell(STATIC_TF_TOPIC, stamp_ns, transforms(stamp_ns, 'base_link', poses))

    def tell_motion(self, stamp_ns: int, truth: Pose, wheels: Pose, speed_m_per_s: float) -> None:
        """Send the true pose (frame `map`), the wheel odometry (frame `odom`), and both as TF."""
        drifting = odometry(stamp_ns, 'odom', wheels, speed_m_per_s)
        self._tell(ODOMETRY_TOPIC, stamp_ns, drifting)
        self._tell(TRUTH_TOPIC, stamp_ns, odometry(stamp_ns, 'map', truth, speed_m_per_s))
        moving = transforms(stamp_ns, 'map', {'odom': truth @ wheels.inverse()}).transforms
        moving += transforms(stamp_ns, 'odom', {'base_link': wheels}).transforms
        self._tell(TF_TOPIC, stamp_ns, TYPES['TFMessage'](moving))

    def tell_image(self, camera: str, stamp_ns: int, jpeg: bytes) -> None:
        """Send an image and the intrinsics of its camera."""
        frame_id = self._cameras[camera].frame_id
        image = compressed_image(stamp_ns, frame_id, jpeg, 'jpeg')
        model = self._cameras[camera]
        self._tell(model.topic + COMPRESSED, stamp_ns, image)
        info = camera_info(stamp_ns, frame_id, model.lens(*self._size))
        self._tell(info_topic(model), stamp_ns, info)

    def _tell(self, topic: str, stamp_ns: int, message: Any) -> None:
        self._sink(topic, stamp_ns, serialized(message, self._types[topic]))
