"""
Pairing of camera images into multi-camera frames, by header stamps.

The live node and the offline replay use the same code. So it uses neither ROS nor wall time: every
decision follows from the stamps, in the order in which they arrived.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic

from husky_placerec.types import Frame, Image, SECOND_NS

# A camera is lost only after several images of the fastest camera came without it, so that slow
# recordings (a frame per second or less) pair as well as live images.
SILENT_PERIODS = 3


@dataclass
class _Camera(Generic[Image]):
    """The images of one camera that wait for partners, oldest first, and its period."""

    waiting: list[tuple[int, Image]] = field(default_factory=list)
    newest_ns: int | None = None
    period_ns: int = 0  # between the last two images; 0: unknown
    used_ns: int | None = None  # older images are too late

    def add(self, stamp_ns: int, image: Image, queue_size: int) -> None:
        if self.used_ns is not None and stamp_ns <= self.used_ns:
            return
        if self.newest_ns is None or stamp_ns > self.newest_ns:
            self.period_ns = stamp_ns - self.newest_ns if self.newest_ns is not None else 0
            self.newest_ns = stamp_ns
        bisect.insort(self.waiting, (stamp_ns, image), key=_stamp)
        del self.waiting[:-queue_size]

    def nearest(self, stamp_ns: int) -> tuple[int, Image] | None:
        return min(self.waiting, key=lambda item: abs(item[0] - stamp_ns), default=None)

    def passed(self, stamp_ns: int) -> bool:
        return self.newest_ns is not None and self.newest_ns >= stamp_ns

    def settled(self, stamp_ns: int, distance_ns: int) -> bool:
        """Return whether no later image can be nearer to `stamp_ns`."""
        return self.passed(stamp_ns + distance_ns) or 2 * distance_ns <= self.period_ns

    def use_through(self, stamp_ns: int) -> None:
        self.used_ns = stamp_ns
        del self.waiting[: bisect.bisect_right(self.waiting, stamp_ns, key=_stamp)]


def _stamp(item: tuple[int, object]) -> int:
    return item[0]


class _WaitError(Exception):
    """A better partner may still arrive."""


@dataclass
class FramePairer(Generic[Image]):
    """
    Join the images of several cameras into frames; each image is used at most once.

    :param cameras: names in the order of concatenation; the first that is not silent leads.
    :param slop_ns: largest distance between the stamps of a frame's images.
    :param silence_ns: a camera whose stamps fall this far behind the newest stamp counts as lost.
        Frames go on without it until it comes back. For cameras with a longer period, three
        periods of the fastest camera count instead.
    :param queue_size: images kept per camera; the oldest are dropped first.

    A stamp more than a second before the newest of its camera means that time began anew (a bag
    looped, a clock was set back): everything that waits is forgotten.
    """

    cameras: Sequence[str]
    slop_ns: int = 50_000_000
    silence_ns: int = SECOND_NS // 2
    queue_size: int = 30
    unmatched: int = 0
    resets: int = 0
    _camera: dict[str, _Camera[Image]] = field(init=False, repr=False)
    _began_ns: int | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Drop all images, as if none had come."""
        self._camera = {name: _Camera() for name in self.cameras}
        self._began_ns = None

    def add(self, camera: str, stamp_ns: int, image: Image) -> list[Frame[Image]]:
        """
        Take one image and return the frames that it completes, oldest first.

        :raises KeyError: for an unknown camera.
        """
        newest_ns = self._camera[camera].newest_ns
        if newest_ns is not None and stamp_ns < newest_ns - SECOND_NS:
            self.reset()
            self.resets += 1
        if self._began_ns is None:
            self._began_ns = stamp_ns
        self._camera[camera].add(stamp_ns, image, self.queue_size)
        return list(self._complete())

    def _complete(self) -> Iterator[Frame[Image]]:
        while (leader := self._leader()) is not None:
            stamp_ns, image = self._camera[leader].waiting[0]
            others = [name for name in self.cameras if name != leader]
            try:
                partners = {name: self._partner(name, leader, stamp_ns) for name in others}
            except _WaitError:
                return
            self._camera[leader].use_through(stamp_ns)
            found = {name: item for name, item in partners.items() if item is not None}
            if any(not self._silent(name) for name in others if name not in found):
                self.unmatched += 1  # the other cameras are not silent, but have no image near
                continue
            for name, (partner_ns, _) in found.items():
                self._camera[name].use_through(partner_ns)
            yield self._frame({leader: (stamp_ns, image), **found})

    def _frame(self, items: dict[str, tuple[int, Image]]) -> Frame[Image]:
        ordered = {name: items[name] for name in self.cameras if name in items}
        stamps = {name: stamp_ns for name, (stamp_ns, _) in ordered.items()}
        images = {name: image for name, (_, image) in ordered.items()}
        return Frame(next(iter(stamps.values())), images, stamps)

    def _leader(self) -> str | None:
        """Return the first camera that is not silent, if it has an image to lead with."""
        alive = next((name for name in self.cameras if not self._silent(name)), None)
        return alive if alive is not None and self._camera[alive].waiting else None

    def _partner(self, name: str, leader: str, stamp_ns: int) -> tuple[int, Image] | None:
        """
        Return the image of `name` that pairs with the leader's; None if none will come.

        Each of the two must be the nearest to the other. Otherwise a fast camera would take the
        partner of its next image.
        """
        if self._silent(name):
            return None
        camera, best = self._camera[name], self._camera[name].nearest(stamp_ns)
        if best is None or abs(best[0] - stamp_ns) > self.slop_ns:
            if not camera.passed(stamp_ns + self.slop_ns):
                raise _WaitError
            return None
        distance_ns = abs(best[0] - stamp_ns)
        if not camera.settled(stamp_ns, distance_ns):
            raise _WaitError
        rival = self._camera[leader].nearest(best[0])
        if rival is not None and abs(rival[0] - best[0]) < distance_ns:
            return None
        if not self._camera[leader].settled(best[0], distance_ns):
            raise _WaitError
        return best

    def _silent(self, name: str) -> bool:
        cameras = self._camera.values()
        now_ns = max((c.newest_ns for c in cameras if c.newest_ns is not None), default=0)
        last_ns = self._camera[name].newest_ns
        since_ns = last_ns if last_ns is not None else self._began_ns
        fastest_ns = min((c.period_ns for c in cameras if c.period_ns), default=0)
        patience_ns = max(self.silence_ns, SILENT_PERIODS * fastest_ns)
        return since_ns is not None and now_ns - since_ns > patience_ns
