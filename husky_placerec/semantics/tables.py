"""The classes of masks by name, from the tables of the data sets that networks are trained on."""

from __future__ import annotations

from dataclasses import dataclass, replace
import difflib
from functools import cached_property, lru_cache
from pathlib import Path

from husky_placerec.documents import read_json
from husky_placerec.errors import InputError
import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).with_name('classes.json')
# Of a pixel that no class was given to, in the label files of Cityscapes and PASCAL VOC.
VOID = 255


@dataclass(frozen=True)
class ClassTable:
    """
    The classes of a data set; the number of a class is its place in the table, from 0.

    :param name: as in the parameter `mask_classes`.
    :param title: name of the data set.
    :param names: of the K classes, in small letters.
    :param colours: [K, 3] RGB in which the data set draws them.
    :param dynamic: names of the classes that move, or belong to the robot.
    """

    name: str
    title: str
    names: tuple[str, ...]
    colours: NDArray[np.uint8]
    dynamic: frozenset[str]

    def __len__(self) -> int:
        return len(self.names)

    def with_dynamic(self, text: str) -> ClassTable:
        """
        Return the table with other dynamic classes.

        :param text: their names, separated by commas; or changes to the usual ones, each with a
            sign: `+snow, -boat`. Empty: the usual ones.
        :raises InputError: for a name that is not in the table, and for a mixture of both.
        """
        words = [word.strip().lower() for word in text.split(',') if word.strip()]
        signs = {word[0] for word in words if word[0] in '+-'}
        if signs and not all(word[0] in '+-' for word in words):
            raise InputError(
                f'mask_dynamic is {text!r}; expected names alone, or a sign before every name'
            )
        names = [word.lstrip('+-').strip() if signs else word for word in words]
        for name in names:
            if name not in self.names:
                near = difflib.get_close_matches(name, self.names, 3, 0.5)
                hint = f'did you mean {" or ".join(near)}?' if near else ', '.join(self.names)
                raise InputError(f'mask_dynamic: {self.title} has no class {name!r}; {hint}')
        if not words:
            return self
        if not signs:
            return replace(self, dynamic=frozenset(names))
        added = {name for name, word in zip(names, words) if word[0] == '+'}
        return replace(self, dynamic=(self.dynamic | added) - (set(names) - added))

    @cached_property
    def static(self) -> NDArray[np.uint8]:
        """[256], by class: 255 for one that stays, 0 for one that moves; VOID counts as static."""
        found = np.full(256, 255, np.uint8)
        found[[number for number, name in enumerate(self.names) if name in self.dynamic]] = 0
        return found


@lru_cache(maxsize=1)
def tables() -> dict[str, ClassTable]:
    """Return all tables by name."""
    found = {}
    for name, about in read_json(FILE).items():
        names = tuple(each for each, _ in about['classes'])
        colours = np.array([list(bytes.fromhex(rgb)) for _, rgb in about['classes']], np.uint8)
        dynamic = frozenset(about['dynamic'])
        found[name] = ClassTable(name, about['title'], names, colours, dynamic)
    return found


def tables_of(classes: int) -> list[str]:
    """Return the names of the tables with a number of classes."""
    return [name for name, table in tables().items() if len(table) == classes]
