"""The Python classes of message types, by the names that bags have for them."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def message_class(kind: str) -> Any | None:
    """Return the class of `package/msg/Name`; None where the package is not installed."""
    package, _, name = kind.split('/')
    try:
        return getattr(import_module(f'{package}.msg'), name)
    except (ImportError, AttributeError):  # tf2_msgs, for one, is not on PyPI
        return None
