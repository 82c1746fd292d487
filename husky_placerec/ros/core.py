"""The node's work without ROS: frames of messages in, recognitions out, in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
import threading
import time
from typing import Any, TextIO

from husky_placerec.config import Config
from husky_placerec.errors import InputError
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.recognizer import Recognizer
from husky_placerec.ros.counters import Counters
from husky_placerec.ros.frame_gate import FrameGate
from husky_placerec.ros.mailbox import Mailbox
from husky_placerec.ros.node_log import log_line
from husky_placerec.ros.travel import KEPT, StampedPose, Travel
from husky_placerec.ros.words import plain
from husky_placerec.types import Frame, Pixels, Recognition, SECOND_NS

JOIN_S = 0.5  # for the thread at the end; it is a daemon, so the process ends without it too

Messages = Frame[Any]  # of undecoded images


class Core:
    """
    Recognises the newest frame; what comes meanwhile waits, and gives way to what is newer.

    All that reaches the recognizer does so in one thread and is told in the log, so that a replay
    of the log's frames gives the same recognitions.

    :param decode: makes pixels of a message, or raises InputError.
    :param tell: is given each recognition and its decoded frame.
    :param now_ns: the clock that the stamps should have.
    :param problem: is told what went wrong, in a sentence.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        config: Config,
        decode: Callable[[Any], Pixels],
        tell: Callable[[Recognition, Frame[Pixels]], None],
        *,
        now_ns: Callable[[], int] = time.time_ns,
        problem: Callable[[str], None] = lambda _: None,
        log: TextIO | None = None,
    ) -> None:
        self.recognizer = recognizer
        self.counters = Counters()
        self.travel = Travel()
        self.enabled = True
        self._cameras = len(config.cameras)
        self._config = self._wanted = config  # the recognizer's, and what it is to be
        self._gate = FrameGate(config)
        self._decode, self._tell, self._now_ns = decode, tell, now_ns
        self._problem, self._log = problem, log
        self._mailbox: Mailbox[tuple[float, Messages]] = Mailbox()
        self._thread: threading.Thread | None = None
        self._turn = threading.Lock()  # a thread that was slow to stop, and the one after it
        self._forget = threading.Event()
        self._forget.set()  # for the log, to which another run may have written before
        # What the recognizer was told since the last line; a frame that failed has none.
        self._unwritten: tuple[bool, list[StampedPose]] = False, []

    def start(self) -> None:
        self._mailbox = Mailbox()
        self._thread = threading.Thread(target=self._work, args=(self._mailbox,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the frame in work, if that does not take long; the next start begins anew."""
        self.counters.dropped += self._mailbox.close()
        if self._thread is not None:
            self._thread.join(JOIN_S)
        self.forget()

    @property
    def working(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def configure(self, config: Config) -> None:
        """Take other thresholds and rates, from the next frame on."""
        self._wanted = config
        self._gate.configure(config)

    def reload(self, place_map: PlaceMap) -> None:
        """
        Go on with another version of the map, between two frames.

        :raises InputError: for a map of another descriptor or frame; the old one is then kept.
        """
        place_map.prepare()  # what is slow, while recognition goes on
        with self._turn:
            self.recognizer.reload(place_map)
            self._forget.set()

    def forget(self) -> None:
        """Begin anew, as if no frame had been seen, with the next one."""
        self._gate.reset()
        self._forget.set()

    def store(self, frame: Messages) -> None:
        """Take a frame; returns at once."""
        self.counters.frames += 1
        self.counters.lone += len(frame.images) < self._cameras
        if not self.enabled:
            self.counters.held_back['disabled'] += 1
            return
        metres = self.travel.metres(frame.stamp_ns)
        reason = self._gate.refuse(frame.stamp_ns, self._now_ns(), metres)
        if reason is not None:
            self.counters.held_back[reason] += 1
            return
        self.counters.dropped += self._mailbox.put((time.monotonic(), frame))

    def _work(self, mailbox: Mailbox[tuple[float, Messages]]) -> None:
        while (item := mailbox.take()) is not None:
            try:
                with self._turn:
                    self._process(*item)
            except Exception as error:  # the node keeps running whatever one frame brings about
                self.counters.failures += 1
                self._problem(f'a frame failed: {type(error).__name__}: {error}')
            finally:
                self.counters.processed += 1

    def _process(self, arrived: float, messages: Messages) -> None:
        began = time.monotonic()
        frame = self._decoded(messages)
        if not frame.images:
            return
        decoded = time.monotonic()
        self._prepare()
        recognition = self.recognizer.recognize(frame)
        recognised = time.monotonic()
        try:
            self._tell(recognition, frame)
            self._count(recognition, arrived, began, decoded, recognised)
        finally:  # what the recognizer has seen is in the log, whether it could be told or not
            self._write(recognition)

    def _prepare(self) -> None:
        """Give the recognizer what came since the last frame; keep it for the log."""
        if self._config is not self._wanted:
            self._config = self._wanted
            self.recognizer.configure(self._config)
        if self._forget.is_set():
            self._forget.clear()
            self.recognizer.forget()
            self._unwritten = True, []
        forgot, odometry = self._unwritten
        for stamp_ns, pose in self.travel.news():
            self.recognizer.odometry(stamp_ns, pose)
            odometry.append((stamp_ns, pose))
        self._unwritten = forgot, odometry[-KEPT:]

    def _write(self, recognition: Recognition) -> None:
        (forgot, odometry), self._unwritten = self._unwritten, (False, [])
        if self._log is not None:
            place_map = self.recognizer.place_map
            self._log.write(log_line(recognition, forgot, odometry, place_map, self._config))

    def _decoded(self, messages: Messages) -> Frame[Pixels]:
        """Decode what decodes: a camera with a broken image is one that is not there."""
        images: dict[str, Pixels] = {}
        for camera, message in messages.images.items():
            try:
                images[camera] = self._decode(message)
            except InputError as error:
                self.counters.undecodable += 1
                self._problem(f'{camera} image: {error}')
        stamps = {camera: messages.image_stamps_ns[camera] for camera in images}
        return Frame(next(iter(stamps.values()), messages.stamp_ns), images, stamps)

    def _count(
        self,
        recognition: Recognition,
        arrived: float,
        began: float,
        decoded: float,
        recognised: float,
    ) -> None:
        counters = self.counters
        now = time.monotonic()
        counters.waits_ms.append((now - arrived) * 1000)
        counters.decoding_ms.append((decoded - began) * 1000)
        counters.recognising_ms.append((recognised - decoded) * 1000)
        counters.ages_ms.append((self._now_ns() - recognition.stamp_ns) / SECOND_NS * 1000)
        counters.last_probability = recognition.probability
        counters.last_proof = recognition.proof
        counters.last_reason = plain(recognition.reason)
        if recognition.accepted:
            counters.accepted += 1
            counters.fixed_at, counters.fixed_m = now, self.travel.total_m
