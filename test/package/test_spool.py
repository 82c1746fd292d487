"""What is spooled comes back as it was, from memory or from a file."""

from __future__ import annotations

from husky_placerec import spool
from husky_placerec.errors import InputError
from husky_placerec.spool import Spool, SpooledRows
import numpy as np
import pytest


@pytest.mark.parametrize('most_bytes', [0, 100, 1 << 20])
def test_rows_come_back_in_order_and_many_are_in_a_file(most_bytes, monkeypatch):
    monkeypatch.setattr(spool, 'IN_MEMORY_BYTES', most_bytes)
    rows = np.random.default_rng(0).normal(size=(9, 2, 5)).astype(np.float32)
    spooled = SpooledRows((2, 5), np.float16)
    for row in rows:
        spooled.append(row)
    found = spooled.array()
    assert isinstance(found, np.memmap) == (most_bytes < 180)
    assert found.dtype == np.float16
    np.testing.assert_array_equal(found, rows.astype(np.float16))


def test_no_rows_are_an_empty_array():
    assert SpooledRows((2, 5), np.int8).array().shape == (0, 2, 5)


@pytest.mark.parametrize('most_bytes', [0, 1 << 20])
def test_bytes_can_be_read_between_others_that_are_appended(most_bytes, monkeypatch):
    monkeypatch.setattr(spool, 'IN_MEMORY_BYTES', most_bytes)
    made = Spool()
    starts = []
    for data in (b'one', b'', b'three'):
        starts.append(made.append(data))
        assert made.read(0, 3) == b'one'
    assert starts == [0, 3, 3]
    assert made.read(3, 5) == b'three'


def test_a_full_disk_is_an_error_that_names_the_folder(monkeypatch):
    made = Spool()
    made._file = open('/dev/full', 'wb', buffering=0)  # noqa: SIM115  (it writes nothing)
    with made._file, pytest.raises(InputError, match=r'no room for .*TMPDIR'):
        made.append(b'one')
