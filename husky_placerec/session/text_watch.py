"""
Reading of texts beside recognition: in a thread of its own, at a rate and in a time of its own.

A pose never waits for it. A frame gets the texts that were last read, if they are not too old.
"""

from __future__ import annotations

from collections.abc import Callable
import threading

from husky_placerec.session.mailbox import Mailbox
from husky_placerec.texts.seen import SeenText
from husky_placerec.types import Frame, Pixels, SECOND_NS

JOIN_S = 0.5  # wait for the thread at the end; it is a daemon

TextsOf = Callable[[Frame[Pixels]], tuple[SeenText, ...]]


class TextWatch:
    """
    Read the texts of the newest frame that comes.

    :param texts_of: reads a frame; may take long.
    :param rate: largest rate of the frames that are read, in Hz, by their stamps.
    :param age_s: up to which texts count for a later frame.
    :param problem: is told in a sentence what went wrong; called by the thread.
    :ivar read: the number of frames that were read, and `failures` of those that failed.
    """

    def __init__(
        self, texts_of: TextsOf, rate: float, age_s: float, problem: Callable[[str], None]
    ) -> None:
        self.read, self.failures = 0, 0
        self._texts_of, self._problem = texts_of, problem
        self._every_ns, self._age_ns = round(SECOND_NS / rate), round(age_s * SECOND_NS)
        self._mailbox: Mailbox[tuple[int, Frame[Pixels]]] = Mailbox()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._session = 0  # what is read of a frame from before a reset does not count
        self._offered_ns: int | None = None
        self._newest: tuple[int, tuple[SeenText, ...]] | None = None

    def start(self) -> None:
        """Start the thread."""
        self._mailbox = Mailbox()
        self._thread = threading.Thread(target=self._work, args=(self._mailbox,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Forget the frame that waits; a frame in work ends by itself."""
        self._mailbox.close()
        if self._thread is not None:
            self._thread.join(JOIN_S)
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget all that was read."""
        with self._lock:
            self._session += 1
            self._offered_ns = self._newest = None

    def offer(self, frame: Frame[Pixels]) -> None:
        """Take a frame to be read, unless the last was too short ago; returns at once."""
        with self._lock:
            before_ns = self._offered_ns
            if before_ns is not None and 0 <= frame.stamp_ns - before_ns < self._every_ns:
                return
            self._offered_ns = frame.stamp_ns
            self._mailbox.put((self._session, frame))

    def newest(self, stamp_ns: int) -> tuple[SeenText, ...]:
        """Return the texts that were last read, for a frame with a stamp; none if too old."""
        with self._lock:
            if self._newest is None or not 0 <= stamp_ns - self._newest[0] <= self._age_ns:
                return ()
            return self._newest[1]

    def _work(self, mailbox: Mailbox[tuple[int, Frame[Pixels]]]) -> None:
        while (item := mailbox.take()) is not None:
            session, frame = item
            try:
                texts = self._texts_of(frame)
            except Exception as error:  # recognition goes on whatever an OCR does
                self.failures += 1
                self._problem(f'texts of a frame: {type(error).__name__}: {error}')
                continue
            with self._lock:
                self.read += 1
                if session == self._session:
                    self._newest = frame.stamp_ns, texts
