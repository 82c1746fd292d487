"""Where the drives and maps are that results name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Finder:
    """
    Finds what results name, also where it has moved.

    :param given: the drives, maps and folders of them that the user named.
    :param beside: where the results are; relative paths may be relative to a folder above.
    :param confined: nothing outside of `given` and the folder of `beside` is found.
    """

    given: tuple[Path, ...] = ()
    beside: Path | None = None
    confined: bool = False

    def find(self, named: str) -> Path | None:
        """Return the path of a drive or a map by the name in the results; None if it is gone."""
        for path in self._candidates(Path(named)):
            if _exists(path) and (not self.confined or self._is_given(path)):
                return path
        return None

    def _candidates(self, named: Path) -> Sequence[Path]:
        found = [given for given in self.given if given.name == named.name]
        found += [given / named.name for given in self.given]
        found.append(named)  # from the current folder, or absolute
        if self.beside is not None and not named.is_absolute():
            found += [folder / named for folder in self.beside.resolve().parents]
        if self.beside is not None:
            found.append(self.beside.resolve().parent / named.name)
        return found

    def _is_given(self, path: Path) -> bool:
        roots = list(self.given)
        if self.beside is not None:
            roots.append(self.beside.resolve().parent)
        real = path.resolve()
        return any(real.is_relative_to(root.resolve()) for root in roots)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that is too long, or has a NUL
        return False
