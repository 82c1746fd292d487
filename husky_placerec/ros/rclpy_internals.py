"""The one private part of rclpy that the node uses."""

from __future__ import annotations

from rclpy.lifecycle import LifecycleNode


def destroy_state_machine(node: LifecycleNode) -> bool:
    """
    Destroy the state machine of a lifecycle node, which rclpy keeps until the process ends.

    Without it the node does not leave DDS when it is destroyed, and its peers count it as alive
    for 20 s. rclpy has no public function for it.

    :return: False where this rclpy has no such part; the node then leaves DDS later.
    """
    machine = getattr(node, '_state_machine', None)
    destroy = getattr(machine, 'destroy_when_not_in_use', None)
    if destroy is None:
        return False
    destroy()
    return True
