"""The ROS messages of a simulated Husky: topics, frames and serialized bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from husky_placerec.campus.rig import CameraModel
from husky_placerec.data.messages import (
    compressed_image,
    header,
    IMAGE,
    ODOMETRY,
    odometry,
    quaternion,
    serialized,
    TYPES,
    vector,
)
from husky_placerec.types import Pose
import numpy as np

IMAGE_TOPICS = {
    'front': '/zed_node/left/image_rect_color/compressed',
    'back': '/realsense_back/color/image_raw/compressed',
}
INFO_TOPICS = {
    'front': '/zed_node/left/camera_info',
    'back': '/realsense_back/color/camera_info',
}
ODOMETRY_TOPIC = '/platform/odom'  # of the wheels, as on a Clearpath robot; it drifts
TRUTH_TOPIC = '/ground_truth/odom'
TF_TOPIC, STATIC_TF_TOPIC = '/tf', '/tf_static'
INFO, TF = 'sensor_msgs/msg/CameraInfo', 'tf2_msgs/msg/TFMessage'

# The type of each topic, as `package/msg/Name`.
TOPICS = {
    **dict.fromkeys(IMAGE_TOPICS.values(), IMAGE),
    **dict.fromkeys(INFO_TOPICS.values(), INFO),
    ODOMETRY_TOPIC: ODOMETRY,
    TRUTH_TOPIC: ODOMETRY,
    TF_TOPIC: TF,
    STATIC_TF_TOPIC: TF,
}

Sink = Callable[[str, int, bytes], None]  # takes topic, stamp in ns, CDR bytes


class Speaker:
    """
    Sends the sensor messages of the robot to a sink (a bag or DDS), in the order of the stamps.

    :param size: width and height of the images.
    """

    def __init__(self, sink: Sink, rig: tuple[CameraModel, ...], size: tuple[int, int]) -> None:
        self._sink = sink
        self._cameras = {camera.name: camera for camera in rig}
        self._size = size

    def tell_rig(self, stamp_ns: int) -> None:
        """Send the poses of the cameras on the robot as static TF."""
        transforms = [
            _transform(stamp_ns, 'base_link', camera.frame_id, camera.optical_pose())
            for camera in self._cameras.values()
        ]
        self._tell(STATIC_TF_TOPIC, stamp_ns, TYPES['TFMessage'](transforms))

    def tell_motion(self, stamp_ns: int, truth: Pose, wheels: Pose, speed_m_per_s: float) -> None:
        """Send the true pose (frame `map`), the wheel odometry (frame `odom`), and both as TF."""
        drifting = odometry(stamp_ns, 'odom', wheels, speed_m_per_s)
        self._tell(ODOMETRY_TOPIC, stamp_ns, drifting)
        self._tell(TRUTH_TOPIC, stamp_ns, odometry(stamp_ns, 'map', truth, speed_m_per_s))
        transforms = [
            _transform(stamp_ns, 'map', 'odom', truth @ wheels.inverse()),
            _transform(stamp_ns, 'odom', 'base_link', wheels),
        ]
        self._tell(TF_TOPIC, stamp_ns, TYPES['TFMessage'](transforms))

    def tell_image(self, camera: str, stamp_ns: int, jpeg: bytes) -> None:
        """Send an image and the intrinsics of its camera."""
        frame_id = self._cameras[camera].frame_id
        image = compressed_image(stamp_ns, frame_id, jpeg, 'jpeg')
        self._tell(IMAGE_TOPICS[camera], stamp_ns, image)
        info = _camera_info(image.header, self._cameras[camera], self._size)
        self._tell(INFO_TOPICS[camera], stamp_ns, info)

    def _tell(self, topic: str, stamp_ns: int, message: Any) -> None:
        self._sink(topic, stamp_ns, serialized(message, TOPICS[topic]))


def _transform(stamp_ns: int, parent: str, child: str, pose: Pose) -> Any:
    transform = TYPES['Transform'](vector(pose.x, pose.y, pose.z), quaternion(pose))
    return TYPES['TransformStamped'](header(stamp_ns, parent), child, transform)


def _camera_info(head: Any, camera: CameraModel, size: tuple[int, int]) -> Any:
    width, height = size
    fx, fy, cx, cy = camera.intrinsics(width, height)
    return TYPES['CameraInfo'](
        header=head,
        height=height,
        width=width,
        distortion_model='plumb_bob',
        d=np.zeros(5),
        k=np.array([fx, 0, cx, 0, fy, cy, 0, 0, 1], np.float64),
        r=np.eye(3).ravel(),
        p=np.array([fx, 0, cx, 0, 0, fy, cy, 0, 0, 0, 1, 0], np.float64),
        binning_x=0,
        binning_y=0,
        roi=TYPES['RegionOfInterest'](0, 0, 0, 0, False),
    )
