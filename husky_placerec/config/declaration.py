"""How a parameter is declared, and a value checked against its declaration."""

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
    choices: Sequence[str] = (),
    dynamic: bool = False,
) -> Any:
    """
    Declare a parameter; its type is that of the default.

    :param dynamic: a running node takes another value from its next frame on.
    """
    about = {
        'description': description,
        'unit': unit,
        'least': least,
        'most': most,
        'choices': tuple(choices),
        'dynamic': dynamic,
    }
    if isinstance(default, list):
        return field(default_factory=lambda: list(default), metadata=about)
    return field(default=default, metadata=about)


def check_value(name: str, value: Any, declared: Field[Any], default: Any, source: str) -> Any:
    """Return the value in the type of its default, or say what is wrong with it."""
    expected = type(default)
    if expected is float and type(value) is int:
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
    return value
