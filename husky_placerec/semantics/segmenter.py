"""A segmentation network that makes masks of images, at once or within a budget of time."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import cv2
from husky_placerec.errors import InputError
from husky_placerec.semantics.checking import checked_classes
from husky_placerec.semantics.runtimes import load_runtime
from husky_placerec.semantics.tables import ClassTable, tables, tables_of
from husky_placerec.types import Classes, Pixels
import numpy as np
from numpy.typing import NDArray

# Mean and standard deviation of images of 0 to 1.
INPUTS = {
    'imagenet': ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    'half': ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    'unit': ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}


class MaskMaker(Protocol):
    """Makes masks of the images of a frame."""

    def segment(self, images: Mapping[str, Pixels]) -> dict[str, Classes]:
        """Return the classes [H, W] of images [H, W, 3] by camera, of those that it could do."""


class Segmenter:
    """
    A network that gives each pixel a class, as a file of ONNX or TFLite.

    The network may return scores of the classes, [1, K, h, w] or [1, h, w, K], or their numbers.

    :param table: the classes of its output.
    :param normalization: of images of float32: a name in INPUTS.
    :raises InputError: for a file that cannot be run, and for other classes than the table's.
    """

    def __init__(
        self, file: Path, table: ClassTable, normalization: str = 'imagenet', threads: int = 1
    ) -> None:
        self._file, self._table = file, table
        self._runtime = load_runtime(file, threads)
        mean, std = INPUTS[normalization]
        self._mean = np.array(mean, np.float32) * 255
        self._scale = 1 / (np.array(std, np.float32) * 255)
        names = self._runtime.names
        if names and names != table.names:
            raise InputError(
                f'{file}: its classes are {", ".join(names[:4])}, ... ({len(names)}); '
                f'mask_classes is {table.name} ({len(table)}){_or(tables_of(len(names)))}'
            )
        blank = np.zeros((self._runtime.takes.height, self._runtime.takes.width, 3), np.uint8)
        self._classes_of(blank)  # refuses other classes before the first drive

    def segment(self, images: Mapping[str, Pixels]) -> dict[str, Classes]:
        """
        Return the classes [H, W] of images [H, W, 3] by camera.

        :raises InputError: for numbers that are not in the table.
        """
        return {camera: self.classes(image) for camera, image in images.items()}

    def classes(self, image: Pixels) -> Classes:
        """Return the classes [H, W] of an image [H, W, 3]."""
        height, width = image.shape[:2]
        found = self._classes_of(image)
        whole = cv2.resize(found, (width, height), interpolation=cv2.INTER_NEAREST)
        return np.asarray(whole, np.uint8)

    def _classes_of(self, image: Pixels) -> Classes:
        """Return [h, w] at the size of the network's output."""
        takes = self._runtime.takes
        small = cv2.resize(image, (takes.width, takes.height), interpolation=cv2.INTER_AREA)
        if takes.dtype == np.float32:
            given: NDArray[Any] = (small.astype(np.float32) - self._mean) * self._scale
        else:
            given = (small.astype(np.int16) - 128 * (takes.dtype == np.int8)).astype(takes.dtype)
        given = given.transpose(2, 0, 1) if takes.channels_first else given
        try:
            output = self._runtime.run(np.ascontiguousarray(given[None]))
        except Exception as error:  # the runtimes raise many kinds
            raise InputError(f'{self._file}: cannot be run ({error})') from error
        numbers = self._numbers(output)
        return checked_classes(numbers, numbers.shape, self._table, str(self._file))

    def _numbers(self, output: NDArray[Any]) -> NDArray[np.int64]:
        """Return [h, w]: the class with the highest score, or the numbers themselves."""
        shape, count = output.shape, len(self._table)
        if output.ndim == 4 and shape[1] == count:
            return np.asarray(output[0].argmax(axis=0))
        if output.ndim == 4 and shape[3] == count:
            return np.asarray(output[0].argmax(axis=2))
        plain = output.reshape([n for n in shape if n != 1])
        if plain.ndim == 2 and (output.ndim == 3 or 1 in (shape[1], shape[-1])):
            return np.asarray(plain, np.int64)
        sides = [shape[1], shape[-1]] if output.ndim == 4 else []
        fitting = [name for side in sides for name in tables_of(side)]
        raise InputError(
            f'{self._file}: its output is {list(shape)}; expected the scores of the {count} '
            f'classes of {self._table.title} (mask_classes is {self._table.name}), or their '
            f'numbers [1, h, w]{_or(fitting)}'
        )


class TimedSegmenter:
    """
    Lets a network work in a thread of its own, and waits for it no longer than a budget.

    While it still works at the images of an earlier frame, the next frames go without masks.

    :param budget_s: longest wait for the masks of a frame, in seconds.
    """

    def __init__(self, segmenter: MaskMaker, budget_s: float) -> None:
        self._segmenter, self._budget_s = segmenter, budget_s
        self._pool = ThreadPoolExecutor(1, 'segmentation')
        self._work: Future[None] | None = None
        self.failures = 0
        self.problem = ''  # what the network failed by last

    def segment(self, images: Mapping[str, Pixels]) -> dict[str, Classes]:
        """Return the masks that are ready within the budget, by camera."""
        if self._work is not None and not self._work.done():
            return {}
        found: dict[str, Classes] = {}
        self._work = self._pool.submit(self._fill, found, dict(images))
        try:
            self._work.result(self._budget_s)
        except TooLate:
            pass
        except Exception as error:  # a frame goes on without masks, whatever a network does
            self.failures += 1
            self.problem = f'{type(error).__name__}: {error}'
        return dict(found)

    def _fill(self, found: dict[str, Classes], images: Mapping[str, Pixels]) -> None:
        for camera, image in images.items():
            found[camera] = self._segmenter.segment({camera: image})[camera]


@lru_cache(maxsize=4)
def load_segmenter(file: Path, table: str, normalization: str, threads: int) -> Segmenter:
    """
    Load a network once in a process.

    :raises InputError: as Segmenter.
    """
    return Segmenter(file, tables()[table], normalization, threads)


def _or(fitting: list[str]) -> str:
    return f'; its number of classes would fit {" or ".join(fitting)}' if fitting else ''
