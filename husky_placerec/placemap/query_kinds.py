"""The kinds of query that one map answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FORWARDS, REVERSED = 'forwards', 'reversed'


@dataclass(frozen=True)
class QueryKind:
    """
    A way to compare a query with places.

    :param partners: for each camera of a place, the camera of the query that looks the same way.
    :param cameras: of the query, those that count.
    """

    name: str
    partners: tuple[int, ...]
    cameras: tuple[bool, ...]

    @property
    def there(self) -> NDArray[np.bool_]:
        """The mask [C] of the cameras that count."""
        return np.array(self.cameras)


def query_kinds(cameras: Sequence[str], opposites: Sequence[int] | None) -> list[QueryKind]:
    """Return the kinds of a map: all cameras, all cameras reversed, and each camera alone."""
    count = len(cameras)
    straight, every = tuple(range(count)), (True,) * count
    found = [QueryKind(FORWARDS, straight, every)]
    if opposites is not None:
        found.append(QueryKind(REVERSED, tuple(opposites), every))
    if count > 1:
        for i, name in enumerate(cameras):
            alone = tuple(k == i for k in range(count))
            found.append(QueryKind(f'{name} alone', straight, alone))
    return found
