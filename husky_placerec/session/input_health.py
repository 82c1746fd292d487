"""The health of one input: what came on its topic lately, what is wrong, and the remedy."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
import statistics
import time

from husky_placerec.types import SECOND_NS

SPAN_S = 5.0  # in which messages count for the rate
SILENT_S = 2.0  # least time without a message after which an input counts as silent
SILENT_GAPS = 2.5  # for a slow input, so many times its usual gap between two messages
LATEST = 5  # gaps of which the median is the usual one
LONGEST_SILENT_S = 30.0  # of a slow input
AHEAD_S, LATE_S = 1.0, 2.0  # tolerated difference between a stamp and the clock
REPLAY_S = 60.0  # a live message is never that late
SAME_STAMPS = 5  # in a row mean that the stamps do not advance


@dataclass
class InputHealth:
    """
    The messages of one topic; one thread counts, another asks.

    :param topic: its full name.
    :param kind: its message type.
    :param incompatible: the QoS policy in which a publisher differs.
    """

    topic: str
    kind: str
    messages: int = 0
    broken: int = 0
    incompatible: str = ''
    _since: float = field(default_factory=time.monotonic)
    _arrivals: deque[float] = field(default_factory=lambda: deque(maxlen=1000))
    _stamp_ns: int = 0
    _same: int = 0
    _age_s: float = 0.0

    def heard(self, stamp_ns: int, now_ns: int) -> None:
        """Count a message."""
        self.messages += 1
        self._arrivals.append(time.monotonic())
        self._same = self._same + 1 if stamp_ns == self._stamp_ns and self.messages > 1 else 0
        self._stamp_ns = stamp_ns
        self._age_s = (now_ns - stamp_ns) / SECOND_NS

    @property
    def rate_hz(self) -> float:
        """The messages per second, over the last SPAN_S."""
        now = time.monotonic()
        span_s = min(SPAN_S, max(now - self._since, 0.1))
        return sum(arrival > now - span_s for arrival in tuple(self._arrivals)) / span_s

    @property
    def silent_s(self) -> float:
        """The seconds since the last message, or since the beginning."""
        last = self._arrivals[-1] if self._arrivals else self._since
        return time.monotonic() - last

    @property
    def silent(self) -> bool:
        """Whether the input counts as silent; a slow input may pause for longer."""
        arrivals = tuple(self._arrivals)[-LATEST - 1 :]
        gaps = [after - before for before, after in pairwise(arrivals)]
        usual_s = statistics.median(gaps) if gaps else 0.0
        return self.silent_s > min(max(SILENT_S, SILENT_GAPS * usual_s), LONGEST_SILENT_S)

    @property
    def stuck(self) -> bool:
        """Whether the stamps are zero or do not advance, so that no image can be paired."""
        return bool(self.messages) and (self._stamp_ns == 0 or self._same >= SAME_STAMPS)

    @property
    def age_s(self) -> float:
        """How much older the stamp of the last message was than the clock."""
        return self._age_s

    def problem(self, publishers: int, other_kinds: list[str]) -> str:
        """
        Return what is wrong and the remedy; empty when all is well.

        :param publishers: number of publishers on the topic.
        :param other_kinds: message types of the publishers, where none has ours.
        """
        if self.silent:
            return self._why_silent(publishers, other_kinds)
        if not self.messages:
            return ''  # it may still be about to begin
        if self._stamp_ns == 0:
            return f'{self.topic}: stamps are zero; the driver must fill header.stamp'
        if self._same >= SAME_STAMPS:
            return f'{self.topic}: stamps do not advance; the driver must stamp each message'
        if self._age_s > REPLAY_S:
            return (
                f'{self.topic}: stamps are {self._age_s:.0f} s old, a replay without /clock? '
                'play it with --clock, and set use_sim_time'
            )
        if self._age_s > LATE_S:
            return (
                f'{self.topic}: stamps are {self._age_s:.1f} s old; '
                'look at the load of the machine and at the clocks (chrony, PTP)'
            )
        if self._age_s < -AHEAD_S:
            return (
                f'{self.topic}: stamps are {-self._age_s:.1f} s ahead; '
                "synchronise the driver's clock with this machine's (chrony, PTP)"
            )
        return ''

    def _why_silent(self, publishers: int, other_kinds: list[str]) -> str:
        silence = f'no messages on {self.topic} for {self.silent_s:.1f} s: '
        if other_kinds:
            return silence + (
                f'its type is {", ".join(other_kinds)}, expected {self.kind}; '
                'choose the topic or the transport that fit each other'
            )
        if not publishers:
            return silence + 'publishers seen 0; start the driver, or mend name or namespace'
        if self.incompatible:
            return silence + (
                f'QoS incompatible ({self.incompatible}); '
                f'set qos_overrides.{self.topic}.subscription.{self.incompatible}'
            )
        return silence + (
            f'publishers seen {publishers}, but silent; look at the driver and the network'
        )
