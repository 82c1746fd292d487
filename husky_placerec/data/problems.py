"""The missing and broken parts of a source: counted by kind, with the first few names."""

from __future__ import annotations

from pathlib import Path

from husky_placerec.errors import InputError

NAMED = 3
MAX_BROKEN = 0.05  # share of the images of a camera, or of the poses of a topic


class Problems:
    """
    Missing and broken things that a reader left out; each name counts once.

    :param max_broken: share of things of one kind that may be broken, 0 to 1; 0: none may.
    """

    def __init__(self, max_broken: float = MAX_BROKEN) -> None:
        self.max_broken = max_broken
        self._sentences: dict[str, None] = {}
        self._names: dict[str, dict[str, None]] = {}  # an ordered set of names for each kind

    def note(self, kind: str, name: str) -> None:
        """Note a name under a kind, such as 'missing front image'."""
        self._names.setdefault(kind, {})[name] = None

    def tell(self, sentence: str) -> None:
        """Note a sentence about the whole source."""
        self._sentences[sentence] = None

    def broken(self, kind: str, total: int, *names: str, where: str = '') -> None:
        """
        Note broken things that are left out.

        :param kind: such as 'front image that does not decode'.
        :param total: number of things of this kind in the source.
        :param names: which ones are broken, each with what is wrong with it.
        :param where: the beginning of the error, where `kind` does not name the source.
        :raises InputError: if more of them are broken than `allowed` says.
        """
        left_out = f'{kind}, left out'
        for name in names:
            self.note(left_out, name)
        known = self.names(left_out)
        if len(known) > allowed(self.max_broken, total):
            limit = 'none may be broken (--strict)'
            if self.max_broken:
                limit = f'at most {100 * self.max_broken:g} % may be broken (--max-broken)'
            raise InputError(f'{where}{_line(kind, known)}; of {total} {limit}')

    def names(self, kind: str) -> list[str]:
        """Return the names of a kind, in the order in which they came."""
        return list(self._names.get(kind, ()))

    def counts(self) -> dict[str, int]:
        """Return the number of names of each kind."""
        return {kind: len(names) for kind, names in self._names.items()}

    def lines(self) -> list[str]:
        """Return the sentences, and a line for each kind with its number and first names."""
        kinds = [_line(kind, list(names)) for kind, names in self._names.items()]
        return [*self._sentences, *kinds]


def allowed(max_broken: float, total: int) -> int:
    """
    Return how many of some things may be broken.

    It is the share `max_broken` of them, but one broken thing of three or more never stops the
    work, unless none may be broken.
    """
    share = int(max_broken * total)
    return max(share, 1) if max_broken and total > 2 else share


def _line(kind: str, names: list[str]) -> str:
    more = ', ...' if len(names) > NAMED else ''
    return f'{len(names)} x {kind}: {", ".join(names[:NAMED])}{more}'


def no_frames(path: Path, problems: Problems) -> InputError:
    """Return the error of a source without frames, with the problems of its reader."""
    return InputError('; '.join([f'{path}: no frames', *problems.lines()]))
