"""The account of a paired drive: which images found a partner, which did not, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
import math
from pathlib import Path
from typing import Any

from husky_placerec.data.pairing import FramePairer, SILENT_PERIODS
from husky_placerec.errors import InputError
from husky_placerec.types import Frame, Indices, SECOND_NS
import numpy as np

MANY = 0.05  # share of the images of a camera that is worth a warning
MARGIN_S = 0.01  # between the largest distance of a pair and the named slop
MOST_SLOP_S = 1.0  # the largest value of the parameter

# Why an image is in no frame, or in a frame without the other cameras.
NO_OTHER = 'no other camera had an image then'
TOO_FAR = 'the nearest image of another camera is further away than slop'
NOT_NEAREST = 'an image nearer in time took the partner'
NOT_LATER = 'the stamp is not later than the one before'

Arrival = tuple[str, int]  # camera, stamp in ns


@dataclass(frozen=True)
class PairingRule:
    """The parameters of the pairing, as in `FramePairer`; durations in ns."""

    slop_ns: int
    silence_ns: int
    queue_size: int


@dataclass(frozen=True)
class CameraAccount:
    """
    The images of one camera.

    :param images: number of all its images.
    :param spare: number of images that must have no partner, because another camera is slower.
    :param without: number of images without a partner, for each reason.
    :param alone: number of frames that have only this camera, and `lacking` without it.
    :param last_frame: number of the last frame with this camera, from 1; 0: none has it.
    :param apart_ms: median distance of the images that are TOO_FAR from the nearest one.
    :param stopped: whether there are at least two images, and all have one stamp.
    """

    images: int
    spare: int
    without: Mapping[str, int]
    alone: int
    lacking: int
    last_frame: int
    apart_ms: float
    stopped: bool

    @property
    def unpaired(self) -> int:
        """The number of images that found no partner."""
        return sum(self.without.values())


@dataclass(frozen=True)
class PairingAccount:
    """
    The account of a drive; every command prints it the same way.

    :param frames: number of frames.
    :param needed_slop_s: the slop that would pair the images that are too far apart; None where no
        value would.
    """

    frames: int
    cameras: Mapping[str, CameraAccount]
    slop_s: float
    needed_slop_s: float | None

    def sentence(self) -> str:
        """Return what was paired, in one line."""
        images = ' and '.join(f'{each.images} {name}' for name, each in self.cameras.items())
        lone = [self._without(name) for name, each in self.cameras.items() if each.unpaired]
        if len(self.cameras) > 1:
            lone = lone or ['every image found a partner']
        return '; '.join([f'{self.frames} frames of {images} images', *lone])

    def warnings(self) -> list[str]:
        """Return what cost many images, each with its remedy."""
        found = []
        for name, each in self.cameras.items():
            if not each.images:
                found.append(f'{name}: no images at all; look at the camera and at its topic')
            elif each.lacking > MANY * self.frames:
                found.append(self._lacking(name))
            surprising = each.unpaired - each.alone - each.spare
            if surprising > MANY * each.images:
                found.append(f'{self._without(name)}; {self._remedy(each)}')
        return found

    def require_clocks(self, path: Path) -> None:
        """
        Refuse a drive without a clock.

        :raises InputError: for a camera whose images all have one stamp.
        """
        for name, each in self.cameras.items():
            if each.stopped:
                raise InputError(
                    f'{path}: all {each.images} {name} images have one stamp; expected the time '
                    'of each image; the driver must fill header.stamp, record again'
                )

    def _without(self, name: str) -> str:
        each = self.cameras[name]
        why = ', '.join(
            f'{count} because {reason}{self._distance(each, reason)}'
            for reason, count in each.without.items()
        )
        share = each.unpaired / each.images
        return f'{each.unpaired} {name} images ({share:.0%}) found no partner: {why}'

    def _distance(self, each: CameraAccount, reason: str) -> str:
        if reason != TOO_FAR:
            return ''
        return f' ({each.apart_ms:.0f} ms, slop is {1000 * self.slop_s:.0f} ms)'

    def _lacking(self, name: str) -> str:
        each = self.cameras[name]
        end = ''
        if self.frames - each.last_frame > MANY * self.frames:
            end = f', none after frame {each.last_frame}'
        return (
            f'{name}: {each.lacking} of {self.frames} frames have no {name} image{end}; look at '
            'the camera, or cut that part out'
        )

    def _remedy(self, each: CameraAccount) -> str:
        if self.needed_slop_s is not None:
            return f'--set slop={self.needed_slop_s:.2f} would pair them'
        if each.without.get(TOO_FAR, 0):
            return 'no value of slop would pair them; synchronise the cameras'
        return 'look at the stamps of the camera: placerec data check'


@dataclass
class PairingTally:
    """
    Counts the images and the frames of a drive while it is paired.

    :param rule: the parameters of the pairing; None where a table says which images are a frame.
    """

    cameras: Sequence[str]
    rule: PairingRule | None
    _arrivals: list[Arrival] = field(default_factory=list, init=False)
    _frames: list[Mapping[str, int]] = field(default_factory=list, init=False)

    def came(self, camera: str, stamp_ns: int) -> None:
        """Count an image."""
        self._arrivals.append((camera, stamp_ns))

    def paired(self, frame: Frame[Any]) -> None:
        """Count a frame."""
        self._frames.append(frame.image_stamps_ns)

    def account(self) -> PairingAccount:
        """Return the account of all that was counted."""
        stamps = {name: self._stamps(name) for name in self.cameras}
        judged = {name: self._judge(name, stamps) for name in self.cameras}
        cameras = {
            name: self._of_camera(name, stamps[name], *judged[name]) for name in self.cameras
        }
        slop_s = self.rule.slop_ns / SECOND_NS if self.rule else 0.0
        far = [each for name, each in cameras.items() if each.without.get(TOO_FAR, 0)]
        distances = np.concatenate([apart for _, apart in judged.values()])
        needed = self._needed_slop_s(distances) if far else None
        return PairingAccount(len(self._frames), cameras, slop_s, needed)

    def _stamps(self, name: str) -> list[int]:
        return [stamp_ns for camera, stamp_ns in self._arrivals if camera == name]

    def _period_ns(self, name: str) -> int:
        """Return the median period of a camera; 0 where it is not known."""
        steps = np.diff(_array(self._stamps(name)))
        return int(np.median(steps[steps > 0])) if (steps > 0).any() else 0

    def _spare(self, name: str, images: int) -> int:
        """Return how many images have no partner because the other cameras are slower."""
        slowest_ns = max(self._period_ns(other) for other in self.cameras)
        own_ns = self._period_ns(name) or slowest_ns
        return round(images * (1 - own_ns / slowest_ns)) if slowest_ns else 0

    def _of_camera(
        self, name: str, stamps: Sequence[int], without: Mapping[str, int], far_ns: Indices
    ) -> CameraAccount:
        there = [number for number, frame in enumerate(self._frames, 1) if name in frame]
        alone = sum(len(frame) == 1 and name in frame for frame in self._frames)
        return CameraAccount(
            images=len(stamps),
            spare=self._spare(name, len(stamps)),
            without=without,
            alone=alone if len(self.cameras) > 1 else 0,
            lacking=len(self._frames) - len(there),
            last_frame=max(there, default=0),
            apart_ms=float(np.median(far_ns)) / 1e6 if len(far_ns) else 0.0,
            stopped=len(stamps) > 1 and len(set(stamps)) == 1,
        )

    def _judge(
        self, name: str, stamps: Mapping[str, Sequence[int]]
    ) -> tuple[dict[str, int], Indices]:
        """Return why images of a camera have no partner, and in ns how far TOO_FAR is."""
        if len(self.cameras) == 1:
            return {}, np.empty(0, np.int64)
        paired = {frame[name] for frame in self._frames if name in frame and len(frame) > 1}
        single = {frame[name] for frame in self._frames if name in frame and len(frame) == 1}
        others = np.sort(np.concatenate([_array(stamps[n]) for n in self.cameras if n != name]))
        reasons: Counter[str] = Counter()
        far: list[int] = []
        newest_ns, patience_ns = -1, self._patience_ns()
        for stamp_ns in stamps[name]:
            late, newest_ns = stamp_ns <= newest_ns, max(newest_ns, stamp_ns)
            if stamp_ns in paired:
                paired.discard(stamp_ns)
            elif stamp_ns in single:
                single.discard(stamp_ns)
                reasons[NO_OTHER] += 1
            elif late:
                reasons[NOT_LATER] += 1
            else:
                apart_ns = _distance_ns(others, stamp_ns)
                reason = self._reason(apart_ns, patience_ns)
                reasons[reason] += 1
                if reason == TOO_FAR and apart_ns is not None:
                    far.append(apart_ns)
        return dict(reasons), _array(far)

    def _reason(self, apart_ns: int | None, patience_ns: int) -> str:
        if self.rule is None or apart_ns is None:
            return NO_OTHER
        if apart_ns <= self.rule.slop_ns:
            return NOT_NEAREST
        return TOO_FAR if apart_ns <= patience_ns else NO_OTHER

    def _patience_ns(self) -> int:
        """Return the time after which a camera counts as silent, as the pairing defines it."""
        if self.rule is None:
            return 0
        periods = filter(None, map(self._period_ns, self.cameras))
        return max(self.rule.silence_ns, SILENT_PERIODS * min(periods, default=0))

    def _needed_slop_s(self, far_ns: Indices) -> float | None:
        """Return the least slop that leaves few images unpaired, by pairing the stamps again."""
        assert self.rule is not None
        for quantile in (0.95, 1.0):
            distance_s = float(np.quantile(far_ns, quantile)) / SECOND_NS
            slop_s = min(math.ceil((distance_s + MARGIN_S) * 100) / 100, MOST_SLOP_S)
            if distance_s <= slop_s and self._pairs_by(slop_s):
                return slop_s
        return None

    def _pairs_by(self, slop_s: float) -> bool:
        rule = self.rule
        assert rule is not None
        pairer: FramePairer[None] = FramePairer(
            self.cameras, round(slop_s * SECOND_NS), rule.silence_ns, rule.queue_size
        )
        again = PairingTally(self.cameras, None)
        for camera, stamp_ns in self._arrivals:
            again.came(camera, stamp_ns)
            for frame in pairer.add(camera, stamp_ns, None):
                again.paired(frame)
        return again._complete() > self._complete() and again._few_lost()

    def _complete(self) -> int:
        return sum(len(frame) > 1 for frame in self._frames)

    def _few_lost(self) -> bool:
        """Return whether the camera with the fewest images is nearly always in a frame."""
        counts = Counter(camera for camera, _ in self._arrivals)
        rarest = min(self.cameras, key=lambda name: counts[name])
        there = sum(rarest in frame and len(frame) > 1 for frame in self._frames)
        return there >= (1 - MANY) * counts[rarest]


def _array(stamps: Iterable[int]) -> Indices:
    return np.array(list(stamps), np.int64)


def _distance_ns(ordered: Indices, stamp_ns: int) -> int | None:
    """Return the distance to the nearest of some ordered stamps; None without any."""
    if not len(ordered):
        return None
    after = int(np.searchsorted(ordered, stamp_ns))
    near = ordered[max(after - 1, 0) : after + 1]
    return int(np.abs(near - stamp_ns).min())
