"""Which frames are worth recognising: not too many, not too old, not of a robot that stands."""

from __future__ import annotations

from husky_placerec.config import Config
from husky_placerec.types import SECOND_NS

REPLAY_NS = 60 * SECOND_NS  # a live image is never that old
EARLY = 0.9  # share of a period after which a frame is due: stamps are not regular

TOO_SOON, TOO_OLD, TOO_NEAR = 'too soon', 'too old', 'too near'


class FrameGate:
    """
    Hold frames back by rate, age and distance driven, where the configuration asks for it.

    Rate and distance count from the last frame that was let through, in stamp time.
    """

    def __init__(self) -> None:
        self._last_ns: int | None = None
        self._last_m: float | None = None

    def reset(self) -> None:
        """Let the next frame through."""
        self._last_ns = self._last_m = None

    def refuse(
        self, stamp_ns: int, now_ns: int, driven_m: float | None, config: Config
    ) -> str | None:
        """
        Return why a frame is held back, None when it is let through.

        A frame older than a minute comes from a bag that is played without /clock, or from a
        camera whose clock is wrong. It is let through, because nothing tells how late it is.

        :param now_ns: by the clock that the stamps should have.
        :param driven_m: metres driven since the start; None where the odometry does not tell.
        """
        oldest_ns = round(config.max_age * SECOND_NS)
        if oldest_ns and oldest_ns < now_ns - stamp_ns < REPLAY_NS:
            return TOO_OLD
        period_ns = round(EARLY * SECOND_NS / config.max_rate) if config.max_rate else 0
        if self._last_ns is not None and 0 <= stamp_ns - self._last_ns < period_ns:
            return TOO_SOON
        if driven_m is not None and self._last_m is not None:
            since_m = driven_m - self._last_m
            if 0 <= since_m < config.min_travel:
                return TOO_NEAR
        self._last_ns, self._last_m = stamp_ns, driven_m
        return None

    @staticmethod
    def says_nothing_new(reason: str) -> bool:
        """Return whether a frame was held back because the last one is still valid."""
        return reason in (TOO_SOON, TOO_NEAR)
