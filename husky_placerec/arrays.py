"""Reading of NumPy arrays that may come from someone else."""

from __future__ import annotations

from pathlib import Path
import tokenize
from typing import Any

from husky_placerec.errors import InputError
import numpy as np

# What NumPy raises for a file that is no array, or whose header claims what the file has not.
BROKEN = ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, OSError, TypeError
BROKEN_HEADER = RecursionError, SyntaxError, tokenize.TokenError, ValueError


def map_array(path: Path, file: Path | None = None) -> np.ndarray[Any, Any]:
    """
    Map an .npy file into memory; nothing is allocated by the shape that it claims.

    :param file: its name in errors, if it is read by another path.
    :raises InputError: for a file that is no array of plain numbers, such as one of pickled
        objects.
    """
    file = file or path
    try:
        # Unlike np.load it opens no .npz and no pickle.
        array: Any = np.lib.format.open_memmap(path.absolute(), mode='r')
    except (*BROKEN, *BROKEN_HEADER) as error:
        raise InputError(f'{file}: cannot be read as .npy ({error})') from error
    if array.dtype.kind not in 'biuf':
        raise InputError(f'{file}: cannot be read as .npy (expected one array of numbers)')
    return array


def require_array(
    array: np.ndarray[Any, Any], dtype: type, shape: tuple[int, ...], file: Path, by: str
) -> None:
    """
    Check the type and the shape of an array.

    :param by: what tells that shape.
    :raises InputError: that names both.
    """
    if array.dtype != dtype or array.shape != shape:
        raise InputError(
            f'{file}: {array.dtype} {list(array.shape)}; expected {np.dtype(dtype)} '
            f'{list(shape)} by {by}'
        )
