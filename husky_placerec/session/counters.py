"""What a session counts and times, for the diagnostics."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
import os
from pathlib import Path
import time

from husky_placerec.recognition.metric_share import MetricShare
from husky_placerec.types import MetricPose, Recognition
import numpy as np

NEWEST = 500  # times of which percentiles are computed
PAGE_BYTES = os.sysconf('SC_PAGE_SIZE')


def _newest() -> deque[float]:
    return deque(maxlen=NEWEST)


@dataclass
class Counters:
    """Counts since the start. Every paired frame is processed, dropped or held back."""

    frames: int = 0
    lone: int = 0
    processed: int = 0
    dropped: int = 0
    held_back: Counter[str] = field(default_factory=Counter)  # frames, by reason
    accepted: int = 0
    undecodable: int = 0
    failures: int = 0
    refused: Counter[str] = field(default_factory=Counter)  # frames, by reason
    last_reason: str = ''
    last_probability: float | None = None
    last_proof: float | None = None
    solved: int = 0  # frames, by landmarks
    unsolved: Counter[str] = field(default_factory=Counter)  # frames, by reason
    last_inliers: str = ''  # by camera
    metric_share: MetricShare = field(default_factory=MetricShare)
    with_texts: int = 0  # frames
    last_texts: str = ''  # that were compared with the map
    recent_problem: str = ''  # since the last report
    waits_ms: deque[float] = field(default_factory=_newest)  # from the pair to the pose
    ages_ms: deque[float] = field(default_factory=_newest)  # from the stamp to the pose
    decoding_ms: deque[float] = field(default_factory=_newest)
    recognising_ms: deque[float] = field(default_factory=_newest)  # describe, search and decide
    fixed_at: float | None = None  # when a pose was last accepted, by the steady clock
    fixed_m: float | None = None  # the metres that were driven then

    def count(self, recognition: Recognition, driven_m: float, age_ns: int) -> None:
        """
        Count a recognition.

        :param driven_m: since the start.
        :param age_ns: of its stamp.
        """
        self.ages_ms.append(age_ns / 1e6)
        self.last_probability = recognition.probability
        self.last_proof = recognition.proof
        self.last_reason = recognition.reason or ''
        self._count_metric(recognition.metric)
        self.metric_share.count(recognition)
        if recognition.texts is not None:
            self.with_texts += 1
            self.last_texts = ', '.join(recognition.texts.read)
        if not recognition.accepted:
            self.refused[self.last_reason or 'unknown'] += 1
        else:
            self.accepted += 1
            self.fixed_at, self.fixed_m = time.monotonic(), driven_m

    def _count_metric(self, metric: MetricPose | None) -> None:
        if metric is None:
            return
        self.last_inliers = ', '.join(f'{name} {n}' for name, n in metric.inliers.items())
        if metric.solved:
            self.solved += 1
        else:
            self.unsolved[metric.reason or 'unknown'] += 1

    def report(self) -> str:
        """Return in a sentence what became of the frames, for people."""
        share = self.accepted / self.frames if self.frames else 0.0
        said = [f'recognised {self.accepted} of {self.frames} frames ({share:.0%})']
        refused = ', '.join(f'{reason} {n}' for reason, n in self.refused.most_common())
        if refused:
            said.append(f'refused {self.refused.total()}: {refused}')
        if self.dropped:
            said.append(f'dropped {self.dropped}, because newer ones came before they were begun')
        if held_back := ', '.join(f'{why} {n}' for why, n in self.held_back.most_common()):
            said.append(f'held back {self.held_back.total()}: {held_back}')
        if self.undecodable:
            said.append(f'{self.undecodable} images did not decode')
        if self.failures:
            said.append(f'{self.failures} frames failed')
        return '; '.join(said)

    def time(self, arrived: float, began: float, decoded: float, recognised: float) -> None:
        """Take the moments of a frame by the steady clock, in s."""
        self.waits_ms.append((time.monotonic() - arrived) * 1000)
        self.decoding_ms.append((decoded - began) * 1000)
        self.recognising_ms.append((recognised - decoded) * 1000)


def percentiles(values: Iterable[float], of: tuple[int, ...] = (50, 95, 99)) -> list[float]:
    """Return percentiles of values; zeros where there is no value."""
    found = list(values)
    return [float(v) for v in np.percentile(found, of)] if found else [0.0] * len(of)


class Usage:
    """The CPU time and memory of the process."""

    def __init__(self) -> None:
        self._last = self._now()

    def cpu_percent(self) -> float:
        """Return the share of one CPU since the last call, in %."""
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
