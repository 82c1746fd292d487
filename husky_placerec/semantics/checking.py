"""The check of a mask: one class number a pixel, of a known table, at the size of its image."""

from __future__ import annotations

from husky_placerec.errors import InputError
from husky_placerec.semantics.tables import ClassTable, tables, VOID
from husky_placerec.types import Classes
import numpy as np
from numpy.typing import NDArray

LOOKED_AT = 20_000  # pixels, to recognise the colours of a table
COLOURED = 0.9  # share of them that have a colour of the table
SHOWN = 5  # numbers that an error names


class MaskError(InputError):
    """A mask that is readable, and is not what the parameters say: so are all of its source."""


def checked_classes(
    mask: NDArray[np.generic], size: tuple[int, int], table: ClassTable, source: str
) -> Classes:
    """
    Return a mask as classes [H, W].

    :param mask: as decoded; colours are RGB.
    :param size: height and width of its image.
    :param source: the file, or the topic and the stamp.
    :raises MaskError: for another size, for colours instead of classes, and for numbers that the
        table does not have.
    """
    if mask.ndim == 3 and mask.shape[2] == 1:
        mask = mask[..., 0]
    if mask.shape[:2] != size:
        raise MaskError(
            f'{source}: the mask is {_size(mask.shape)}, its image {_size(size)}; expected the '
            'size of the image'
        )
    if mask.ndim != 2:
        raise MaskError(
            f'{source}: the mask has colours{_table_of_colours(mask)}; expected one channel with '
            f'the number of a class in each pixel (mask_classes is {table.name})'
        )
    if not np.issubdtype(mask.dtype, np.integer):
        raise MaskError(f'{source}: the mask has {mask.dtype}; expected whole numbers')
    unknown = np.unique(mask)
    unknown = unknown[((unknown >= len(table)) & (unknown != VOID)) | (unknown < 0)]
    if len(unknown):
        raise MaskError(f'{source}: {_unknown(unknown, table)}')
    return np.asarray(mask, np.uint8)


def _unknown(numbers: NDArray[np.generic], table: ClassTable) -> str:
    """Return what is wrong with numbers that are not in a table, and which tables have them."""
    shown = ', '.join(str(number) for number in numbers[:SHOWN])
    more = ', ...' if len(numbers) > SHOWN else ''
    largest = int(numbers.max())
    others = [name for name, other in tables().items() if largest < len(other)]
    fitting = f'; they would fit mask_classes: {" or ".join(others)}' if others else ''
    return (
        f'the mask has the numbers {shown}{more}; expected 0 to {len(table) - 1} of '
        f'{table.title} (mask_classes is {table.name}), or {VOID} for no class{fitting}'
    )


def _table_of_colours(mask: NDArray[np.generic]) -> str:
    """Return which table has the colours of a mask, in words; empty where none has."""
    pixels = np.asarray(mask[..., :3]).reshape(-1, 3)
    pixels = pixels[:: max(1, len(pixels) // LOOKED_AT)]
    shares = {
        table.title: float(np.isin(_packed(pixels), _packed(table.colours)).mean())
        for table in tables().values()
    }
    best = max(shares, key=lambda title: shares[title])
    return f', those of {best}' if shares[best] >= COLOURED else ' of no known table'


def _packed(colours: NDArray[np.generic]) -> NDArray[np.int64]:
    return np.asarray(colours, np.int64) @ np.array([65536, 256, 1])


def _size(shape: tuple[int, ...]) -> str:
    return f'{shape[1]}x{shape[0]}' if len(shape) > 1 else f'of shape {list(shape)}'
