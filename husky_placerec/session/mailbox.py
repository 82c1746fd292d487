"""A queue of length one that keeps the newest item, for a slow reader of a fast writer."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

Item = TypeVar('Item')


class Mailbox(Generic[Item]):
    """Hand the newest item to one reader; a newer item replaces one that waits."""

    def __init__(self) -> None:
        self._item: Item | None = None
        self._closed = False
        self._changed = threading.Condition()

    def put(self, item: Item) -> bool:
        """Put an item; return whether it replaced one that was not taken."""
        with self._changed:
            waited = self._item is not None
            self._item = item
            self._changed.notify()
            return waited

    def take(self) -> Item | None:
        """Wait for an item and return it; None when the mailbox is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed)
            item, self._item = self._item, None
            return None if self._closed else item

    def close(self) -> bool:
        """Release the reader; return whether an item is left that nobody takes."""
        with self._changed:
            self._closed = True
            self._changed.notify()
            return self._item is not None
