"""The message_filters that is importable: that of ROS, or the package in pip_ros."""

import time
from types import SimpleNamespace

import pytest
from support.domains import new_domain


def test_callbacks_get_each_message_and_their_arguments():
    SimpleFilter = pytest.importorskip('message_filters').SimpleFilter
    calls: list[tuple] = []
    source = SimpleFilter()
    connections = [
        source.registerCallback(lambda *args: calls.append(args)),
        source.registerCallback(lambda *args: calls.append(args), 'left', 2),
    ]
    assert connections == [0, 1]
    source.signalMessage('a')
    source.signalMessage('b', 'c')
    assert calls == [('a',), ('a', 'left', 2), ('b', 'c'), ('b', 'c', 'left', 2)]


class FakeNode:
    def create_subscription(self, msg_type, topic, callback, qos_profile, **kwargs):
        return SimpleNamespace(given=(msg_type, topic, callback, qos_profile, kwargs))


def test_subscriber_hands_its_arguments_to_the_subscription():
    Subscriber = pytest.importorskip('message_filters').Subscriber
    node = FakeNode()
    subscriber = Subscriber(node, str, 'scan')
    assert subscriber.sub.given == (str, 'scan', subscriber.callback, 10, {})
    assert (subscriber.node, subscriber.topic, subscriber.getTopic()) == (node, 'scan', 'scan')
    assert subscriber.given is subscriber.sub.given
    with pytest.raises(AttributeError, match='absent'):
        _ = subscriber.absent
    subscriber = Subscriber(node, str, 'scan', qos_profile=3, raw=True)
    assert subscriber.given[3:] == (3, {'raw': True})


@pytest.mark.ros
def test_subscriber_receives_what_was_published_before_it_came():
    rclpy = pytest.importorskip('rclpy')
    message_filters = pytest.importorskip('message_filters')
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.qos import DurabilityPolicy, QoSProfile
    from std_msgs.msg import String

    # No one else is to hear this, nor to speak here.
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=new_domain())
    try:
        node = rclpy.create_node('test_pip_ros', context=context)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        node.create_publisher(String, 'words', latched).publish(String(data='here'))
        subscriber = message_filters.Subscriber(node, String, 'words', qos_profile=latched)
        received: list[tuple] = []
        subscriber.registerCallback(lambda msg, tag: received.append((msg.data, tag)), 'tag')
        assert subscriber.topic_name == '/words'
        deadline = time.monotonic() + 20
        while not received and time.monotonic() < deadline:
            executor.spin_once(timeout_sec=0.1)
        assert received == [('here', 'tag')]
        executor.shutdown()
        node.destroy_node()
    finally:
        rclpy.shutdown(context=context)
