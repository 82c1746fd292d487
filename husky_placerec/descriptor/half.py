"""Conversion of stored descriptors from float16."""

from __future__ import annotations

from typing import Any

from husky_placerec.types import FloatArray
import numpy as np
from numpy.typing import NDArray

# A float16 has 10 bits of mantissa and an exponent that counts from 15; a float32 has 23 and 127.
_SHIFT, _SIGN_AND_REST = 23 - 10, np.int32(-0x70000001)
_SCALE = np.float32(2.0 ** (127 - 15))


def as_float32(values: NDArray[Any]) -> FloatArray:
    """
    Return finite float16 or float32 numbers as float32, exactly.

    numpy converts float16 one number at a time. Moving the bits of many at once takes less than
    half the time: sign, exponent and mantissa go to their places in a float32, and a factor makes
    up for the other origin of the exponent.
    """
    if values.dtype != np.float16:
        return np.asarray(values, np.float32)
    bits = np.asarray(values).view(np.int16).astype(np.int32)  # the sign fills the upper bits
    bits <<= _SHIFT
    bits &= _SIGN_AND_REST
    found = bits.view(np.float32)
    found *= _SCALE
    return found
