"""
Descriptors on disk, named by what they are made of: images, cameras and model.

While a drive is described its descriptors are written in shards, each whole or not there, so that
work which was interrupted goes on where it stopped. When all are there they become one array that
is mapped into memory, however long the drive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any
import zipfile

from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.errors import InputError
from husky_placerec.files import write_atomic
from husky_placerec.types import FloatArray
import numpy as np
from numpy.typing import NDArray

FORMAT_VERSION = 2
SHARD = 64  # frames that an interruption may cost


@dataclass(frozen=True)
class Descriptors:
    """
    The N frames of a source as described, one row a frame.

    :param stamps_ns: [N] int64.
    :param vectors: [N, C, D] float16, zeros where a camera gave no image or a broken one.
    :param seen: [N, C] bool, whether there was an image that decodes.
    :param usable: [N, C] bool, whether something can be recognised in that image.
    :param seconds: [N] float32, what the description took.
    """

    stamps_ns: NDArray[np.int64]
    vectors: FloatArray
    seen: NDArray[np.bool_]
    usable: NDArray[np.bool_]
    seconds: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.stamps_ns)


def default_folder() -> Path:
    """Return the user's cache folder, by the XDG base directory specification."""
    return Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'husky_placerec'


def cache_key(fingerprint: str, spec: DescriptorSpec) -> str:
    """
    Name descriptors by all that they depend on.

    :param fingerprint: of the source: its files, and how they become frames.
    :param spec: the model and the order of the cameras; of its weights the hash counts.
    """
    model = {name: value for name, value in spec.as_json().items() if name != 'weights'}
    about = json.dumps([FORMAT_VERSION, fingerprint, model], sort_keys=True)
    return hashlib.sha256(about.encode()).hexdigest()


class DescriptorStore:
    """The descriptors of one source by one model, as far as they are there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: list[tuple[int, FloatArray, Sequence[bool], Sequence[bool], float]] = []
        self._shards = 0
        self.done = 0  # frames, those of the shards that are there
        while not self.complete and (shard := self._shard(self._shards)) is not None:
            self._shards += 1
            self.done += len(shard)

    @property
    def complete(self) -> bool:
        return (self._folder / 'about.json').is_file()

    def add(
        self,
        stamp_ns: int,
        descriptor: FloatArray,
        seen: Sequence[bool],
        usable: Sequence[bool],
        seconds: float,
    ) -> None:
        """Take the [C, D] descriptor of the next frame; see Descriptors for the others."""
        vector: Any = descriptor.astype(np.float16)
        self._waiting.append((stamp_ns, vector, seen, usable, seconds))
        self.done += 1
        if len(self._waiting) == SHARD:
            self._flush()

    def finish(self, problems: list[str]) -> None:
        """
        Say that there are no more frames.

        :param problems: what the source lacked, to be said again whenever it is read from here.
        """
        self._flush()
        for field in fields(Descriptors):
            self._join(field.name)
        about = {'format_version': FORMAT_VERSION, 'frames': self.done, 'problems': problems}
        write_atomic(self._folder / 'about.json', json.dumps(about).encode())
        for number in range(self._shards):
            self._shard_path(number).unlink(missing_ok=True)

    def load(self) -> Descriptors:
        """Return what `finish` wrote, mapped into memory."""
        arrays = {
            field.name: np.load(self._folder / f'{field.name}.npy', mmap_mode='r')
            for field in fields(Descriptors)
        }
        return Descriptors(**arrays)

    def problems(self) -> list[str]:
        return list(json.loads((self._folder / 'about.json').read_text())['problems'])

    def _flush(self) -> None:
        if not self._waiting:
            return
        stamps, vectors, seen, usable, seconds = zip(*self._waiting)
        data = io.BytesIO()
        np.savez(
            data,
            stamps_ns=np.array(stamps, np.int64),
            vectors=np.stack(vectors),
            seen=np.array(seen, np.bool_),
            usable=np.array(usable, np.bool_),
            seconds=np.array(seconds, np.float32),
        )
        write_atomic(self._shard_path(self._shards), data.getvalue())
        self._shards += 1
        self._waiting.clear()

    def _join(self, name: str) -> None:
        """Copy a column of all shards into one array, a shard at a time."""
        temporary = self._folder / f'.{name}.{os.getpid()}.npy'
        first = 0
        for number in range(self._shards):
            shard = self._shard(number)
            if shard is None:
                raise InputError(f'{self._shard_path(number)}: vanished or damaged; run it again')
            part = getattr(shard, name)
            if not number:
                shape = (self.done, *part.shape[1:])
                whole = np.lib.format.open_memmap(temporary, 'w+', dtype=part.dtype, shape=shape)
            whole[first : first + len(part)] = part
            first += len(part)
        whole.flush()
        temporary.replace(self._folder / f'{name}.npy')

    def _shard(self, number: int) -> Descriptors | None:
        """Read a shard; None for one that is missing or damaged, to be made anew."""
        try:
            with np.load(self._shard_path(number)) as arrays:
                return Descriptors(**arrays)
        except (OSError, EOFError, ValueError, TypeError, zipfile.BadZipFile):
            return None

    def _shard_path(self, number: int) -> Path:
        return self._folder / f'shard-{number:06d}.npz'
