"""Words for people and logs."""

from __future__ import annotations


def plain(word: str | None) -> str:
    """Return the text of a word that may be of an enumeration, whose str() depends on Python."""
    return '' if word is None else str.__str__(word)
