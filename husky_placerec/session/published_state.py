"""The state that others may believe, in stamp time."""

from __future__ import annotations

from collections.abc import Callable
import threading

from husky_placerec.types import Recognition, SECOND_NS, State

STALE_NS = 5 * SECOND_NS  # without a frame that confirms it, the state is LOST


class PublishedState:
    """
    Hold the state of the last recognition as long as frames confirm it.

    A frame confirms the state when it was recognised, or held back because it says nothing new.
    The time is that of the stamps: the stamp of the last frame that came, plus what `now_ns` has
    counted since. A clock that stands still, as in a paused simulation, makes nothing stale.

    :param changed: is told each new state.
    """

    def __init__(self, now_ns: Callable[[], int], changed: Callable[[State], None]) -> None:
        self.value = State.LOST
        self._now_ns, self._changed = now_ns, changed
        self._lock = threading.RLock()
        self._noted: tuple[int, int] | None = None  # stamp of the last frame, and now_ns then

    def update(self, recognition: Recognition) -> None:
        """Take the state of a recognition; without a sequence the frame decides alone."""
        alone = State.LOCALIZED if recognition.accepted else State.LOST
        self._note(recognition.stamp_ns)
        self._set(State(recognition.state) if recognition.state else alone)

    def confirm(self, stamp_ns: int) -> None:
        """Take a frame that says nothing new: the state stays, unless it was stale before."""
        if self._note(stamp_ns) > STALE_NS:
            self._set(State.LOST)

    def check(self) -> None:
        """Give the state up where nothing has confirmed it for STALE_NS."""
        with self._lock:  # a frame that comes meanwhile confirms a new state, not the old one
            if self._noted is not None and self._now_ns() - self._noted[1] > STALE_NS:
                self._set(State.LOST)

    def reset(self) -> None:
        """Set it to LOST, because everything begins anew."""
        with self._lock:
            self._noted = None
        self._set(State.LOST)

    def _note(self, stamp_ns: int) -> int:
        """Remember a frame; return the time since the one before, in ns."""
        with self._lock:
            before_ns = stamp_ns if self._noted is None else self._noted[0]
            self._noted = stamp_ns, self._now_ns()
            return stamp_ns - before_ns

    def _set(self, state: State) -> None:
        with self._lock:
            if state is self.value:
                return
            self.value = state
            self._changed(state)
