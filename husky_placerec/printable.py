"""Text from files and messages of others, made safe to show on a terminal and in a page."""

from __future__ import annotations

import re

# What moves the cursor, changes colours, hides or reorders text: control characters (C0, DEL, C1),
# marks and overrides of the writing direction, separators of lines, and bytes that are no UTF-8.
_HIDDEN = re.compile('[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]')
_BYTE = range(0xDC80, 0xDD00)  # how Python represents an undecodable byte of a file name


def printable(text: object) -> str:
    r"""
    Return a text with an escape in the place of each character that a terminal would obey.

    >>> printable('drive\x1b[2J')
    'drive\\x1b[2J'
    """
    return _HIDDEN.sub(_escape, str(text))


def printable_lines(text: str) -> str:
    """Return the same, but keep the ends of lines."""
    return '\n'.join(map(printable, text.split('\n')))


def one_line(error: Exception) -> str:
    """Return the message of a library, which may have several lines, in one line."""
    return ' '.join(str(error).split())


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code in _BYTE:
        return f'\\x{code - 0xDC00:02x}'
    return found[0].encode('unicode_escape', 'surrogatepass').decode('ascii')
