"""Which frames are worth recognising: not too many, not too old, not of where the robot stands."""

from __future__ import annotations

from husky_placerec.config import Config
from husky_placerec.types import SECOND_NS

REPLAY_NS = 60 * SECOND_NS  # no live image is as old
EARLY = 0.9  # of a period: stamps are not that regular

TOO_SOON, TOO_OLD, TOO_NEAR = 'too soon', 'too old', 'too near'


class FrameGate:
    """
    Holds frames back by rate, by age and by the distance driven, as far as each is asked for.

    Rate and distance are counted from the last frame that was let through, in stamp time.
    """

    def __init__(self, config: Config) -> None:
        self._last_ns: int | None = None
        self._last_m: float | None = None
        self.configure(config)

    def configure(self, config: Config) -> None:
        self._period_ns = round(EARLY * SECOND_NS / config.max_rate) if config.max_rate else 0
        self._oldest_ns = round(config.max_age * SECOND_NS)
        self._apart_m = config.min_travel

    def reset(self) -> None:
        """Let the next frame through."""
        self._last_ns = self._last_m = None

    def refuse(self, stamp_ns: int, now_ns: int, travelled_m: float | None) -> str | None:
        """
        Return why a frame is held back, None when it is let through.

        A frame older than a minute is from a bag that is played without /clock, or from a camera
        whose clock is wrong: it is let through, since nothing tells how late it is.

        :param now_ns: by the clock that the stamps should have.
        :param travelled_m: what the odometry has counted; None where it is not known.
        """
        if self._oldest_ns and self._oldest_ns < now_ns - stamp_ns < REPLAY_NS:
            return TOO_OLD
        if self._last_ns is not None and 0 <= stamp_ns - self._last_ns < self._period_ns:
            return TOO_SOON
        if self._stands(travelled_m):
            return TOO_NEAR
        self._last_ns, self._last_m = stamp_ns, travelled_m
        return None

    def _stands(self, travelled_m: float | None) -> bool:
        known = travelled_m is not None and self._last_m is not None
        return known and 0 <= travelled_m - self._last_m < self._apart_m  # type: ignore[operator]
