"""The declaration of a parameter, and the check of a value against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import Field, field
from typing import Any

from husky_placerec.errors import InputError


def parameter(
    default: Any,
    description: str,
    *,
    unit: str = '',
    least: float | None = None,
    most: float | None = None,
    zero_or: float | None = None,
    choices: Sequence[str] = (),
    dynamic: bool = False,
) -> Any:
    """
    Return a dataclass field that declares a parameter; its type is that of the default.

    :param least: lower bound of a number, included; given together with `most`.
    :param zero_or: least number above 0, where 0 means something else, as no limit.
    :param choices: the values that are allowed; empty: any.
    :param dynamic: may change while the node runs; a new value counts from the next frame on.
    """
    about = {
        'description': description,
        'unit': unit,
        'least': least,
        'most': most,
        'zero_or': zero_or,
        'choices': tuple(choices),
        'dynamic': dynamic,
    }
    if isinstance(default, list):
        return field(default_factory=lambda: list(default), metadata=about)
    return field(default=default, metadata=about)


def check_value(name: str, value: Any, declared: Field[Any], default: Any, source: str) -> Any:
    """
    Return a value in the type of its default.

    :param declared: the field that `parameter` made.
    :param source: where the value comes from, for the message.
    :raises InputError: for a wrong type, no choice, or a value out of range.
    """
    expected = type(default)
    if expected is float and type(value) is int and abs(value) < 2**1023:
        value = float(value)
    if type(value) is not expected:
        raise InputError(f'{source}: {name} is {value!r}; expected {expected.__name__}')
    about = declared.metadata
    if about['choices'] and value not in about['choices']:
        choices = ', '.join(choice or "''" for choice in about['choices'])
        raise InputError(f'{source}: {name} is {value!r}; expected one of {choices}')
    if about['least'] is not None and not about['least'] <= value <= about['most']:
        bounds = f'{about["least"]} to {about["most"]}'
        raise InputError(f'{source}: {name} is {value!r}; expected {bounds}')
    if about['zero_or'] is not None and 0 < value < about['zero_or']:
        bounds = f'0, or {about["zero_or"]} to {about["most"]}'
        raise InputError(f'{source}: {name} is {value!r}; expected {bounds}')
    return value
