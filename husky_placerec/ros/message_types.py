"""The Python classes of message types, by their names in bags."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def message_class(kind: str) -> Any | None:
    """Return the class of `package/msg/Name`; None where the package is not installed."""
    package, _, name = kind.split('/')
    try:
        return getattr(import_module(f'{package}.msg'), name)
    except (ImportError, AttributeError):  # for example tf2_msgs, see pip_ros
        return None
