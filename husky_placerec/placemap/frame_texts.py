"""The texts of the frames of a drive or of a robot: as a track lists them, or read by OCR."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from husky_placerec.config import Config
from husky_placerec.data.annotations import TextLabel
from husky_placerec.data.itlp import Track
from husky_placerec.data.source import Source
from husky_placerec.errors import InputError
from husky_placerec.semantics.tables import tables
from husky_placerec.texts.detector import TextDetector
from husky_placerec.texts.map_texts import limited
from husky_placerec.texts.ocr import Quad, SignReader
from husky_placerec.texts.regions import quads_of, TEXT_CLASSES
from husky_placerec.texts.seen import SeenText, shares, tidy
from husky_placerec.types import Classes, Frame, Pixels
import numpy as np

LabelsOf = Callable[[str, int], Sequence[TextLabel]]  # of a camera and the stamp of its image
OFF, LABELS, OCR = 'off', 'labels', 'ocr'


class FrameTexts:
    """
    Tells the texts of a frame, as the parameter `texts` says.

    :param drive: that the frames are of; None: they come from a robot, which has no labels.
    :param budget_s: time for the signs of one image.
    Signs are read where the labels of a track are; an image without labels where its mask has a
    class of TEXT_CLASSES, and an image without a mask where the detector finds text.

    :raises InputError: for labels where there are none, OCR that is not installed, and OCR that
        nothing tells where to read.
    """

    def __init__(
        self, config: Config, drive: Source | None = None, budget_s: float = float('inf')
    ) -> None:
        self._labels: LabelsOf | None = drive.texts if isinstance(drive, Track) else None
        self._read = config.texts == OCR
        detector = config.text_detector
        table = tables()[config.mask_classes]
        self._signs = [k for k, name in enumerate(table.names) if name in TEXT_CLASSES]
        masked = config.masks and bool(self._signs)
        if self._labels is None and not (self._read and (detector or masked)):
            where = drive.path if drive is not None else 'the robot'
            raise InputError(
                f'texts {config.texts}: {where} has no boxes of texts; expected a track with '
                'text_labels, or texts=ocr with masks, or with text_detector=FILE'
            )
        self._detector = TextDetector(Path(detector)) if self._read and detector else None
        self._reader = SignReader(budget_s) if self._read else None

    def __call__(self, frame: Frame[Pixels]) -> tuple[SeenText, ...]:
        """Return the texts of all cameras, at most those of one place."""
        found: list[SeenText] = []
        for camera, image in frame.images.items():
            stamp_ns, mask = frame.image_stamps_ns[camera], frame.masks.get(camera)
            found += self._of_image(camera, image, stamp_ns, mask)
        return limited(found)

    def _of_image(
        self, camera: str, image: Pixels, stamp_ns: int, mask: Classes | None
    ) -> Sequence[SeenText]:
        labels = [] if self._labels is None else list(self._labels(camera, stamp_ns))
        if self._reader is None:
            height, width = image.shape[:2]
            readable = [label for label in labels if label.readable and tidy(label.text)]
            return [_as_written(label, camera, width, height) for label in readable]
        sought = (corners_of(label) for label in labels if label.readable)
        quads: list[Quad] = [quad for quad in sought if quad is not None]
        if not labels and mask is not None and self._signs:
            quads += quads_of(np.isin(mask, self._signs))
        elif not labels and self._detector is not None:
            quads += self._detector.find(image)
        return self._reader.read(image, quads, camera)


def corners_of(label: TextLabel) -> Quad | None:
    """Return the corners of a label, or those of its box; None where it has neither."""
    if label.quad is not None or label.box is None:
        return label.quad
    x0, y0, x1, y1 = label.box
    return (x0, y0), (x1, y0), (x1, y1), (x0, y1)


def frame_texts(
    config: Config, drive: Source | None = None, budget_s: float = float('inf')
) -> FrameTexts | None:
    """Return what tells the texts of frames; None where `texts` is off."""
    return None if config.texts == OFF else FrameTexts(config, drive, budget_s)


def _as_written(label: TextLabel, camera: str, width: int, height: int) -> SeenText:
    quad = corners_of(label)
    corners = None if quad is None else shares(quad, width, height)
    return SeenText(tidy(label.text), camera, 1.0, corners)
