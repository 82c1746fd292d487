"""What the node counts and times."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
import os
from pathlib import Path
import time

import numpy as np

NEWEST = 500  # times, of which percentiles are told
PAGE_BYTES = os.sysconf('SC_PAGE_SIZE')


def _newest() -> deque[float]:
    return deque(maxlen=NEWEST)


@dataclass
class Counters:
    """Counts since the start; every frame that was paired is processed, dropped or held back."""

    frames: int = 0
    lone: int = 0
    processed: int = 0
    dropped: int = 0
    held_back: Counter[str] = field(default_factory=Counter)  # by the gate, by reason
    accepted: int = 0
    undecodable: int = 0
    failures: int = 0
    last_reason: str = ''
    last_probability: float | None = None
    last_proof: float | None = None
    recent_problem: str = ''  # since the last report
    waits_ms: deque[float] = field(default_factory=_newest)  # from pair complete to published
    ages_ms: deque[float] = field(default_factory=_newest)  # from the stamp to published
    decoding_ms: deque[float] = field(default_factory=_newest)
    recognising_ms: deque[float] = field(default_factory=_newest)  # describing and searching
    fixed_at: float | None = None  # when a pose was last accepted, by the steady clock
    fixed_m: float | None = None  # what the odometry had counted then


def percentiles(values: Iterable[float], of: tuple[int, ...] = (50, 95, 99)) -> list[float]:
    found = list(values)
    return [float(v) for v in np.percentile(found, of)] if found else [0.0] * len(of)


class Usage:
    """What the process takes of the machine."""

    def __init__(self) -> None:
        self._last = self._now()

    def cpu_percent(self) -> float:
        """Return the share of one CPU since the last call."""
        before, self._last = self._last, self._now()
        cpu_s, elapsed_s = (now - then for now, then in zip(self._last, before))
        return 100 * cpu_s / elapsed_s if elapsed_s > 0 else 0.0

    @staticmethod
    def memory_mb() -> float:
        """Return the resident memory, in MB."""
        pages = int(Path('/proc/self/statm').read_text().split()[1])
        return pages * PAGE_BYTES / 1e6

    @staticmethod
    def _now() -> tuple[float, float]:
        return time.process_time(), time.monotonic()
