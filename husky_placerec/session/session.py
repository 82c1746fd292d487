"""
The work of the node without ROS: frames of messages in, recognitions out, in a thread of its own.

A replay drives the same object frame by frame, without the thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
import threading
import time
from typing import Any

from husky_placerec.config import Config
from husky_placerec.errors import InputError
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.odometry import Odometry, StampedPose
from husky_placerec.recognition.recognizer import Recognizer
from husky_placerec.session.counters import Counters
from husky_placerec.session.frame_gate import FrameGate
from husky_placerec.session.image_needs import image_needs
from husky_placerec.session.log import Log, log_line
from husky_placerec.session.mailbox import Mailbox
from husky_placerec.session.mask_buffer import BROKEN, MaskBuffer
from husky_placerec.session.published_state import PublishedState
from husky_placerec.session.text_watch import TextsOf, TextWatch
from husky_placerec.texts.seen import SeenText
from husky_placerec.types import (
    Classes,
    Floats,
    Frame,
    Pixels,
    Pose,
    Recognition,
    State,
)

JOIN_S = 0.5  # wait for the thread at the end; it is a daemon, so the process ends without it too
MOST_UNWRITTEN = 10_000  # odometry poses that wait for a line of the log

Messages = Frame[Any]  # of undecoded images


class Observer:
    """What a session tells; the methods do nothing here, for whoever overrides some of them."""

    def recognized(self, recognition: Recognition, frame: Frame[Pixels]) -> None:
        """Take the decision about a frame; called by the worker."""

    def state_changed(self, state: State) -> None:
        """Take the state where it changes; called by any thread."""

    def began_anew(self) -> None:
        """Drop all that was derived from earlier frames; called by any thread."""

    def problem(self, sentence: str) -> None:
        """Take what went wrong, in a sentence; called by the worker."""


class Session:
    """
    Recognise the newest frame; a frame that comes meanwhile waits until a newer one replaces it.

    The session owns every reset: `begin_anew` resets the frame gate, the sequence, the odometry,
    the state and, through the observer, whatever was derived from earlier frames. Everything that
    reaches the recognizer is written to the log, so that a replay repeats the recognitions.

    :param decode: makes pixels of a message, or raises InputError. Its second argument tells the
        size that is needed, where `reduced`.
    :param reduced: decode images no larger than the map needs them.
    :param now_ns: the clock that the stamps of the messages should have.
    :param log: takes a line of JSON for each recognition.
    :param texts_of: reads the texts of a frame, in a thread of its own; None: none are read.
    :ivar masks: the masks that came over topics; functions that make classes [H, W] of a mask for
        an image of a height and width, or raise InputError.
    :ivar texts: reads the texts of frames; None: none are read.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        config: Config,
        *,
        decode: Callable[..., Pixels] = lambda pixels: pixels,
        reduced: bool = False,
        observer: Observer | None = None,
        now_ns: Callable[[], int] = time.time_ns,
        log: Log | None = None,
        texts_of: TextsOf | None = None,
    ) -> None:
        self.recognizer = recognizer
        self.config = self._seen_by = config
        self.counters = Counters()
        self.masks = MaskBuffer()
        self.enabled = True
        self._decode, self._now_ns, self._log = decode, now_ns, log
        self._needs = image_needs(recognizer.place_map, config) if reduced else None
        self._decoders = ThreadPoolExecutor(max(1, min(config.threads, len(config.cameras))))
        self._observer = observer or Observer()
        self._state = PublishedState(now_ns, self._observer.state_changed)
        self._gate = FrameGate()
        self._mailbox: Mailbox[tuple[float, Messages]] = Mailbox()
        self._thread: threading.Thread | None = None
        self._turn = threading.Lock()  # for the recognizer: a slow thread, its successor, reload
        self._telling = threading.RLock()  # no frame is told after a reset that came later
        self._anew = threading.Event()
        self._anew.set()  # for the log, to which another run may have written before
        # What the recognizer was told since the last line of the log: whether it began anew, and
        # odometry. A frame that failed has no line.
        self._unwritten: tuple[bool, list[StampedPose]] = False, []
        self.texts: TextWatch | None = None
        if texts_of is not None:
            about = texts_of, config.text_rate, config.text_age
            self.texts = TextWatch(*about, self._observer.problem)

    @property
    def odometry(self) -> Odometry:
        """The one buffer of odometry; any thread may add poses and ask."""
        return self.recognizer.odometry

    @property
    def state(self) -> State:
        """The state that others may believe."""
        return self._state.value

    def start(self) -> None:
        """Start the worker, and the reader of texts where there is one."""
        if self.texts is not None:
            self.texts.start()
        self._mailbox = Mailbox()
        self._thread = threading.Thread(target=self._work, args=(self._mailbox,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the frame in work, if that does not take long, and begin anew."""
        self.counters.dropped += self._mailbox.close()
        if self._thread is not None:
            self._thread.join(JOIN_S)
        if self.texts is not None:
            self.texts.stop()
        self.begin_anew()

    @property
    def working(self) -> bool:
        """Whether the worker is alive."""
        return self._thread is not None and self._thread.is_alive()

    def configure(self, config: Config) -> None:
        """Use other thresholds and rates from the next frame on."""
        self.config = config

    def begin_anew(self) -> None:
        """Forget every frame before the next one; from any thread."""
        with self._telling:
            self._gate.reset()
            self.masks.reset()
            self._anew.set()
            self._state.reset()
            if self.texts is not None:
                self.texts.begin_anew()
            self._observer.began_anew()

    def enable(self, on: bool) -> None:
        """Let frames through, or hold them back; what follows a pause begins anew."""
        if on and not self.enabled:
            self.begin_anew()
        self.enabled = on

    def reload(self, place_map: PlaceMap) -> None:
        """
        Go on with another version of the map, between two frames, and begin anew.

        :raises InputError: for a map of another descriptor or frame; the old map is then kept.
        """
        place_map.prepare()  # takes long, while recognition goes on
        with self._turn:
            self.recognizer.reload(place_map)
            self._needs = self._needs and image_needs(place_map, self._seen_by)
            self.begin_anew()

    def look_through(self, config: Config) -> str:
        """
        Take the cameras that a configuration tells of, between two frames, and say how.

        :raises InputError: for cameras that do not fit the map; the old ones are then kept.
        """
        with self._turn:
            self.recognizer.look_through(config)
            self._seen_by = config
            self._needs = self._needs and image_needs(self.recognizer.place_map, config)
            return self.recognizer.view

    def add_odometry(self, stamp_ns: int, pose: Pose) -> bool:
        """Add a pose of `base_link` in the frame `odom`; return whether it is a pose."""
        return self.odometry.add(stamp_ns, pose)

    def add_gravity(self, stamp_ns: int, up: Floats) -> bool:
        """Add a direction up in `base_link`; return whether a robot can stand so."""
        return self.recognizer.gravity.add(stamp_ns, up)

    def check_state(self) -> None:
        """Give up the state where no frame has confirmed it for some time; call it regularly."""
        self._state.check()

    def store(self, frame: Messages) -> None:
        """Take a frame for the worker; returns at once."""
        self.counters.frames += 1
        self.counters.lone += len(frame.images) < len(self.config.cameras)
        if not self.enabled:
            self.counters.held_back['disabled'] += 1
            return
        driven_m = self.odometry.driven_m(frame.stamp_ns)
        reason = self._gate.refuse(frame.stamp_ns, self._now_ns(), driven_m, self.config)
        if reason is None:
            self.counters.dropped += self._mailbox.put((time.monotonic(), frame))
            return
        self.counters.held_back[reason] += 1
        if FrameGate.says_nothing_new(reason):
            self._state.confirm(frame.stamp_ns)

    def recognize(self, frame: Frame[Pixels], texts: Sequence[SeenText] = ()) -> Recognition:
        """
        Recognise a decoded frame now, with all that came since the last one, and log it.

        :param texts: of the frame.
        """
        self._prepare()
        recognition = self.recognizer.recognize(frame, texts)
        self._write(recognition, texts)
        return recognition

    def _work(self, mailbox: Mailbox[tuple[float, Messages]]) -> None:
        while (item := mailbox.take()) is not None:
            try:
                with self._turn:
                    self._process(*item)
            except Exception as error:  # the node keeps running whatever one frame brings about
                self.counters.failures += 1
                self._observer.problem(f'a frame failed: {type(error).__name__}: {error}')
            finally:
                self.counters.processed += 1

    def _process(self, arrived: float, messages: Messages) -> None:
        began = time.monotonic()
        frame = self._decoded(messages)
        if not frame.images:
            return
        decoded = time.monotonic()
        self._prepare()
        texts: Sequence[SeenText] = ()
        if self.texts is not None:
            texts = self.texts.newest(frame.stamp_ns)
            self.texts.offer(frame)
        recognition = self.recognizer.recognize(frame, texts)
        recognised = time.monotonic()
        try:
            if self._tell(recognition, frame):
                age_ns = self._now_ns() - recognition.stamp_ns
                self.counters.count(recognition, self.odometry.total_m, age_ns)
            self.counters.time(arrived, began, decoded, recognised)
        finally:  # what the recognizer has seen is in the log, whether it could be told or not
            self._write(recognition, texts)

    def _prepare(self) -> None:
        """Give the recognizer all that came since the last frame, and keep it for the log."""
        if self.recognizer.config is not self.config:
            self.recognizer.configure(self.config)
        if self._anew.is_set():
            self._anew.clear()
            self.recognizer.begin_anew()
            self._unwritten = True, []
        anew, odometry = self._unwritten
        odometry += self.odometry.take_new()
        self._unwritten = anew, odometry[-MOST_UNWRITTEN:]

    def _tell(self, recognition: Recognition, frame: Frame[Pixels]) -> bool:
        """Tell a recognition, unless everything began anew while the frame was in work."""
        with self._telling:
            if self._anew.is_set():
                return False
            self._state.update(recognition)
            self._observer.recognized(recognition, frame)
            return True

    def _write(self, recognition: Recognition, texts: Sequence[SeenText]) -> None:
        (anew, odometry), self._unwritten = self._unwritten, (False, [])
        if self._log is not None:
            recognizer = self.recognizer
            about = recognizer.place_map, recognizer.config, texts
            self._log.write(log_line(recognition, anew, odometry, *about))

    def _decoded(self, messages: Messages) -> Frame[Pixels]:
        """Decode a frame; a camera with a broken image counts as absent."""
        images: dict[str, Pixels] = {}
        tried = self._decoders.map(self._try_to_decode, *zip(*messages.images.items()))
        for camera, decoded in zip(messages.images, tried):
            if isinstance(decoded, InputError):
                self.counters.undecodable += 1
                self._observer.problem(f'{camera} image: {decoded}')
            else:
                images[camera] = decoded
        stamps = {camera: messages.image_stamps_ns[camera] for camera in images}
        masks = self._masks_of(images, stamps)
        return Frame(next(iter(stamps.values()), messages.stamp_ns), images, stamps, masks)

    def _try_to_decode(self, camera: str, message: Any) -> Pixels | InputError:
        try:
            if self._needs is None:
                return self._decode(message)
            return self._decode(message, needed=partial(self._needs, camera))
        except InputError as error:
            return error

    def _masks_of(
        self, images: Mapping[str, Pixels], stamps_ns: Mapping[str, int]
    ) -> dict[str, Classes]:
        """Return the masks that have come; a frame goes on without those that have not."""
        masks: dict[str, Classes] = {}
        for camera, image in images.items():
            read = self.masks.take(camera, stamps_ns[camera])
            try:
                if read is not None:
                    masks[camera] = read((image.shape[0], image.shape[1]))
            except InputError as error:
                self.masks.counts[BROKEN] += 1
                self._observer.problem(f'{camera} mask: {error}')
        return masks
