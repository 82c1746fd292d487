"""The diagnostics of the node, once a second."""

from __future__ import annotations

from pathlib import Path
import time
from typing import TYPE_CHECKING

from diagnostic_msgs.msg import DiagnosticArray
from husky_placerec.placemap.manifest import MANIFEST
from husky_placerec.recognition.calibration import UNCALIBRATED
from husky_placerec.recognition.recognizer import Recognizer
from husky_placerec.ros.diagnostics import (
    diagnostic_array,
    ERROR,
    Finding,
    input_statuses,
    mask_values,
    OK,
    pairing_problem,
    session_values,
    status,
    text_values,
    usage_values,
    WARN,
    worst,
)
from husky_placerec.session.counters import Usage
from rclpy.clock import Clock, ClockType
from rclpy.qos import QoSProfile

if TYPE_CHECKING:
    from husky_placerec.ros.configured import ConfiguredParts
    from husky_placerec.ros.managed_node import PlacerecNode

EVERY_S = 1.0
ACTIVE = 'active'


class Reporter:
    """
    Publish /diagnostics in every state, by the steady clock: simulated time may stand still.

    :ivar problem: what went wrong since the last report.
    """

    def __init__(self, node: PlacerecNode) -> None:
        self.problem = ''
        self._node = node
        self._usage = Usage()
        self._told = time.monotonic()
        self._publisher = node.create_publisher(
            DiagnosticArray, '/diagnostics', QoSProfile(depth=10)
        )
        node.create_timer(EVERY_S, self.report, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def tick(self) -> None:
        """Report if it is time; for work that keeps the executor waiting."""
        if time.monotonic() - self._told >= EVERY_S:
            self.report()

    def report(self) -> None:
        """Publish the diagnostics, and check whether the state is still valid."""
        self._told = time.monotonic()
        node = self._node
        name = node.get_fully_qualified_name()
        values: dict[str, object] = {'state': node.stage}
        findings = self._findings()
        statuses = []
        if (parts := node.parts) is not None:
            session = parts.session
            inputs = input_statuses(parts.inputs, name)
            findings += [(s.level, s.message) for s in inputs.values() if s.level != OK]
            if problem := parts.inputs.cameras_problem:
                findings.append((ERROR, problem))
            if problem := pairing_problem(parts.inputs.unpaired()):
                findings.append((WARN, problem))
            if problem := session.counters.metric_share.doubt:
                findings.append((WARN, problem))
            values.update(_about_map(session.recognizer))
            driven_m = session.odometry.total_m
            values.update(session_values(session.counters, parts.inputs.pairer, driven_m))
            values.update(mask_values(session))
            values.update(text_values(session))
            values['initialpose waits for'] = parts.outputs.initial_pose_waits_for
            values['log lines lost'] = parts.log.lost if parts.log is not None else 0
            for each in inputs.values():
                each.name = f'{name}: {each.name}'
            statuses = list(inputs.values())
            session.check_state()
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

    def _about_parts(self, parts: ConfiguredParts) -> list[Finding]:
        findings: list[Finding] = []
        if not parts.session.enabled:
            findings.append((OK, 'disabled by ~/enable'))
        calibration = parts.session.recognizer.calibration_kind
        if parts.session.config.initial_pose != 'off' and calibration == UNCALIBRATED:
            silence = 'the map is uncalibrated, so that initialpose stays silent'
            findings.append((WARN, f'{silence}; run placerec calibrate'))
        if doubt := parts.session.recognizer.local_doubt:
            findings.append((WARN, doubt))
        if weakness := parts.session.recognizer.weakness:
            grade = parts.session.recognizer.grade
            findings.append((WARN, f'the calibration of the map is {grade}: {weakness}'))
        if parts.log is not None and (problem := parts.log.told_problem()):
            findings.append((WARN, problem))
        folder = Path(self._node.config.map)
        if not (folder / MANIFEST).is_file():
            gone = f'{folder}: the map is gone; the node goes on with what it has read'
            findings.append((WARN, f'{gone}, put it back before the next start'))
        if self._node.stage == ACTIVE and not parts.session.working:
            ended = 'the recognising thread has ended'
            findings.append((ERROR, f'{ended}; deactivate and activate the node'))
        return findings


def _about_map(recognizer: Recognizer) -> dict[str, object]:
    required = recognizer.required_proof
    return {
        'map': repr(recognizer.place_map),
        'map made': recognizer.place_map.created,
        'local descriptors': recognizer.local_words or 'not compared',
        'calibration': recognizer.calibration_kind,
        'calibration promises': recognizer.grade,
        'proof asked': '' if required is None else f'{required:.1f}',
    }
