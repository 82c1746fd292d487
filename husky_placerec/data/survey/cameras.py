"""The survey of the images of one camera: stamps, sizes, exposure."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
import hashlib
from typing import Any

import cv2
from husky_placerec.data.images import decode_image, ImageMessage, MAX_PIXELS
from husky_placerec.errors import InputError
from husky_placerec.types import Pixels, SECOND_NS
import numpy as np

# Thresholds of grey values, 0 to 255.
DARK_MEAN = 12.0
BRIGHT_VALUE, BRIGHT_SHARE = 250, 0.5
THUMBNAIL = (64, 36)
GAP_PERIODS = 3.0
FROZEN_RUN = 5  # equal images in a row


@dataclass(frozen=True)
class CameraSurvey:
    """
    The numbers of a camera.

    :param rate_hz: from the median period.
    :param jitter_ms: 95th percentile of the distance of periods from the median.
    :param gaps: number of periods over three medians; `longest_gap_s`: the longest period.
    :param backward: number of stamps that step back.
    :param sizes: number of images of each size 'WxH'.
    :param dark: number of nearly black images; `bright`: of images that are over half white.
    :param equal: number of images with the bytes of the one before; `longest_equal`: in a row.
    """

    images: int
    broken: int
    first_ns: int
    last_ns: int
    rate_hz: float
    jitter_ms: float
    gaps: int
    longest_gap_s: float
    backward: int
    duplicates: int
    sizes: dict[str, int]
    frame_ids: list[str]
    brightness: float
    dark: int
    bright: int
    equal: int
    longest_equal: int

    def as_json(self) -> dict[str, Any]:
        """Return the numbers for `json.dump`."""
        return asdict(self)


@dataclass
class CameraSurveyor:
    """Take images one by one, and keep only their numbers."""

    max_pixels: int = MAX_PIXELS
    stamps: list[int] = field(default_factory=list)
    broken: list[tuple[int, InputError]] = field(default_factory=list)
    _sizes: Counter[str] = field(default_factory=Counter)
    _frame_ids: dict[str, None] = field(default_factory=dict)
    _means: list[float] = field(default_factory=list)
    _bright: int = 0
    _equal: int = 0
    _run: int = 1
    _longest_run: int = 1
    _last: bytes = b''

    def add(self, stamp_ns: int, image: ImageMessage) -> None:
        """Take an image."""
        self.stamps.append(stamp_ns)
        header = getattr(image, 'header', None)
        if header is not None:
            self._frame_ids[header.frame_id] = None
        try:
            self._look(decode_image(image, self.max_pixels))
            self._compare(hashlib.blake2b(bytes(image.data)).digest())
        except InputError as error:
            self.broken.append((stamp_ns, error))

    def _look(self, pixels: Pixels) -> None:
        height, width = pixels.shape[:2]
        self._sizes[f'{width}x{height}'] += 1
        small = cv2.resize(pixels, THUMBNAIL, interpolation=cv2.INTER_AREA)
        grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        self._means.append(float(grey.mean()))
        self._bright += bool((grey >= BRIGHT_VALUE).mean() > BRIGHT_SHARE)

    def _compare(self, digest: bytes) -> None:
        same = digest == self._last
        self._equal += same
        self._run = self._run + 1 if same else 1
        self._longest_run = max(self._longest_run, self._run)
        self._last = digest

    def result(self) -> CameraSurvey | None:
        """Return the numbers; None for a camera without images."""
        if not self.stamps:
            return None
        stamps = np.array(self.stamps, np.int64)
        steps = np.diff(stamps)
        periods = steps[steps > 0] / SECOND_NS
        median = float(np.median(periods)) if len(periods) else 0.0
        means = np.array(self._means)
        return CameraSurvey(
            images=len(stamps),
            broken=len(self.broken),
            first_ns=int(stamps.min()),
            last_ns=int(stamps.max()),
            rate_hz=1 / median if median else 0.0,
            jitter_ms=1000 * float(np.percentile(abs(periods - median), 95)) if median else 0.0,
            gaps=int((periods > GAP_PERIODS * median).sum()),
            longest_gap_s=float(periods.max()) if median else 0.0,
            backward=int((steps < 0).sum()),
            duplicates=len(stamps) - len(np.unique(stamps)),
            sizes=dict(self._sizes),
            frame_ids=list(self._frame_ids),
            brightness=float(means.mean()) if len(means) else 0.0,
            dark=int((means < DARK_MEAN).sum()),
            bright=self._bright,
            equal=self._equal,
            longest_equal=self._longest_run,
        )
