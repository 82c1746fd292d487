"""What the node counts, and how it says so on /diagnostics."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
import numpy as np

LATENCIES = 500  # the newest, of which percentiles are told


@dataclass
class Counters:
    """Counts since the start; every frame that was paired is processed or dropped."""

    frames: int = 0
    lone: int = 0
    processed: int = 0
    accepted: int = 0
    undecodable: int = 0
    failures: int = 0
    last_reason: str = ''
    recent_problem: str = ''  # since the last report
    latencies_ms: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCIES))


def diagnostic_status(
    name: str, about: str, counters: Counters, *, dropped: int, unmatched: int, resets: int
) -> DiagnosticStatus:
    """Return OK, or WARN with what to look at."""
    latencies = list(counters.latencies_ms)
    p50, p95 = np.percentile(latencies, (50, 95)) if latencies else (0.0, 0.0)
    values = {
        'map': about,
        'frames': counters.frames,
        'frames with a camera missing': counters.lone,
        'frames processed': counters.processed,
        'frames dropped': dropped,
        'poses published': counters.accepted,
        'images that match no other': unmatched,
        'images that do not decode': counters.undecodable,
        'failures': counters.failures,
        'times that stamps began anew': resets,
        'last refusal': counters.last_reason,
        'latency p50 ms': f'{p50:.1f}',
        'latency p95 ms': f'{p95:.1f}',
    }
    level, message = DiagnosticStatus.OK, 'running'
    if counters.recent_problem:
        level, message = DiagnosticStatus.WARN, counters.recent_problem
    elif not counters.frames:
        level, message = DiagnosticStatus.WARN, 'no images yet'
    pairs = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
    return DiagnosticStatus(level=level, name=name, message=message, values=pairs)


def diagnostic_array(stamp: object, status: DiagnosticStatus) -> DiagnosticArray:
    array = DiagnosticArray(status=[status])
    array.header.stamp = stamp
    return array
