"""
What a long drive gives, frame by frame: in memory while it is little, else in a file.

The file has no name, so that its space is free when the process ends, however it ends. The rows
are written to it, not mapped, so that the process holds none of its pages until it reads them.
"""

from __future__ import annotations

import tempfile
from typing import Any

from husky_placerec.errors import InputError
import numpy as np
from numpy.typing import DTypeLike

IN_MEMORY_BYTES = 64 << 20  # of one spool; more are kept in a file in TMPDIR


class Spool:
    """Bytes that are appended and read again."""

    def __init__(self) -> None:
        self.size = 0
        # It is closed with the spool, which may live as long as its map.
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115

    def append(self, data: bytes) -> int:
        """
        Append bytes, and return where they begin.

        :raises InputError: where there is no room for them.
        """
        start = self.size
        try:
            self._file.seek(start)
            self._file.write(data)
        except OSError as error:
            raise InputError(
                f'{tempfile.gettempdir()}: no room for {(start + len(data)) / 1e6:.0f} MB '
                f'({error}); free disk space there, or name another folder in TMPDIR'
            ) from error
        self.size += len(data)
        return start

    def read(self, start: int, length: int) -> bytes:
        """Return `length` bytes."""
        self._file.seek(start)
        return self._file.read(length)

    def mapped(self, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Any:
        """Return all bytes as an array: in memory, or mapped from the file."""
        if self.size <= IN_MEMORY_BYTES:
            return np.frombuffer(bytearray(self.read(0, self.size)), dtype).reshape(shape)
        self._file.flush()
        return np.memmap(self._file, dtype, 'r+', shape=shape)


class SpooledRows:
    """
    Arrays of one shape that are appended, as rows of a larger one.

    :param shape: of a row.
    """

    def __init__(self, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self._shape, self._dtype = shape, np.dtype(dtype)
        self._count = 0
        self._spool = Spool()

    def append(self, row: np.ndarray[Any, Any]) -> None:
        """
        Append a row; its numbers are converted.

        :raises InputError: as `Spool.append`.
        """
        assert row.shape == self._shape
        self._spool.append(row.astype(self._dtype).tobytes())
        self._count += 1

    def array(self) -> Any:
        """Return all rows [N, ...]: an array in memory, or a mapped one if they are many."""
        return self._spool.mapped(self._dtype, (self._count, *self._shape))
