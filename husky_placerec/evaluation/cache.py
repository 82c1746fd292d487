"""
A cache of descriptors on disk, named by a hash of all that they depend on.

While a drive is described, its descriptors are written in shards of SHARD frames. Each shard is
written atomically, so that interrupted work continues after the last shard. When the drive is
complete, the shards become one array, which is mapped into memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
import hashlib
import io
import json
import os
from pathlib import Path
import zipfile

from husky_placerec.arrays import map_array
from husky_placerec.descriptor.local.network import LocalValues
from husky_placerec.descriptor.local.spec import LocalSpec
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.documents import read_json
from husky_placerec.errors import InputError
from husky_placerec.files import temporary_file, write_atomic
from husky_placerec.schema import items, record, require, text
from husky_placerec.types import FloatArray, Indices, Mask
import numpy as np

FORMAT_VERSION = 4
_ABOUT = record({'problems': items(text())})
SHARD = 64  # frames that an interruption may cost

# A frame that waits for its shard: stamp_ns, descriptor, seen, usable, seconds, local, far.
_Row = tuple[int, FloatArray, Sequence[bool], Sequence[bool], float, LocalValues, float]
# Of a method without local descriptors.
NO_LOCAL: LocalValues = np.zeros((0, 0, 0, 0), np.int8)


@dataclass(frozen=True)
class Descriptors:
    """
    The descriptors of the N frames of a source, one row for each frame.

    :param stamps_ns: [N].
    :param vectors: [N, C, D], zeros where a camera has no image or a broken one. A map rounds
        them to float16; a query is not rounded.
    :param seen: [N, C] whether there is an image that decodes. C counts the cameras of the
        source, also where a fused descriptor has a single row.
    :param usable: [N, C] whether that image passes `recognition.image_check`.
    :param seconds: [N] how long the description took.
    :param local: [N, B, C, cells, D] local descriptors of B branches; B is 0 where there are none.
    :param far: [N] share of the images that are unlike those of the local network's training.
    """

    stamps_ns: Indices
    vectors: FloatArray
    seen: Mask
    usable: Mask
    seconds: FloatArray
    local: LocalValues
    far: FloatArray

    def __len__(self) -> int:
        return len(self.stamps_ns)


def default_folder() -> Path:
    """Return the user's cache folder, by the XDG Base Directory Specification."""
    return Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'husky_placerec'


def cache_key(fingerprint: str, spec: DescriptorSpec, local: LocalSpec | None = None) -> str:
    """
    Return the name of the descriptors of a source by a model: a SHA-256.

    :param fingerprint: of the source: its files, and how they become frames.
    :param spec: the model and the order of the cameras. The path of its weights does not count,
        only their hash.
    :param local: of the local descriptors; None: none.
    """
    model = {name: value for name, value in spec.as_json().items() if name != 'weights'}
    cells = {} if local is None else {**local.as_json(), 'weights': ''}
    about = json.dumps([FORMAT_VERSION, fingerprint, model, cells], sort_keys=True)
    return hashlib.sha256(about.encode()).hexdigest()


class DescriptorStore:
    """
    The cached descriptors of one source by one model, complete or not.

    :ivar done: number of frames that are stored or added.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: list[_Row] = []
        self._shards = 0
        self.done = 0
        while not self.complete and (shard := self._shard(self._shards)) is not None:
            self._shards += 1
            self.done += len(shard)

    @property
    def complete(self) -> bool:
        """Whether all frames of the source are stored."""
        return (self._folder / 'about.json').is_file()

    def add(
        self,
        stamp_ns: int,
        descriptor: FloatArray,
        seen: Sequence[bool],
        usable: Sequence[bool],
        seconds: float,
        local: LocalValues = NO_LOCAL,
        far: float = 0.0,
    ) -> None:
        """
        Store the next frame.

        :param descriptor: [C, D].
        :param seen: [C] which cameras have an image that decodes.
        :param usable: [C] in which of these images something can be seen.
        :param local: [B, C, cells, D] local descriptors, and `far` as in Descriptors.
        """
        row = stamp_ns, descriptor.astype(np.float32), seen, usable, seconds, local, far
        self._waiting.append(row)
        self.done += 1
        if len(self._waiting) == SHARD:
            self._flush()

    def finish(self, problems: list[str]) -> None:
        """
        Complete the cache: join the shards.

        :param problems: what is wrong with the source, to be reported also when the descriptors
            come from the cache.
        """
        self._flush()
        for field in fields(Descriptors):
            self._join(field.name)
        about = {'format_version': FORMAT_VERSION, 'frames': self.done, 'problems': problems}
        write_atomic(self._folder / 'about.json', json.dumps(about).encode())
        for number in range(self._shards):
            self._shard_path(number).unlink(missing_ok=True)

    def load(self) -> Descriptors:
        """Return the descriptors that `finish` wrote, mapped into memory."""
        arrays = {
            field.name: map_array(self._folder / f'{field.name}.npy')
            for field in fields(Descriptors)
        }
        return Descriptors(**arrays)

    def problems(self) -> list[str]:
        """Return what was wrong with the source."""
        file = self._folder / 'about.json'
        about = read_json(file)
        require(about, _ABOUT, str(file))
        return list(about['problems'])

    def _flush(self) -> None:
        if not self._waiting:
            return
        stamps, vectors, seen, usable, seconds, local, far = zip(*self._waiting)
        data = io.BytesIO()
        np.savez(
            data,
            stamps_ns=np.array(stamps, np.int64),
            vectors=np.stack(vectors),
            seen=np.array(seen, np.bool_),
            usable=np.array(usable, np.bool_),
            seconds=np.array(seconds, np.float32),
            local=np.stack(local),
            far=np.array(far, np.float32),
        )
        write_atomic(self._shard_path(self._shards), data.getvalue())
        self._shards += 1
        self._waiting.clear()

    def _join(self, name: str) -> None:
        """Copy one column of all shards into one file, shard by shard."""
        first = 0
        with temporary_file(self._folder, name, '.npy') as work:
            for number in range(self._shards):
                shard = self._shard(number)
                if shard is None:
                    raise InputError(
                        f'{self._shard_path(number)}: missing or damaged; expected the shard that '
                        'was written before: run the command again'
                    )
                part = getattr(shard, name)
                if not number:
                    shape = (self.done, *part.shape[1:])
                    whole = np.lib.format.open_memmap(work, 'w+', dtype=part.dtype, shape=shape)
                whole[first : first + len(part)] = part
                first += len(part)
            whole.flush()
            work.replace(self._folder / f'{name}.npy')

    def _shard(self, number: int) -> Descriptors | None:
        """Return a shard; None for one that is missing or damaged and has to be made anew."""
        try:
            with np.load(self._shard_path(number)) as arrays:
                return Descriptors(**arrays)
        except (OSError, EOFError, ValueError, TypeError, zipfile.BadZipFile):
            return None

    def _shard_path(self, number: int) -> Path:
        return self._folder / f'shard-{number:06d}.npz'
