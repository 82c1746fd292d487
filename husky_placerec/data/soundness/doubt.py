"""A doubt about the poses of a drive."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from husky_placerec.errors import InputError
from husky_placerec.types import Indices


@dataclass(frozen=True)
class Doubt:
    """
    What speaks against the poses of a drive.

    :param kind: a word for programs: `constant`, `offset`, `mirrored`, `jumps`, `lost`, ...
    :param what: what was found, with its numbers.
    :param remedy: what the user can do.
    :param grave: every place of a map would be wrong.
    """

    kind: str
    what: str
    remedy: str
    grave: bool = False

    def __str__(self) -> str:
        return f'{self.what}; {self.remedy}'


def refuse_grave(doubts: Iterable[Doubt], source: str) -> None:
    """
    Refuse poses with a grave doubt.

    :raises InputError: with what was found and the remedy.
    """
    if grave := [str(doubt) for doubt in doubts if doubt.grave]:
        raise InputError(f'{source}: {"; ".join(grave)}')


def first_stamps(stamps_ns: Indices, most: int = 3) -> str:
    """Return the first stamps of several for a message."""
    more = ', ...' if len(stamps_ns) > most else ''
    return ', '.join(str(int(stamp_ns)) for stamp_ns in stamps_ns[:most]) + more
