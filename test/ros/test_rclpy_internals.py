"""The private part of rclpy: these tests tell when another rclpy no longer has it."""

from __future__ import annotations

from husky_placerec.ros.rclpy_internals import destroy_state_machine
import pytest
import rclpy
from rclpy.context import Context
from rclpy.lifecycle import LifecycleNode
from support.domains import new_domain

NEEDS = ('rclpy',)


@pytest.mark.ros
def test_this_rclpy_still_has_the_state_machine_of_a_lifecycle_node():
    context = Context()
    rclpy.init(context=context, domain_id=new_domain())
    node = LifecycleNode('leaving', context=context, use_global_arguments=False)
    node.destroy_node()
    assert destroy_state_machine(node), (
        'LifecycleNode._state_machine.destroy_when_not_in_use is gone: look for what replaces it, '
        'or the node stays in DDS for 20 s after its end'
    )
    rclpy.try_shutdown(context=context)


def test_another_rclpy_is_done_without():
    assert not destroy_state_machine(object())
