"""How an operation tells its caller of warnings and progress."""

from __future__ import annotations

from collections.abc import Callable

from husky_placerec.progress import Passing

Warn = Callable[[str], None]
Bars = Callable[..., Passing]  # of a title and, if it is not frames, a unit


def no_warning(_: str) -> None:
    """Drop a warning."""


def no_bars(*_: str) -> Passing:
    """Show no progress."""
    return lambda items, _: items
