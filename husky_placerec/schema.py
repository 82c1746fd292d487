"""
A small declarative checker of documents: types, ranges, lengths and keys.

pydantic would do the same. But Jammy has 1.8, Noble has 1.10 and PyPI has 2 of it, whose models
differ, and the node is to have few dependencies.

>>> POINT = record({'x': number(-1, 1), 'names': items(text(9), most=3)})
>>> require({'x': 2, 'names': []}, POINT, 'a.json')
Traceback (most recent call last):
husky_placerec.errors.InputError: a.json: not as expected (x is 2; expected a number from -1 to 1)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
import re
import reprlib
from typing import Any

from husky_placerec.errors import InputError

Check = Callable[[Any, str], None]  # of a value and its name; raises ValueError
MOST_ITEMS = 1_000_000


def require(value: Any, check: Check, source: str) -> None:
    """
    Check a document.

    :param source: where it comes from, for the error.
    :raises InputError: that names the first wrong value, and what was expected.
    """
    try:
        check(value, '')
    except ValueError as error:
        raise InputError(f'{source}: not as expected ({error})') from error


def anything(value: Any, name: str) -> None:
    """Accept any value."""


def integer(least: int, most: int) -> Check:
    """Accept a whole number from `least` to `most`."""
    return _where(
        lambda value: type(value) is int and least <= value <= most,
        f'a whole number from {least} to {most}',
    )


def number(least: float, most: float) -> Check:
    """Accept a finite number from `least` to `most`."""
    return _where(
        lambda value: type(value) in (int, float) and least <= value <= most,  # NaN is not
        f'a number from {least:g} to {most:g}',
    )


def text(longest: int = 4096, pattern: str = '') -> Check:
    """
    Accept text that can be written as UTF-8 and has no NUL.

    :param pattern: a regular expression that the whole text has to match; empty: any text.
    """

    def fits(value: Any) -> bool:
        if not isinstance(value, str) or len(value) > longest or '\0' in value:
            return False
        surrogate = any('\ud800' <= letter <= '\udfff' for letter in value)
        return not surrogate and (not pattern or re.fullmatch(pattern, value) is not None)

    return _where(fits, f'text of up to {longest} letters{pattern and f" that match {pattern}"}')


def choice(*values: str) -> Check:
    """Accept one of some texts."""
    return _where(
        lambda value: isinstance(value, str) and value in values,
        f'one of {", ".join(map(repr, values))}',
    )


def boolean(value: Any, name: str) -> None:
    """Accept true and false."""
    if not isinstance(value, bool):
        raise ValueError(f'{name or "it"} is {reprlib.repr(value)}; expected true or false')


def none_or(check: Check) -> Check:
    """Accept null, or what another check accepts."""

    def checked(value: Any, name: str) -> None:
        if value is not None:
            check(value, name)

    return checked


def items(check: Check, least: int = 0, most: int = MOST_ITEMS) -> Check:
    """Accept a list of `least` to `most` values that a check accepts."""
    is_list = _where(
        lambda value: isinstance(value, list) and least <= len(value) <= most,
        f'a list of {least} to {most} values',
    )

    def checked(value: Any, name: str) -> None:
        is_list(value, name)
        for i, each in enumerate(value):
            check(each, f'{name}[{i}]')

    return checked


def mapping(check: Check, keys: Check, most: int = MOST_ITEMS) -> Check:
    """Accept an object of any keys whose values a check accepts."""
    is_object = _where(
        lambda value: isinstance(value, dict) and len(value) <= most,
        f'an object of up to {most} keys',
    )

    def checked(value: Any, name: str) -> None:
        is_object(value, name)
        for key, each in value.items():
            keys(key, f'a key of {name}' if name else 'a key')
            check(each, _inner(name, key))

    return checked


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """Accept an object with some keys; keys that are not named are ignored."""
    known = {**required, **(optional or {})}

    def checked(value: Any, name: str) -> None:
        if not isinstance(value, dict):
            raise ValueError(f'{name or "it"} is {reprlib.repr(value)}; expected an object')
        for key in required:
            if key not in value:
                raise ValueError(f'{_inner(name, key)} is missing')
        for key, each in value.items():
            if key in known:
                known[key](each, _inner(name, key))

    return checked


def _where(fits: Callable[[Any], bool], expected: str) -> Check:
    def checked(value: Any, name: str) -> None:
        if not fits(value):
            raise ValueError(f'{name or "it"} is {reprlib.repr(value)}; expected {expected}')

    return checked


def _inner(name: str, key: str) -> str:
    shown = key if len(key) <= 40 else f'{key[:40]}...'
    return f'{name}.{shown}' if name else shown
