"""A short measurement of the runtimes of a network, and its place in the user's cache."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
import hashlib
import json
from pathlib import Path
import time

from husky_placerec.descriptor.agreement import blots, errors, MOST_ERROR, Probes
from husky_placerec.descriptor.runtimes.processor import processor_name, short_name
from husky_placerec.descriptor.runtimes.runtime import Runtime
from husky_placerec.documents import read_json
from husky_placerec.errors import InputError
from husky_placerec.files import cache_folder, write_atomic
from husky_placerec.schema import items, number, record, require, text
from husky_placerec.types import FloatArray, Pixels
import numpy as np

ROUNDS = 7  # of each runtime, in turn, after one that counts for nothing
LEAST_IMAGES = 4  # whose descriptors are compared
MOST_BYTES = 1 << 16  # of a file of the cache
_SCHEMA = record(
    {
        'processor': text(),
        'ways': items(text(255), most=16),
        'ms': items(number(0, 1e6), most=16),
        'errors': items(number(0, 1e6), most=16),
    }
)


@dataclass(frozen=True)
class Measured:
    """
    What ways to run a network take.

    :param ways: the runtimes with their versions and precisions; the first is the reference.
    :param ms: the median time of a frame.
    :param errors: of the descriptors, against those of the first (see `agreement`).
    """

    ways: tuple[str, ...]
    ms: tuple[float, ...]
    errors: tuple[float, ...]

    def best(self, ways: Sequence[str]) -> int:
        """Return the fastest of some ways whose descriptors agree with those of the first."""
        at = [self.ways.index(way) for way in ways]
        agreeing = [i for i in range(len(ways)) if self.errors[at[i]] <= MOST_ERROR]
        return min(agreeing or [0], key=lambda i: self.ms[at[i]])

    def words(self, ways: Sequence[str], best: int) -> str:
        """Return the times, that of the chosen way first."""
        at = [self.ways.index(way) for way in ways]
        said = [f'it takes {self.ms[at[best]]:.1f} ms a frame']
        for i, way in enumerate(ways):
            if i != best:
                wrong = self.errors[at[i]]
                off = f' and is off by e = {wrong:.3f}' if wrong > MOST_ERROR else ''
                said.append(f'{way} {self.ms[at[i]]:.1f} ms{off}')
        return ', '.join(said)


@dataclass(frozen=True, eq=False)
class Trial:
    """
    What runtimes are measured on.

    :param images: whose descriptors are compared.
    :param expected: their descriptors; None: those of the first runtime.
    :param frame: the images whose description is timed.
    """

    images: Pixels
    expected: FloatArray | None
    frame: Pixels

    @classmethod
    def of(cls, shape: tuple[int, int, int], batch: int, probes: Probes | None) -> Trial:
        """
        Make a trial of the probes of a map, else of random images with structure of all sizes.

        :param shape: height, width and channels of an image.
        :param batch: images of a frame.
        """
        height, width, _ = shape
        images = np.stack(blots((width, height), max(batch, LEAST_IMAGES)))
        if probes is None or probes.images.shape[1:] != shape:
            return cls(images, None, images[:batch])
        return cls(probes.images, probes.descriptors, images[:batch])

    @property
    def key(self) -> str:
        """A hash of what is compared."""
        return hashlib.sha256(np.ascontiguousarray(self.images).tobytes()).hexdigest()


def measure(runtimes: Sequence[Runtime], ways: Sequence[str], trial: Trial) -> Measured:
    """
    Measure runtimes in turn.

    :param ways: the name of each.
    """
    described = [each.run(trial.images) for each in runtimes]
    expected = described[0] if trial.expected is None else trial.expected
    times: list[list[float]] = [[] for _ in runtimes]
    frame = trial.frame
    for _ in range(ROUNDS):
        for spent, each in zip(times, runtimes):
            began = time.perf_counter()
            each.run(frame)
            spent.append(1000 * (time.perf_counter() - began))
    wrong = [float(np.median(errors(each, expected))) for each in described]
    return Measured(tuple(ways), tuple(float(np.median(t)) for t in times), tuple(wrong))


def remember(key: str, measured: Measured) -> None:
    """Keep a measurement; a cache that cannot be written is done without."""
    about = {'processor': processor_name(), **vars(measured)}
    with suppress(OSError):
        write_atomic(_file(key), json.dumps(about, indent=1).encode())


def recall(key: str, ways: Sequence[str]) -> Measured | str:
    """
    Return the measurement of a model on this processor.

    :param ways: those that it must have.
    :return: else why there is none, in words to append: empty where nothing was kept.
    """
    file = _file(key)
    if not file.is_file():
        return ''
    try:
        about = read_json(file, MOST_BYTES)
        require(about, _SCHEMA, str(file))
    except InputError:
        return f', because {file} is damaged'
    if about['processor'] != processor_name():
        return f', because {file} is of another processor; this is {short_name()}'
    found = Measured(*(tuple(about[name]) for name in ('ways', 'ms', 'errors')))
    same = len(found.ways) == len(found.ms) == len(found.errors)
    if not same or not set(ways) <= set(found.ways):
        return f', because {file} is of other versions'
    return found


def _file(key: str) -> Path:
    return cache_folder() / 'runtimes' / f'{hashlib.sha256(key.encode()).hexdigest()[:24]}.json'
