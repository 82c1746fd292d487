"""The parts of a configured node together: what a reset, a reload and a loop of a bag reset."""

from __future__ import annotations

import sys
from types import SimpleNamespace

from husky_placerec.config import make_config
from husky_placerec.placemap.loading import load_map
from husky_placerec.types import SECOND_NS, State
import pytest
from support.builders import planar, START_NS
from support.sessions import recognition

NEEDS = ('rclpy',)


@pytest.fixture
def configured(monkeypatch, map_path):
    """Yield the parts of a node; a stand-in replaces tf2_msgs, which PyPI does not have."""
    from husky_placerec.recognition.recognizer import Recognizer
    from husky_placerec.ros.configured import ConfiguredParts
    import rclpy
    from rclpy.context import Context
    from rclpy.lifecycle import LifecycleNode
    from support.domains import new_domain

    message = SimpleNamespace(TFMessage=SimpleNamespace)
    monkeypatch.setitem(sys.modules, 'tf2_msgs', SimpleNamespace(msg=message))
    monkeypatch.setitem(sys.modules, 'tf2_msgs.msg', message)
    context, sent = Context(), []
    rclpy.init(context=context, domain_id=new_domain())
    node = LifecycleNode('placerec', context=context, use_global_arguments=False)
    made, told = node.create_publisher, SimpleNamespace(publish=sent.append)
    monkeypatch.setattr(
        node, 'create_publisher', lambda k, t, q, **o: told if t == '/tf' else made(k, t, q, **o)
    )
    destroy = node.destroy_publisher
    monkeypatch.setattr(node, 'destroy_publisher', lambda p: p is told or destroy(p))
    config = make_config({'publish_tf': True, 'odometry_topic': 'odom'})
    recognizer = Recognizer.load(load_map(map_path), config)
    parts = ConfiguredParts(node, recognizer, config, None, lambda _: None)
    yield SimpleNamespace(parts=parts, session=parts.session, sent=sent)
    parts.close()
    node.destroy_node()
    rclpy.try_shutdown(context=context)


def localize(made):
    """Let a frame be accepted, and return the number of transforms that this broadcasts."""
    made.session.add_odometry(START_NS, planar(3.0))
    made.session._anew.clear()
    made.session._tell(recognition(START_NS, x=50.0), SimpleNamespace(images={}))
    made.parts.transform._broadcast()
    return len(made.sent)


@pytest.mark.parametrize('reset', ['begin_anew', 'reload', 'loop', 'enable', 'stop'])
def test_no_transform_survives_a_reset(configured, map_path, reset):
    assert localize(configured) == 1
    assert configured.session.state is State.LOCALIZED
    if reset == 'begin_anew':
        configured.session.begin_anew()
    elif reset == 'reload':
        configured.session.reload(load_map(map_path))
    elif reset == 'loop':
        configured.parts.inputs.pairer.resets += 1
        old = SimpleNamespace(stamp_ns=START_NS - 100 * SECOND_NS, images={})
        configured.parts.inputs._store(old)
    elif reset == 'enable':
        configured.session.enable(False)
        configured.session.enable(True)
    else:
        configured.session.stop()
    configured.parts.transform._broadcast()
    assert len(configured.sent) == 1
    assert configured.session.state is State.LOST
    assert localize(configured) == 2
