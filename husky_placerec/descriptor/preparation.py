"""How the image of each camera is brought to the input size, upright and in the common view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import cv2
from husky_placerec.cameras.intrinsics import Intrinsics
from husky_placerec.cameras.known import cameras_of, KnownCamera
from husky_placerec.cameras.views import alike, Choice, choose_view
from husky_placerec.config import Config
from husky_placerec.descriptor.pinhole import make_pinhole, VirtualPinhole
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.types import CameraNeeds, Pixels
import numpy as np

Cameras = Mapping[str, KnownCamera]


@dataclass(frozen=True)
class Preparation:
    """
    Brings a camera's image to the input size, through the virtual pinhole where there is one.

    :param size: width and height in pixels.
    :param turns: quarter turns, counterclockwise, by camera that is not mounted upright.
    :param cameras: what is known of each camera.
    :param notes: what was assumed, in sentences.
    """

    size: tuple[int, int]
    pinhole: VirtualPinhole | None = None
    turns: Mapping[str, int] = field(default_factory=dict)
    cameras: Cameras = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, spec: DescriptorSpec, config: Config, mapped: Cameras | None = None
    ) -> Preparation:
        """
        Make the preparation that a descriptor's spec and the cameras' intrinsics require.

        :param mapped: the cameras of the map that is searched; None: there is no map yet. Cameras
            of which nothing is known count as those of the map. Where the map has no virtual
            pinhole, unlike cameras are resampled to its own.
        :raises InputError: for a virtual pinhole and a camera of unknown intrinsics, and for a
            camera that fills too little of the view.
        """
        size = (spec.input_width, spec.input_height)
        cameras = cameras_of(config)
        notes: tuple[str, ...] = ()
        if mapped is not None:
            cameras, notes = _as_mapped(cameras, mapped)
        lenses = {name: lens for name, each in cameras.items() if (lens := each.lens) is not None}
        if spec.pinhole_focal:
            pinhole = make_pinhole(config, spec.pinhole_focal, size, lenses)
        else:
            pinhole, notes = _like_the_map(lenses, mapped or {}, size), ()
        turns = {name: each.turns for name, each in cameras.items() if each.turns}
        return cls(size, pinhole, turns, cameras, notes)

    @property
    def in_words(self) -> str:
        """How the images of each camera are brought to the input size."""
        through = list(self.pinhole.cameras) if self.pinhole is not None else []
        words = []
        if self.pinhole is not None:
            focal = self.pinhole.focal
            view = f'a virtual pinhole of {focal:g} widths' if focal else "the map's own cameras"
            words.append(f'{", ".join(through)} resampled to {view}')
        if rest := [name for name in self.cameras if name not in through]:
            words.append(f'{", ".join(rest)} as they come')
        if self.turns:
            words.append(f'{", ".join(self.turns)} turned upright')
        return f'images: {"; ".join(words)}'

    def needed(self, camera: str, width: int, height: int) -> tuple[int, int]:
        """Return the size to which an image of a size is shrunk first, before it is turned."""
        if self.pinhole is not None and camera in self.pinhole.cameras:
            return self.pinhole.shrunk(camera, (width, height))
        upright = self.turns.get(camera, 0) % 2 == 0
        return self.size if upright else (self.size[1], self.size[0])

    def __call__(self, camera: str, image: Pixels) -> Pixels:
        """Return the image at the input size."""
        if self.pinhole is not None and camera in self.pinhole.cameras:
            return self.pinhole.resample(camera, image)
        if turns := self.turns.get(camera, 0):
            image = np.ascontiguousarray(np.rot90(image, turns))
        return resize(image, self.size)


def needed_by(config: Config, *preparations: Preparation) -> CameraNeeds:
    """
    Return what tells the size from which no preparation enlarges an image.

    :param config: a segmentation network that it names gets whole images.
    """
    if config.masks and config.segmentation:
        return lambda camera, width, height: (width, height)

    def needed(camera: str, width: int, height: int) -> tuple[int, int]:
        sizes = [each.needed(camera, width, height) for each in preparations]
        return max(size[0] for size in sizes), max(size[1] for size in sizes)

    return needed


def choose_for(spec: DescriptorSpec, config: Config) -> Choice | None:
    """Return the virtual pinhole of a new map; None where the configuration decides that."""
    if config.pinhole != 'auto' or config.pinhole_focal:
        return None
    lenses = {name: camera.lens for name, camera in cameras_of(config).items()}
    return choose_view(lenses, (spec.input_width, spec.input_height))


def resize(image: Pixels, size: tuple[int, int]) -> Pixels:
    """Resize to (width, height); the average over areas keeps fine texture from aliasing."""
    if (image.shape[1], image.shape[0]) == size:
        return image
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _as_mapped(
    cameras: Cameras, mapped: Cameras
) -> tuple[dict[str, KnownCamera], tuple[str, ...]]:
    """Return cameras with what only the map knows, and a note on the intrinsics from there."""
    found, borrowed = {}, []
    for name, camera in cameras.items():
        known = mapped.get(name, KnownCamera())
        lens = camera.intrinsics or known.intrinsics
        if camera.intrinsics is None and known.intrinsics is not None:
            borrowed.append(name)
        # The images of a map are upright only where it knows how its cameras are mounted.
        mounting = (camera.mounting or known.mounting) if known.mounting is not None else None
        found[name] = replace(camera, intrinsics=lens, mounting=mounting)
    if not borrowed:
        return found, ()
    return found, (
        f'the intrinsics of {", ".join(borrowed)} are not known; those that the map was built '
        'with are used',
    )


def _like_the_map(
    lenses: Mapping[str, Intrinsics], mapped: Cameras, size: tuple[int, int]
) -> VirtualPinhole | None:
    """Return the resampling to the cameras of a map that has no virtual pinhole."""
    views = {}
    for name, lens in lenses.items():
        theirs = mapped.get(name, KnownCamera()).lens
        if theirs is not None and not alike(lens, theirs):
            straight = replace(theirs, model='plumb_bob', distortion=())
            views[name] = straight.upright.scaled(*size)
    if not views:
        return None
    made = VirtualPinhole({name: lenses[name] for name in views}, 0.0, size, views)
    made.require_filled()
    return made
