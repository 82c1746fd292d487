"""Once a second the node says how it is."""

from __future__ import annotations

from pathlib import Path
import time
from typing import TYPE_CHECKING

from diagnostic_msgs.msg import DiagnosticArray
from husky_placerec.placemap.manifest import MANIFEST
from husky_placerec.recognition.calibration import UNCALIBRATED
from husky_placerec.recognition.recognizer import Recognizer
from husky_placerec.recognition.states import State
from husky_placerec.ros.counters import Usage
from husky_placerec.ros.diagnostics import (
    core_values,
    diagnostic_array,
    ERROR,
    Finding,
    input_statuses,
    OK,
    pairing_problem,
    status,
    usage_values,
    WARN,
    worst,
)
from rclpy.clock import Clock, ClockType
from rclpy.qos import QoSProfile

if TYPE_CHECKING:
    from husky_placerec.ros.managed_node import PlacerecNode
    from husky_placerec.ros.parts import Parts

EVERY_S = 1.0
ACTIVE = 'active'
STALE_S = 5.0  # without a frame, and where the robot is is no longer known


class Reporter:
    """
    Publishes /diagnostics in every state, by the steady clock: simulated time may stand still.

    :ivar problem: what went wrong since the last report.
    """

    def __init__(self, node: PlacerecNode) -> None:
        self.problem = ''
        self._node = node
        self._usage = Usage()
        self._frames = self._worked = 0
        self._since = self._told = time.monotonic()
        self._publisher = node.create_publisher(
            DiagnosticArray, '/diagnostics', QoSProfile(depth=10)
        )
        node.create_timer(EVERY_S, self.report, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def tick(self) -> None:
        """Report where it is time: for what keeps the executor waiting."""
        if time.monotonic() - self._told >= EVERY_S:
            self.report()

    def report(self) -> None:
        self._told = time.monotonic()
        node = self._node
        name = node.get_fully_qualified_name()
        values: dict[str, object] = {'state': node.stage}
        findings = self._findings()
        statuses = []
        if (parts := node.parts) is not None:
            core = parts.core
            inputs = input_statuses(parts.inputs, name)
            findings += [(s.level, s.message) for s in inputs.values() if s.level != OK]
            findings += self._pairing(parts)
            values.update(_about_map(core.recognizer))
            values.update(core_values(core.counters, parts.inputs.pairer, core.travel.total_m))
            for each in inputs.values():
                each.name = f'{name}: {each.name}'
            statuses = list(inputs.values())
            self._forget_when_stale(parts)
        values.update(usage_values(self._usage))
        level, message = worst(findings)
        first = status(name, level, message or node.stage, values, name)
        stamp = node.get_clock().now().to_msg()
        self._publisher.publish(diagnostic_array(stamp, [first, *statuses]))

    def _findings(self) -> list[Finding]:
        node, findings = self._node, []
        problem, self.problem = self.problem, ''
        if problem:
            findings.append((WARN, problem))
        elif node.error is not None:
            findings.append((ERROR, node.error))
        name = (node.get_name(), node.get_namespace())
        if node.get_node_names_and_namespaces().count(name) > 1:
            findings.append(
                (WARN, f'another node is named {node.get_fully_qualified_name()}; rename one')
            )
        if node.parts is not None:
            findings += self._about_parts(node.parts)
        return findings

    def _about_parts(self, parts: Parts) -> list[Finding]:
        findings: list[Finding] = []
        if not parts.core.enabled:
            findings.append((OK, 'disabled by ~/enable'))
        calibration = parts.recognizer.calibration
        if parts.outputs.initial.wanted and calibration == UNCALIBRATED:
            silence = 'the map is uncalibrated, so that initialpose stays silent'
            findings.append((WARN, f'{silence}; run placerec calibrate'))
        folder = Path(self._node.config.map)
        if not (folder / MANIFEST).is_file():
            gone = f'{folder}: the map is gone; the node goes on with what it has read'
            findings.append((WARN, f'{gone}, put it back before the next start'))
        if self._node.stage == ACTIVE and not parts.core.working:
            ended = 'the recognising thread has ended'
            findings.append((ERROR, f'{ended}; deactivate and activate the node'))
        return findings

    def _pairing(self, parts: Parts) -> list[Finding]:
        frames = parts.core.counters.frames
        cameras = self._node.config.cameras
        problem = pairing_problem(parts.inputs, cameras, self._frames, frames)
        self._frames = frames
        return [(WARN, problem)] if problem else []

    def _forget_when_stale(self, parts: Parts) -> None:
        """Nobody is to believe a state that no frame has confirmed for some seconds."""
        if parts.core.counters.processed != self._worked:
            self._worked, self._since = parts.core.counters.processed, time.monotonic()
        elif time.monotonic() - self._since > STALE_S:
            parts.outputs.publish_state(State.LOST)


def _about_map(recognizer: Recognizer) -> dict[str, object]:
    asked = recognizer.proof_asked
    return {
        'map': repr(recognizer.place_map),
        'map made': recognizer.place_map.created,
        'calibration': recognizer.calibration,
        'proof asked': '' if asked is None else f'{asked:.1f}',
    }
