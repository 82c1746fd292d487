"""The direction of gravity that an IMU's message tells."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

NEEDS = 'rclpy', 'sensor_msgs'


def message(turn=None, felt=(0.0, 0.0, 9.81)):
    from geometry_msgs.msg import Quaternion, Vector3
    from sensor_msgs.msg import Imu

    made = Imu(linear_acceleration=Vector3(x=felt[0], y=felt[1], z=felt[2]))
    if turn is None:
        made.orientation_covariance[0] = -1.0
    else:
        x, y, z, w = turn.as_quat().tolist()
        made.orientation = Quaternion(x=x, y=y, z=z, w=w)
    return made


def test_an_orientation_counts_before_an_acceleration():
    from husky_placerec.ros.inputs import up_of

    turn = Rotation.from_euler('ZYX', [70, 10, -5], degrees=True)
    expected = turn.inv().apply([0.0, 0.0, 1.0])
    assert up_of(message(turn, (3.0, 0.0, 9.0))) == pytest.approx(expected)


def test_without_an_orientation_the_acceleration_counts():
    from husky_placerec.ros.inputs import up_of

    assert up_of(message(felt=(1.0, 0.0, 9.7))) == pytest.approx([1.0, 0.0, 9.7])
    zero = message()
    zero.orientation_covariance[0] = 0.0
    zero.orientation.w = 0.0  # no quaternion at all
    np.testing.assert_allclose(up_of(zero), [0, 0, 9.81])
