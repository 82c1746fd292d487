"""
The wait for the CameraInfo of a live robot, without ROS.

Frames are held back at the start until each camera has told its intrinsics, for a second at most.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from husky_placerec.cameras.found import CameraTold, fit_to_images, found_cameras
from husky_placerec.cameras.known import with_cameras
from husky_placerec.cameras.mounting import TransformTree
from husky_placerec.config import Config
from husky_placerec.errors import InputError
from husky_placerec.types import Frame, Pixels

WAIT_S = 1.0  # from the first frame

Messages = Frame[Any]


class CameraWait:
    """
    Collects what the cameras of a robot tell, and tells the session of it.

    :param config: what it tells of the cameras counts more than the messages.
    :param topics: image topic of each camera whose intrinsics are wanted.
    :param decode: makes pixels of an image message, or raises InputError.
    :param look_through: takes the cameras; raises InputError where they do not fit the map.
    :param store: takes a frame.
    :param tell: takes what is worth a line of the log.
    :param warn: takes what is doubtful.
    """

    def __init__(
        self,
        config: Config,
        topics: Mapping[str, str],
        *,
        decode: Callable[[Any], Pixels],
        look_through: Callable[[Config], str],
        store: Callable[[Messages], None],
        tell: Callable[[str], None],
        warn: Callable[[str], None],
    ) -> None:
        self._config, self._topics, self._decode = config, dict(topics), decode
        self._look_through, self._store = look_through, store
        self._tell, self._warn = tell, warn
        self._told: dict[str, CameraTold] = {}
        self._tree = TransformTree()
        self._sizes: dict[str, tuple[int, int]] = {}
        self._held: list[Messages] = []
        self._warned: set[str] = set()
        self._waiting = bool(topics)
        self._first_s: float | None = None
        self.refusal = ''  # why the cameras do not fit the map

    @property
    def missing(self) -> list[str]:
        """The cameras that have told nothing."""
        return [name for name in self._topics if name not in self._told]

    def add_frame(self, frame: Messages, now_s: float) -> bool:
        """
        Take a frame: store it, or hold it back.

        :param now_s: by the steady clock.
        :return: whether it was taken; False where the cameras do not fit the map.
        """
        if self._waiting:
            self._first_s = now_s if self._first_s is None else self._first_s
            self._held.append(frame)
            self.check(now_s)
        elif not self.refusal:
            self._store(frame)
        return not self.refusal

    def add_info(self, camera: str, info: Any, topic: str, now_s: float) -> None:
        """Take the first CameraInfo of a camera."""
        if camera in self._told:
            return
        self._told[camera] = CameraTold(info, '', self._topics[camera], topic)
        if self._waiting:
            self.check(now_s)
        else:
            self._apply()

    def add_transforms(self, add: Callable[[TransformTree], None]) -> None:
        """Take static transforms; those that come late count from the next frame on."""
        known = self._tree.count
        add(self._tree)
        if not self._waiting and self._told and self._tree.count > known:
            self._apply()

    def check(self, now_s: float) -> None:
        """End the wait where it is time; call it at least every fraction of a second."""
        if not self._waiting or self._first_s is None:
            return
        if self.missing and now_s - self._first_s < WAIT_S:
            return
        self._waiting = False
        if self.missing:
            self._warn(
                f'no CameraInfo of {", ".join(self.missing)} came within {WAIT_S:g} s; the '
                'intrinsics that the map was built with are used; set camera.<name>.info_topic'
            )
        self._measure(self._held)
        self._apply()
        for frame in self._held:
            if not self.refusal:
                self._store(frame)
        self._held = []

    def _measure(self, frames: Sequence[Messages]) -> None:
        """Note the size of the first image of each camera that decodes."""
        for frame in frames:
            for name, message in frame.images.items():
                if name not in self._sizes:
                    try:
                        self._sizes[name] = self._decode(message).shape[1::-1]
                    except InputError:  # the session counts and tells it
                        continue

    def _apply(self) -> None:
        found = fit_to_images(found_cameras(self._told, self._tree), self._sizes)
        for note in found.notes:
            if note not in self._warned:
                self._warned.add(note)
                self._warn(note)
        try:
            self._tell(self._look_through(with_cameras(self._config, found.cameras)))
            self.refusal = ''
        except InputError as error:
            self.refusal = str(error)
            self._warn(f'{error}; nothing is recognised')
