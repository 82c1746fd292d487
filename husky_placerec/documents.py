"""
Reading of JSON and YAML that may come from someone else.

The size and the depth of a document are limited before it is built. So a document can neither
exhaust the memory nor the stack, and what it holds can be walked and printed.
"""

from __future__ import annotations

from collections.abc import Iterable
import json
import os
from pathlib import Path
import stat
from typing import Any

from husky_placerec.errors import InputError
from husky_placerec.printable import one_line
import yaml

MOST_BYTES = 64 * 2**20  # of a file; the map.json of a large calibrated map has less than 1 MB
MOST_CONFIG_BYTES = 2**20  # of a file of parameters
MOST_VALUES = 1_000_000  # of a YAML document
MOST_DEPTH = 32  # lists and mappings inside one another
# What the parsers raise for text that is no document, beside their own errors.
BROKEN = ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError


def read_text(path: Path, most_bytes: int = MOST_BYTES, problem: str = 'cannot be read') -> str:
    """
    Read a text in UTF-8.

    :param problem: what follows the path in the error.

    :raises InputError: for a file that is missing, no regular file, too large or no text.
    """
    try:
        # A FIFO would block the opening until someone writes to it.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), 'rb') as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise InputError(f'{path}: is no regular file')
            data = file.read(most_bytes + 1)
        if len(data) > most_bytes:
            raise InputError(
                f'{path}: has {status.st_size} bytes; expected at most {most_bytes} for such a '
                'file'
            )
        return data.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f'{path}: {problem} ({error})') from error


def read_json(path: Path, most_bytes: int = MOST_BYTES) -> Any:
    """
    Read a file of JSON.

    :raises InputError: as `read_text` and `parse_json`.
    """
    return parse_json(read_text(path, most_bytes, 'cannot be read as JSON'), str(path))


def parse_json(text: str, source: str) -> Any:
    """
    Parse JSON; `schema` checks what it holds, also whether its numbers are finite.

    :param source: where the text comes from, for the error.
    :raises InputError: for text that is no JSON, or is nested too deeply.
    """
    try:
        document = json.loads(text)
    except BROKEN as error:
        raise InputError(f'{source}: cannot be read as JSON ({_said(error)})') from error
    _require_shallow(document, source)
    return document


def read_yaml(path: Path, most_bytes: int = MOST_CONFIG_BYTES) -> Any:
    """
    Read a file of YAML; None for an empty one.

    :raises InputError: as `read_text` and `parse_yaml`.
    """
    problem = 'cannot be read as YAML'
    return parse_yaml(read_text(path, most_bytes, problem), str(path), f': {problem}')


def parse_yaml(text: str, source: str, problem: str = ': not YAML') -> Any:
    """
    Parse YAML of plain values.

    Some kilobytes of aliases can stand for a document of gigabytes, so that what is limited is
    the document with each alias written out.

    :param source: where the text comes from, for the error.
    :param problem: what follows the source in the error.
    :raises InputError: for text that is no YAML, is nested too deeply, or has too many values.
    """
    try:
        _require_small(yaml.parse(text, Loader=yaml.SafeLoader))
        return yaml.safe_load(text)
    except (yaml.YAMLError, *BROKEN) as error:
        raise InputError(f'{source}{problem} ({_said(error)})') from error


def _require_small(events: Iterable[Any]) -> None:
    """
    Count the values of a YAML document as if each alias were written out.

    :raises ValueError: for too many values, a value inside itself, and too deep lists.
    """
    sizes: dict[str, tuple[int, int]] = {}  # values and depth, by anchor
    open_: list[tuple[str | None, int, int]] = [(None, 0, 0)]  # anchor, values, depth inside
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            open_.append((event.anchor, 1, 0))
            added = 0, 0
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, values, depth = open_.pop()
            added = values, depth + 1
            if anchor is not None:
                sizes[anchor] = added
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise ValueError(f'has *{event.anchor} inside itself, or before it')
            added = sizes[event.anchor]
        elif isinstance(event, yaml.ScalarEvent):
            added = 1, 0
            if event.anchor is not None:
                sizes[event.anchor] = added
        else:
            continue
        anchor, values, depth = open_[-1]
        open_[-1] = anchor, values + added[0], max(depth, added[1])
        where = f'line {event.start_mark.line + 1}: '
        if open_[-1][1] > MOST_VALUES:
            raise ValueError(f'{where}over {MOST_VALUES} values, with each alias written out')
        if len(open_) + open_[-1][2] > MOST_DEPTH:
            raise ValueError(f'{where}over {MOST_DEPTH} lists and mappings inside one another')


def _said(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return 'nested too deeply'
    return one_line(error) or type(error).__name__


def _require_shallow(document: Any, source: str) -> None:
    """Walk a document level by level, because a recursion could exhaust the stack."""
    level, depth = [document], 0
    while level:
        level = [
            child
            for each in level
            if isinstance(each, (dict, list))
            for child in (each.values() if isinstance(each, dict) else each)
        ]
        depth += 1
        if depth > MOST_DEPTH:
            raise InputError(
                f'{source}: cannot be read as JSON (over {MOST_DEPTH} lists and objects inside '
                'one another)'
            )
