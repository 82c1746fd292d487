"""The masks that came over a topic, until their image is recognised."""

from __future__ import annotations

from collections import Counter, OrderedDict
import threading
from typing import Any

MOST = 30  # masks of a camera that wait for their image
LATE, EARLY = 'masks that came too late', 'masks without an image'
BROKEN = 'masks that are refused'


class MaskBuffer:
    """
    Finds the mask of an image by camera and stamp; never waits for one.

    Any thread may add and take. A mask that comes when its image was recognised already is counted
    and dropped.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._masks: dict[str, OrderedDict[int, Any]] = {}
        self._done_ns: dict[str, int] = {}  # stamp of the last image that was taken
        self.counts: Counter[str] = Counter()

    def add(self, camera: str, stamp_ns: int, mask: Any) -> None:
        """Take the mask of an image."""
        with self._lock:
            if stamp_ns <= self._done_ns.get(camera, stamp_ns - 1):
                self.counts[LATE] += 1
                return
            masks = self._masks.setdefault(camera, OrderedDict())
            masks[stamp_ns] = mask
            while len(masks) > MOST:
                masks.popitem(last=False)
                self.counts[EARLY] += 1

    def take(self, camera: str, stamp_ns: int) -> Any | None:
        """Return the mask of an image; None where it has not come."""
        with self._lock:
            self._done_ns[camera] = stamp_ns
            masks = self._masks.get(camera, OrderedDict())
            found = masks.pop(stamp_ns, None)
            for old_ns in [each for each in masks if each < stamp_ns]:
                del masks[old_ns]
            return found

    def reset(self) -> None:
        """Forget all masks: stamps may begin anew."""
        with self._lock:
            self._masks, self._done_ns = {}, {}
