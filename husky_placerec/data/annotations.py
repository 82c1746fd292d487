"""The masks and texts of ITLP-Campus, read on demand."""

from __future__ import annotations

from dataclasses import dataclass
import math
from pathlib import Path
import re

from husky_placerec.data.image_index import ImageIndex, MICROSECOND_NS, read_image
from husky_placerec.data.images import decode_unchanged
from husky_placerec.data.problems import Problems
from husky_placerec.data.stamps import parse_stamp
from husky_placerec.data.tables import read_table, Row
from husky_placerec.errors import InputError
import numpy as np
from numpy.typing import NDArray

CLASSES = 65  # of the data set Mapillary Vistas
MASKS, TEXTS = 'masks', 'text_labels'
BOX_COLUMNS = ('box', 'bbox')
CORNER_COLUMNS = ('x0', 'y0', 'x1', 'y1')
LEAST_LETTER_PX = 8.0  # of a text that can be read
QUAD_COLUMN = 'quad'
NUMBER = re.compile(r'-?\d+(?:\.\d+)?')


@dataclass(frozen=True)
class TextLabel:
    """
    A text seen in an image.

    :param box: left, top, right, bottom in pixels; None where the table has none.
    :param quad: x y of the corners upper left, upper right, lower right and lower left of the
        text, in pixels; None where the table has no four corners.
    :param letter_px: height of the capital letters in pixels; None where it is not known.
    :param whole: the whole sign is in view; None where it is not known.
    """

    text: str
    box: tuple[float, float, float, float] | None
    quad: tuple[tuple[float, float], ...] | None = None
    letter_px: float | None = None
    whole: bool | None = None

    @property
    def readable(self) -> bool:
        """Whether the text can be read, as far as that is known: it is whole and large enough."""
        return self.whole is not False and not (self.letter_px or math.inf) < LEAST_LETTER_PX


class Annotations:
    """
    The masks and texts of a track folder; missing and broken files are noted.

    :param folder: contains `masks/<camera>/` and `text_labels/`.
    """

    def __init__(self, folder: Path, problems: Problems) -> None:
        self._folder = folder
        self._problems = problems
        self._masks: dict[str, ImageIndex] = {}
        self._texts: dict[str, dict[int, list[TextLabel]]] = {}

    def mask(self, camera: str, stamp_ns: int) -> NDArray[np.uint8] | None:
        """Return [H, W] classes of Mapillary Vistas, 0 to 64; None where there is no mask."""
        file = self.mask_file(camera, stamp_ns)
        if file is None:
            return None
        try:
            mask = decode_unchanged(read_image(file))
        except InputError:
            mask = None
        if mask is None or mask.ndim != 2 or mask.dtype != np.uint8 or mask.max() >= CLASSES:
            found = 'no image' if mask is None else f'{mask.dtype} {list(mask.shape)}'
            self._problems.note(
                f'mask that is not one channel of classes below {CLASSES}, done without',
                f'{MASKS}/{camera}/{file.name} ({found})',
            )
            return None
        return np.asarray(mask, np.uint8)

    def mask_file(self, camera: str, stamp_ns: int) -> Path | None:
        """Return the file of the mask of an image; a missing one is noted."""
        if camera not in self._masks:
            self._masks[camera] = ImageIndex(self._folder / MASKS / camera)
        file = self._masks[camera].find(stamp_ns)
        if file is None:
            self._problems.note('missing mask', f'{MASKS}/{camera}/{stamp_ns}.png')
        return file

    def texts(self, camera: str, stamp_ns: int) -> list[TextLabel]:
        """Return the texts of an image; the table has no row for an image without text."""
        if camera not in self._texts:
            self._texts[camera] = self._read_texts(camera)
        return self._texts[camera].get(stamp_ns // MICROSECOND_NS, [])

    def _read_texts(self, camera: str) -> dict[int, list[TextLabel]]:
        file = self._folder / TEXTS / f'{camera}_text_labels.csv'
        if not file.is_file():
            self._problems.note('missing table of texts', f'{TEXTS}/{file.name}')
            return {}
        labels: dict[int, list[TextLabel]] = {}
        try:
            table = read_table(file)
        except InputError as error:
            self._problems.note('broken table of texts', str(error))
            return {}
        for row in table.rows:
            try:
                stamp_ns = parse_stamp(Path(row.text('path')).stem)
            except (ValueError, ArithmeticError):
                self._problems.note('text of no image', row.where)
                continue
            label = _label(row)
            if label.box is None:
                self._problems.note('text without a box', row.where)
            labels.setdefault(stamp_ns // MICROSECOND_NS, []).append(label)
        return labels


def _label(row: Row) -> TextLabel:
    """Return a label; its box is that of four columns, or lies around the points in one column."""
    points, corners = _points(row, *BOX_COLUMNS, *CORNER_COLUMNS), _points(row, QUAD_COLUMN)
    points, corners = points or corners, corners or points
    box = None
    if len(points) >= 2:
        xs, ys = zip(*points)
        box = min(xs), min(ys), max(xs), max(ys)
    letter_px = NUMBER.fullmatch(row.text('letter_px'))
    whole = row.text('whole')
    return TextLabel(
        row.text('text'),
        box,
        corners if len(corners) == 4 else None,
        float(letter_px[0]) if letter_px else None,
        whole == '1' if whole in ('0', '1') else None,
    )


def _points(row: Row, *columns: str) -> tuple[tuple[float, float], ...]:
    """Return the points whose coordinates stand in some columns; none for an odd count."""
    listed = ' '.join(row.text(name) for name in columns)
    numbers = [float(number) for number in NUMBER.findall(listed)]
    return () if len(numbers) % 2 else tuple(zip(numbers[::2], numbers[1::2]))
