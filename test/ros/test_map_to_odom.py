"""The transform from the map to odom, without ROS' own messages for it."""

from dataclasses import replace
import sys
from types import SimpleNamespace

from husky_placerec.recognition.odometry import Odometry
from husky_placerec.ros.transform import MapToOdom
from husky_placerec.types import Recognition, SECOND_NS
import pytest
from support.builders import planar, START_NS

NEEDS = ('rclpy',)


class Told:
    """A node of which only what it publishes is of interest."""

    def __init__(self):
        self.published, self.timers = [], []

    def create_publisher(self, kind, topic, qos):
        assert topic == '/tf'
        return SimpleNamespace(publish=self.published.append)

    def create_timer(self, period_s, callback):
        self.timers.append((period_s, callback))

    def get_clock(self):
        now = SimpleNamespace(nanoseconds=START_NS + 5 * SECOND_NS)
        return SimpleNamespace(now=lambda: now)


def test_map_to_odom_is_the_accepted_pose_before_the_odometrys(monkeypatch):
    """On PyPI there is no tf2_msgs: here a message is its transforms."""
    message = SimpleNamespace(TFMessage=SimpleNamespace)
    monkeypatch.setitem(sys.modules, 'tf2_msgs', SimpleNamespace(msg=message))
    monkeypatch.setitem(sys.modules, 'tf2_msgs.msg', message)
    odometry, node = Odometry(), Told()
    odometry.add(START_NS - SECOND_NS // 2, planar(10.0, 0.0, 90.0))
    odometry.add(START_NS + SECOND_NS // 2, planar(12.0, 0.0, 90.0))  # at the stamp: x 11
    transform = MapToOdom(node, odometry)
    ((period_s, broadcast),) = node.timers
    assert period_s == 1 / 20
    broadcast()
    assert not node.published  # nothing is known yet
    fix = Recognition(START_NS, {}, True, None, (), estimate=planar(100.0, 50.0, 90.0))
    for recognition in (fix, replace(fix, accepted=False, estimate=planar(0.0))):
        transform.update(recognition, 'campus', 'odom')
        broadcast()
    first, second = (told.transforms[0] for told in node.published)
    for stamped in (first, second):  # what is refused changes nothing
        translation = stamped.transform.translation
        assert (translation.x, translation.y) == pytest.approx((89.0, 50.0))
        assert stamped.transform.rotation.w == pytest.approx(1.0)
        assert (stamped.header.frame_id, stamped.child_frame_id) == ('campus', 'odom')
        assert stamped.header.stamp.sec == START_NS // SECOND_NS + 5
    transform.begin_anew()
    broadcast()
    assert len(node.published) == 2
