"""Every finite float16 has its exact value as float32."""

from __future__ import annotations

from husky_placerec.descriptor.half import as_float32
import numpy as np


def test_every_finite_number_is_converted_exactly():
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    finite = every[np.isfinite(every)]
    found, expected = as_float32(finite), finite.astype(np.float32)
    assert found.dtype == np.float32
    assert np.array_equal(found.view(np.int32), expected.view(np.int32))  # the sign of zero, too


def test_shape_and_slices_are_kept():
    rows = np.linspace(-1, 1, 48).astype(np.float16).reshape(4, 2, 6)
    for part in (rows, rows[1:3], rows[::2, :, ::3], rows[[3, 0]], rows[:0]):
        assert np.array_equal(as_float32(part), part.astype(np.float32))


def test_float32_stays_as_it_is():
    values = np.array([1.1, -3.3e-42, np.float32(1e38)], np.float32)
    assert as_float32(values) is values
