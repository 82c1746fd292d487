"""Maps that tests save and harm."""

from __future__ import annotations

from husky_placerec.errors import InputError
import numpy as np
import pytest

PARTLY = np.random.default_rng(5).random((40, 2)) < 0.6


PARTLY[~PARTLY.any(axis=1), 0] = True


GONE = object()


def refusal(read, path):
    with pytest.raises(InputError) as caught:
        read(path)
    return str(caught.value)
