"""What a source lacks: counted by kind, the first few by name, so that the rest stays usable."""

from __future__ import annotations

from pathlib import Path

from husky_placerec.errors import InputError

NAMED = 3


class Problems:
    """Things missing or broken that were done without; each is told once, however often met."""

    def __init__(self) -> None:
        self._names: dict[str, dict[str, None]] = {}  # as ordered sets, by kind

    def note(self, kind: str, name: str) -> None:
        """Remember that `name` is of this kind, such as 'missing front image'."""
        self._names.setdefault(kind, {})[name] = None

    def names(self, kind: str) -> list[str]:
        return list(self._names.get(kind, ()))

    def counts(self) -> dict[str, int]:
        return {kind: len(names) for kind, names in self._names.items()}

    def lines(self) -> list[str]:
        """Return a line a kind: how many there are, and the first of them."""
        return [_line(kind, list(names)) for kind, names in self._names.items()]


def _line(kind: str, names: list[str]) -> str:
    more = ', ...' if len(names) > NAMED else ''
    return f'{len(names)} x {kind}: {", ".join(names[:NAMED])}{more}'


def no_frames(path: Path, problems: Problems) -> InputError:
    """Return the error of a source that has no frames, with what its reader did without."""
    return InputError('; '.join([f'{path}: no frames', *problems.lines()]))
