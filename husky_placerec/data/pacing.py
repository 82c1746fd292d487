"""Playback at the pace of the recording, or faster."""

from __future__ import annotations

from dataclasses import dataclass, field
import time

from husky_placerec.types import SECOND_NS


@dataclass
class Pacer:
    """
    Tell when each message of a recording is due.

    :param rate: speed relative to the recording.
    """

    rate: float
    _began: tuple[float, int] | None = field(default=None, init=False)

    def left_s(self, recorded_ns: int) -> float:
        """Return the seconds until a message is due; the first one is due at once."""
        if self._began is None:
            self._began = time.monotonic(), recorded_ns
        began, first_ns = self._began
        return began + (recorded_ns - first_ns) / SECOND_NS / self.rate - time.monotonic()

    def now_ns(self) -> int:
        """Return the time in the recording, ns; 0 before the first message."""
        if self._began is None:
            return 0
        began, first_ns = self._began
        return first_ns + round((time.monotonic() - began) * self.rate * SECOND_NS)
