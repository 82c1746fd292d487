"""Compiled helper functions: colours as tuples, smooth steps, noise and hashes."""

from __future__ import annotations

from collections.abc import Callable
import hashlib
import math
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import FunctionCache
from numpy.typing import NDArray

Colour = tuple[float, float, float]  # linear RGB; 1 is a white wall in light of 1

_njit: Any = numba.njit  # Any, because its type stubs lack some of its options
_OPTIONS = {
    'nogil': True,
    'error_model': 'numpy',
    'forceinline': True,
    # Without the runtime of numba, which would count references to each array argument with two
    # atomic additions for every pixel. So compiled code allocates no arrays; it fills them.
    '_nrt': False,
    # Without `contract` and `reassoc`: their effect depends on the instructions of the CPU.
    'fastmath': {'nnan', 'ninf', 'nsz', 'arcp'},
}


def _digest_of_sources() -> str:
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob('*.py')):
        digest.update(source.read_bytes())
    return digest.hexdigest()


_SOURCES = _digest_of_sources()


class _Cache(FunctionCache):
    """
    A cache of compiled functions that is valid until a source file of the campus changes.

    The cache of numba checks only the file of the function, not those of inlined functions.
    """

    def _index_key(self, *args: Any) -> tuple[Any, ...]:
        return (*super()._index_key(*args), _SOURCES)


def compiled(function: Callable[..., None]) -> Any:
    """Compile a function that Python calls."""
    dispatcher = _njit(**_OPTIONS)(function)
    dispatcher._cache = _Cache(function)
    return dispatcher


# For functions that only compiled code calls. They are inlined, because calls with many arguments
# would take most of the time.
inlined = _njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **_OPTIONS)


@inlined
def three(numbers: NDArray) -> Colour:
    """Return three numbers of an array as a tuple, which compiled code passes at no cost."""
    return float(numbers[0]), float(numbers[1]), float(numbers[2])


@inlined
def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return `first * (1 - share) + second * share`."""
    rest = 1.0 - share
    return (
        first[0] * rest + second[0] * share,
        first[1] * rest + second[1] * share,
        first[2] * rest + second[2] * share,
    )


@inlined
def scaled(colour: Colour, factor: float) -> Colour:
    """Return a colour times a number."""
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


@inlined
def times(first: Colour, second: Colour) -> Colour:
    """Return the product of two colours, channel by channel."""
    return first[0] * second[0], first[1] * second[1], first[2] * second[2]


@inlined
def plus(first: Colour, second: Colour) -> Colour:
    """Return the sum of two colours."""
    return first[0] + second[0], first[1] + second[1], first[2] + second[2]


@inlined
def dot(first: Colour, second: Colour) -> float:
    """Return the scalar product of two directions."""
    return first[0] * second[0] + first[1] * second[1] + first[2] * second[2]


@inlined
def smoothstep(low: float, high: float, value: float) -> float:
    """Return 0 at `low`, 1 at `high` and a smooth ramp between; `low` may exceed `high`."""
    ramp = min(max((value - low) / (high - low), 0.0), 1.0)
    return ramp * ramp * (3 - 2 * ramp)


@inlined
def noise_at(noise: NDArray, x: float, y: float) -> float:
    """Interpolate [S, S] periodic noise, where S is a power of two; its period is 1."""
    size = noise.shape[0]
    last = size - 1
    x = (x - math.floor(x)) * size
    y = (y - math.floor(y)) * size
    column, row = int(x), int(y)
    right_share, lower_share = x - column, y - row
    column, row = column & last, row & last
    right, lower = (column + 1) & last, (row + 1) & last
    above = noise[row, column] * (1 - right_share) + noise[row, right] * right_share
    below = noise[lower, column] * (1 - right_share) + noise[lower, right] * right_share
    return above * (1 - lower_share) + below * lower_share


@inlined
def hash01(x: float, y: float) -> float:
    """Return a pseudo-random number from 0 to 1 that depends only on x and y."""
    first, second = x * 0.1031 + 0.01, y * 0.1030 + 0.01
    first -= math.floor(first)
    second -= math.floor(second)
    shift = first * (second + 33.33) + second * (first + 33.33)
    first += shift
    second += shift
    product = (first + second) * first * 7.13
    return product - math.floor(product)
