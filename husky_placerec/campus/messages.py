"""What a Husky says while it drives, as ROS messages: topics, frames, and their bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from husky_placerec.campus.rig import CameraModel
from husky_placerec.types import Pose, SECOND_NS
import numpy as np
from rosbags.typesys import get_typestore, Stores

IMAGE_TOPICS = {
    'front': '/zed_node/left/image_rect_color/compressed',
    'back': '/realsense_back/color/image_raw/compressed',
}
INFO_TOPICS = {
    'front': '/zed_node/left/camera_info',
    'back': '/realsense_back/color/camera_info',
}
ODOMETRY_TOPIC = '/platform/odom'  # Clearpath's: wheels, drifts
TRUTH_TOPIC = '/ground_truth/odom'
TF_TOPIC, STATIC_TF_TOPIC = '/tf', '/tf_static'
IMAGE, INFO = 'sensor_msgs/msg/CompressedImage', 'sensor_msgs/msg/CameraInfo'
ODOMETRY, TF = 'nav_msgs/msg/Odometry', 'tf2_msgs/msg/TFMessage'

# The type of each topic, as `package/msg/Name`.
TOPICS = {
    **dict.fromkeys(IMAGE_TOPICS.values(), IMAGE),
    **dict.fromkeys(INFO_TOPICS.values(), INFO),
    ODOMETRY_TOPIC: ODOMETRY,
    TRUTH_TOPIC: ODOMETRY,
    TF_TOPIC: TF,
    STATIC_TF_TOPIC: TF,
}

STORE = get_typestore(Stores.ROS2_JAZZY)
_TYPES = {name.split('/')[-1]: message for name, message in STORE.types.items()}

Sink = Callable[[str, int, bytes], None]  # takes topic, stamp in ns, CDR bytes


class Speaker:
    """
    Tells a sink, a bag or DDS, what the robot senses; call it in the order of the stamps.

    :param size: of the images, width and height.
    """

    def __init__(self, sink: Sink, rig: tuple[CameraModel, ...], size: tuple[int, int]) -> None:
        self._sink = sink
        self._cameras = {camera.name: camera for camera in rig}
        self._size = size

    def tell_rig(self, stamp_ns: int) -> None:
        """Tell where the cameras are on the robot."""
        transforms = [
            _transform(stamp_ns, 'base_link', camera.frame_id, camera.optical_pose())
            for camera in self._cameras.values()
        ]
        self._tell(STATIC_TF_TOPIC, stamp_ns, _TYPES['TFMessage'](transforms))

    def tell_motion(self, stamp_ns: int, truth: Pose, wheels: Pose, speed_m_per_s: float) -> None:
        """Tell the true pose in the map frame, the wheels' in the odom frame, and both as TF."""
        odometry = _odometry(stamp_ns, 'odom', wheels, speed_m_per_s)
        self._tell(ODOMETRY_TOPIC, stamp_ns, odometry)
        self._tell(TRUTH_TOPIC, stamp_ns, _odometry(stamp_ns, 'map', truth, speed_m_per_s))
        transforms = [
            _transform(stamp_ns, 'map', 'odom', truth @ wheels.inverse()),
            _transform(stamp_ns, 'odom', 'base_link', wheels),
        ]
        self._tell(TF_TOPIC, stamp_ns, _TYPES['TFMessage'](transforms))

    def tell_image(self, camera: str, stamp_ns: int, jpeg: bytes) -> None:
        """Tell an image and the camera's intrinsics."""
        header = _header(stamp_ns, self._cameras[camera].frame_id)
        image = _TYPES['CompressedImage'](header, 'jpeg', np.frombuffer(jpeg, np.uint8))
        self._tell(IMAGE_TOPICS[camera], stamp_ns, image)
        info = _camera_info(header, self._cameras[camera], self._size)
        self._tell(INFO_TOPICS[camera], stamp_ns, info)

    def _tell(self, topic: str, stamp_ns: int, message: Any) -> None:
        self._sink(topic, stamp_ns, bytes(STORE.serialize_cdr(message, TOPICS[topic])))


def _header(stamp_ns: int, frame_id: str) -> Any:
    return _TYPES['Header'](_TYPES['Time'](*divmod(stamp_ns, SECOND_NS)), frame_id)


def _vector(x: float, y: float, z: float) -> Any:
    return _TYPES['Vector3'](x, y, z)


def _quaternion(pose: Pose) -> Any:
    return _TYPES['Quaternion'](pose.qx, pose.qy, pose.qz, pose.qw)


def _transform(stamp_ns: int, parent: str, child: str, pose: Pose) -> Any:
    transform = _TYPES['Transform'](_vector(pose.x, pose.y, pose.z), _quaternion(pose))
    return _TYPES['TransformStamped'](_header(stamp_ns, parent), child, transform)


def _odometry(stamp_ns: int, frame_id: str, pose: Pose, speed_m_per_s: float) -> Any:
    place = _TYPES['Pose'](_TYPES['Point'](pose.x, pose.y, pose.z), _quaternion(pose))
    twist = _TYPES['Twist'](_vector(speed_m_per_s, 0.0, 0.0), _vector(0.0, 0.0, 0.0))
    return _TYPES['Odometry'](
        _header(stamp_ns, frame_id),
        'base_link',
        _TYPES['PoseWithCovariance'](place, np.zeros(36)),
        _TYPES['TwistWithCovariance'](twist, np.zeros(36)),
    )


def _camera_info(header: Any, camera: CameraModel, size: tuple[int, int]) -> Any:
    width, height = size
    fx, fy, cx, cy = camera.intrinsics(width, height)
    return _TYPES['CameraInfo'](
        header=header,
        height=height,
        width=width,
        distortion_model='plumb_bob',
        d=np.zeros(5),
        k=np.array([fx, 0, cx, 0, fy, cy, 0, 0, 1], np.float64),
        r=np.eye(3).ravel(),
        p=np.array([fx, 0, cx, 0, 0, fy, cy, 0, 0, 0, 1, 0], np.float64),
        binning_x=0,
        binning_y=0,
        roi=_TYPES['RegionOfInterest'](0, 0, 0, 0, False),
    )
