"""How much each pixel of a frame counts in the pooling: static ones, by its masks, count most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from husky_placerec.config import Config
from husky_placerec.semantics.ego_mask import EgoMask
from husky_placerec.semantics.segmenter import load_segmenter, MaskMaker, TimedSegmenter
from husky_placerec.semantics.tables import ClassTable, tables
from husky_placerec.types import FloatArray, Frame, Pixels
import numpy as np

# An image with a smaller static share shows no place: it counts as unusable.
LEAST_STATIC = 0.02
MASKED, MISSING = 'images with a mask', 'images without a mask'

Prepare = Callable[[str, Pixels], Pixels]  # a camera's image to the input size
Shares = Mapping[str, FloatArray]  # [h, w] static share of each pixel of the input, by camera


@dataclass(frozen=True)
class Masking:
    """
    Makes weights of masks: `floor + (1 - floor) * static share`.

    :param table: the classes of the masks.
    :param floor: weight of a pixel that moves, 0 to 1.
    :param ego: where the robot itself is, by camera.
    :param segmenter: makes the masks of images that come without one; None: nothing does.
    :ivar counts: images with and without a mask, for the diagnostics.
    """

    table: ClassTable
    floor: float
    ego: Mapping[str, EgoMask]
    segmenter: MaskMaker | None = None
    counts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, config: Config) -> Masking | None:
        """
        Make what a configuration asks for; None where masks are off.

        :raises InputError: for unknown classes, an ego mask or a network that cannot be read.
        """
        if not config.masks:
            return None
        table = tables()[config.mask_classes].with_dynamic(config.mask_dynamic)
        texts = {name: config.camera_config(name).ego_mask for name in config.cameras}
        parsed = {n: EgoMask.parse(t, f'camera.{n}.ego_mask') for n, t in texts.items()}
        segmenter = None
        if config.segmentation:
            segmenter = load_segmenter(
                Path(config.segmentation),
                config.mask_classes,
                config.segmentation_input,
                config.threads,
            )
        ego = {name: mask for name, mask in parsed.items() if mask is not None}
        return cls(table, config.mask_floor, ego, segmenter)

    def within(self, budget_s: float) -> Masking:
        """Return the same for a live robot, whose frames wait no longer for their masks."""
        timed = TimedSegmenter(self.segmenter, budget_s) if self.segmenter else None
        return Masking(self.table, self.floor, self.ego, timed)

    def shares(self, frame: Frame[Pixels], prepare: Prepare) -> dict[str, FloatArray]:
        """
        Return the static share of the pixels, 0 to 1, of each camera whose mask is known.

        :param frame: its masks are classes of the table.
        :param prepare: brings a camera's image to the input size.
        """
        masks = {camera: mask for camera, mask in frame.masks.items() if camera in frame.images}
        bare = {camera: image for camera, image in frame.images.items() if camera not in masks}
        if self.segmenter is not None and bare:
            masks.update(self.segmenter.segment(bare))
        self.counts[MASKED] += len(masks)
        self.counts[MISSING] += len(frame.images) - len(masks)
        found = {}
        for camera, image in frame.images.items():
            if camera not in masks and camera not in self.ego:
                continue
            size = image.shape[0], image.shape[1]
            static = np.full(size, 255, np.uint8)
            if camera in masks:
                static = self.table.static[masks[camera]]
            if camera in self.ego:
                static = np.where(self.ego[camera].hidden(size), 0, static).astype(np.uint8)
            found[camera] = np.asarray(prepare(camera, static) / np.float32(255), np.float32)
        return found

    def weights(self, share: FloatArray) -> FloatArray:
        """Return the weights of static shares."""
        return np.asarray(self.floor + (1 - self.floor) * share, np.float32)


def covered(shares: Shares) -> list[str]:
    """Return the cameras whose images show next to nothing static."""
    return [camera for camera, share in shares.items() if share.mean() < LEAST_STATIC]
