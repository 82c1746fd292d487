"""What came on a topic lately, and what is wrong with it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
import time

from husky_placerec.types import SECOND_NS

SPAN_S = 5.0  # over which a rate is counted
SILENT_S = 2.0  # without a message, and something is wrong
AHEAD_S, LATE_S = 1.0, 2.0  # of a stamp, compared with the clock
REPLAY_S = 60.0  # no live message is as late
SAME_STAMPS = 5  # in a row, and the stamp does not advance


@dataclass
class Listening:
    """
    One input, as the node hears it; one thread counts, another asks.

    :param topic: its whole name.
    """

    topic: str
    kind: str
    messages: int = 0
    broken: int = 0
    incompatible: str = ''  # the QoS policy over which a publisher and we differ
    _since: float = field(default_factory=time.monotonic)
    _arrivals: deque[float] = field(default_factory=lambda: deque(maxlen=1000))
    _stamp_ns: int = 0
    _same: int = 0
    _age_s: float = 0.0

    def heard(self, stamp_ns: int, now_ns: int) -> None:
        self.messages += 1
        self._arrivals.append(time.monotonic())
        self._same = self._same + 1 if stamp_ns == self._stamp_ns and self.messages > 1 else 0
        self._stamp_ns = stamp_ns
        self._age_s = (now_ns - stamp_ns) / SECOND_NS

    @property
    def rate_hz(self) -> float:
        """Return the messages a second, over the last few."""
        now = time.monotonic()
        span_s = min(SPAN_S, max(now - self._since, 0.1))
        return sum(arrival > now - span_s for arrival in tuple(self._arrivals)) / span_s

    @property
    def silent_s(self) -> float:
        last = self._arrivals[-1] if self._arrivals else self._since
        return time.monotonic() - last

    @property
    def silent(self) -> bool:
        return self.silent_s > SILENT_S

    @property
    def age_s(self) -> float:
        """Return how much older the last message's stamp was than the clock."""
        return self._age_s

    def problem(self, publishers: int, other_kinds: list[str]) -> str:
        """
        Return what is wrong and what to do about it; empty when all is well.

        :param publishers: that there are on the topic.
        :param other_kinds: types of those that speak another than ours.
        """
        if self.silent:
            return self._why_silent(publishers, other_kinds)
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
