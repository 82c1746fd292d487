"""The missing and broken parts of a source: counted by kind, with the first few names."""

from __future__ import annotations

from pathlib import Path

from husky_placerec.errors import InputError

NAMED = 3


class Problems:
    """Missing and broken things that a reader left out; each name counts once."""

    def __init__(self) -> None:
        self._names: dict[str, dict[str, None]] = {}  # an ordered set of names for each kind

    def note(self, kind: str, name: str) -> None:
        """Note a name under a kind, such as 'missing front image'."""
        self._names.setdefault(kind, {})[name] = None

    def names(self, kind: str) -> list[str]:
        """Return the names of a kind, in the order in which they came."""
        return list(self._names.get(kind, ()))

    def counts(self) -> dict[str, int]:
        """Return the number of names of each kind."""
        return {kind: len(names) for kind, names in self._names.items()}

    def lines(self) -> list[str]:
        """Return a line for each kind: the number of names, and the first of them."""
        return [_line(kind, list(names)) for kind, names in self._names.items()]


def _line(kind: str, names: list[str]) -> str:
    more = ', ...' if len(names) > NAMED else ''
    return f'{len(names)} x {kind}: {", ".join(names[:NAMED])}{more}'


def no_frames(path: Path, problems: Problems) -> InputError:
    """Return the error of a source without frames, with the problems of its reader."""
    return InputError('; '.join([f'{path}: no frames', *problems.lines()]))
