"""
Reading of JSON and YAML that may come from someone else.

The size and the depth of a document are limited before it is built. So a document can neither
exhaust the memory nor the stack, and what it holds can be walked and printed.
"""

from __future__ import annotations

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

    Aliases are refused: some kilobytes of them make a document of gigabytes. The parser of ROS
    parameter files does not take them either.

    :param source: where the text comes from, for the error.
    :param problem: what follows the source in the error.
    :raises InputError: for text that is no YAML, is nested too deeply, or has aliases.
    """
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise InputError(
                    f'{source}{problem} (line {_line(event)}: has the alias '
                    f'*{event.anchor}; expected the values themselves)'
                )
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > MOST_DEPTH:
                raise InputError(
                    f'{source}{problem} (line {_line(event)}: over {MOST_DEPTH} '
                    'lists and mappings inside one another)'
                )
        return yaml.safe_load(text)
    except (yaml.YAMLError, *BROKEN) as error:
        raise InputError(f'{source}{problem} ({_said(error)})') from error


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark is not None else 0


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
