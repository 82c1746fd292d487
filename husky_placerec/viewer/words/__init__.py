"""The languages of the page; each has a table of its own, with the same keys."""

from __future__ import annotations

from collections.abc import Mapping

from husky_placerec.viewer.words import en, ru

TABLES: Mapping[str, Mapping[str, str]] = {'English': en.WORDS, 'Русский': ru.WORDS}


class Words:
    """
    The texts of the page in one language.

    :param language: a key of TABLES.
    """

    def __init__(self, language: str) -> None:
        self._table = TABLES[language]

    def __call__(self, key: str, **values: object) -> str:
        """Return a text; `values` are put in place of names in braces."""
        return self._table[key].format(**values) if values else self._table[key]

    def has(self, key: str) -> bool:
        """Return whether there is a text for a key."""
        return key in self._table
