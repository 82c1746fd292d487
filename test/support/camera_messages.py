"""CameraInfo and static TF for the bags of tests."""

from __future__ import annotations

from husky_placerec.types import Pose, SECOND_NS
import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from scipy.spatial.transform import Rotation
from support.builders import header, START_NS, TYPES

MAKE = {name.split('/')[-1]: message for name, message in TYPES.types.items()}
TF = 'tf2_msgs/msg/TFMessage'
OPTICAL = Rotation.from_matrix([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])  # x ahead to z ahead


def camera_info(stamp_ns=START_NS, frame_id='eye', focal=683.0, size=(1280, 720), **changes):
    """Make a CameraInfo of a camera without distortion, as ROS counts pixels."""
    width, height = size
    cx, cy = width / 2 - 0.5, height / 2 - 0.5
    values = {
        'header': header(stamp_ns, frame_id),
        'height': height,
        'width': width,
        'distortion_model': 'plumb_bob',
        'd': np.zeros(5),
        'k': np.array([focal, 0, cx, 0, focal, cy, 0, 0, 1.0]),
        'r': np.eye(3).ravel(),
        'p': np.array([focal, 0, cx, 0, 0, focal, cy, 0, 0, 0, 1.0, 0]),
        'binning_x': 0,
        'binning_y': 0,
        'roi': roi(),
    }
    return MAKE['CameraInfo'](**{**values, **changes})


def roi(x=0, y=0, width=0, height=0):
    return MAKE['RegionOfInterest'](x, y, height, width, False)


def mounted(yaw_deg, roll_deg=0.0, xyz=(0.3, 0.0, 0.7)):
    """Return the mounting of a camera that is turned to the left, and rolled clockwise."""
    turn = Rotation.from_euler('ZX', [yaw_deg, roll_deg], degrees=True) * OPTICAL
    return Pose.from_array([*xyz, *turn.as_quat()])


def static_tf(*transforms):
    """Make the TFMessage of (parent, child, pose)."""
    return MAKE['TFMessage'](
        [
            MAKE['TransformStamped'](
                header(START_NS, parent),
                child,
                MAKE['Transform'](
                    MAKE['Vector3'](pose.x, pose.y, pose.z),
                    MAKE['Quaternion'](pose.qx, pose.qy, pose.qz, pose.qw),
                ),
            )
            for parent, child, pose in transforms
        ]
    )


def write_camera_bag(path, messages, *transforms):
    """Write a bag of (topic, message with a header), and static TF."""
    messages = [('/tf_static', static_tf(*transforms)), *messages] if transforms else messages
    kinds = {topic: message.__msgtype__ for topic, message in messages}
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connections = {n: writer.add_connection(n, k, typestore=TYPES) for n, k in kinds.items()}
        for topic, message in messages:
            stamp_ns = START_NS
            if hasattr(message, 'header'):
                stamp = message.header.stamp
                stamp_ns = stamp.sec * SECOND_NS + stamp.nanosec
            data = TYPES.serialize_cdr(message, kinds[topic])
            writer.write(connections[topic], stamp_ns, data)
    return path
