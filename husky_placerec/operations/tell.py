"""How an operation tells its caller what it read, of warnings and of progress."""

from __future__ import annotations

from collections.abc import Callable

from husky_placerec.progress import Passing

Tell = Callable[[str], None]
Warn = Callable[[str], None]
Bars = Callable[..., Passing]  # of a title and, if it is not frames, a unit


def tell_nothing(_: str) -> None:
    """Drop what was read."""


def no_warning(_: str) -> None:
    """Drop a warning."""


def no_bars(*_: str) -> Passing:
    """Show no progress."""
    return lambda items, _: items
