"""Progress bars of long work: count, rate and remaining time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
import sys
import time
from typing import Any

from husky_placerec.printable import printable
from tqdm import tqdm

Passing = Callable[[Iterable[Any], int], Iterable[Any]]

EARLY = 4  # results that come together at the start, of two processes that render two frames each


def bar(
    title: str, total: int | None = None, unit: str = ' frames', *, quiet: bool = False
) -> Any:
    """Return a tqdm bar on stderr; it updates every 5 s if stderr is no terminal."""
    every_s = 0.1 if sys.stderr.isatty() else 5.0
    return tqdm(
        desc=printable(title),
        total=total,
        unit=unit,
        dynamic_ncols=True,
        mininterval=every_s,
        disable=quiet,
    )


@contextmanager
def slow_start_bar(title: str, starting: str) -> Iterator[Callable[[int, int], None]]:
    """
    Show a bar of work whose first results take much longer, as they do where code is compiled.

    The estimate of the remaining time leaves out the first EARLY results.

    :param starting: what is done until then, in words.
    :return: a function that takes the number of results so far, and of all.
    """
    with bar(f'{title} ({starting})') as shown:
        usual, shown.bar_format = shown.bar_format, '{desc}: {n_fmt}{unit} [{elapsed}]'
        shown.smoothing = 0.0  # the rate is the mean since `start_t`
        shown.refresh()

        def show(done: int, total: int) -> None:
            shown.total = total
            if shown.n < min(EARLY, total) <= done:
                shown.desc, shown.bar_format = f'{title}: ', usual
                shown.initial, shown.start_t = done, time.time()
            shown.update(done - shown.n)

        yield show


def progress(title: str, unit: str = ' frames') -> Passing:
    """Return a function that yields items and shows their number out of a total."""

    def passing(items: Iterable[Any], total: int) -> Iterator[Any]:
        with bar(title, total, unit) as shown:
            for item in items:
                yield item
                shown.update()

    return passing
