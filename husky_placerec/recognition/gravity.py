"""The direction of gravity that an IMU measures, at the stamps of frames."""

from __future__ import annotations

from collections import deque
import math
import threading

from husky_placerec.types import Floats, SECOND_NS
import numpy as np

WINDOW_NS = SECOND_NS // 2  # each way, over which a direction is the mean
KEPT = 4000  # newest samples
TILT = math.radians(45.0)  # from which a direction is no robot's


class Gravity:
    """Directions up in `base_link` by stamp; any thread may add and ask."""

    def __init__(self) -> None:
        self._samples: deque[tuple[int, Floats]] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    def add(self, stamp_ns: int, up: Floats) -> bool:
        """
        Add a direction, of any length; return whether it is one of a robot that stands.

        :param up: [3] in `base_link`: the specific force that an accelerometer feels at rest.
        """
        length = float(np.linalg.norm(up))
        if not math.isfinite(length) or length < 1e-6 or up[2] / length < math.cos(TILT):
            return False
        with self._lock:
            if self._samples and stamp_ns < self._samples[-1][0]:
                self._samples.clear()  # a bag loops
            self._samples.append((stamp_ns, np.asarray(up, np.float64) / length))
        return True

    def at(self, stamp_ns: int) -> Floats | None:
        """Return [3] the unit vector up around a stamp; None where nothing was measured then."""
        with self._lock:
            near = [up for stamp, up in self._samples if abs(stamp - stamp_ns) <= WINDOW_NS]
        if not near:
            return None
        mean = np.mean(near, axis=0)
        return np.asarray(mean / np.linalg.norm(mean))

    def begin_anew(self) -> None:
        """Forget everything."""
        with self._lock:
            self._samples.clear()
