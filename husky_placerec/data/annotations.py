"""The masks and texts of ITLP-Campus, read on demand."""

from __future__ import annotations

from dataclasses import dataclass
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
NUMBER = re.compile(r'-?\d+(?:\.\d+)?')


@dataclass(frozen=True)
class TextLabel:
    """
    A text seen in an image.

    :param box: left, top, right, bottom in pixels; None where the table has none.
    """

    text: str
    box: tuple[float, float, float, float] | None


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
            label = TextLabel(row.text('text'), _box(row))
            labels.setdefault(stamp_ns // MICROSECOND_NS, []).append(label)
        return labels


def _box(row: Row) -> tuple[float, float, float, float] | None:
    """Return the box from four columns, or around the points in one column."""
    listed = ' '.join(row.text(name) for name in (*BOX_COLUMNS, *CORNER_COLUMNS))
    numbers = [float(number) for number in NUMBER.findall(listed)]
    if len(numbers) < 4 or len(numbers) % 2:
        return None
    xs, ys = numbers[::2], numbers[1::2]
    return min(xs), min(ys), max(xs), max(ys)
