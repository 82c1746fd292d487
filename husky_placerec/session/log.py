"""The log of a session: all that `placerec replay --stamps` needs to repeat its recognitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
import json
import os
import queue
import stat
import threading
from typing import Protocol

from husky_placerec.config import Config
from husky_placerec.config.decisions import DecisionConfig
from husky_placerec.errors import InputError
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.odometry import StampedPose
from husky_placerec.recognition.serialization import recognition_json
from husky_placerec.texts.map_texts import text_json
from husky_placerec.texts.seen import SeenText
from husky_placerec.types import Recognition

DECISIONS = tuple(field.name for field in fields(DecisionConfig))


MOST_WAITING = 1000  # lines; a disk that is slower for longer loses lines
CLOSE_S = 0.3  # in which the lines that wait are written at the end


class Log(Protocol):
    """Takes the lines of a session."""

    def write(self, line: str, /) -> object:
        """Take a line, with its line break."""


class LogFile:
    """
    Append lines to a file from a thread of its own, so that no disk delays or fails a frame.

    A line that cannot be written is lost and counted. A line is never left half-written.

    :ivar lost: the number of lines that were lost.
    :ivar problem: why the last line was lost; empty: none since `told_problem`.
    :raises InputError: when the file cannot be opened, or is a FIFO, whose reader could block.
    """

    def __init__(self, path: str) -> None:
        self.path, self.lost, self.problem = path, 0, ''
        try:
            if os.path.exists(path) and stat.S_ISFIFO(os.stat(path).st_mode):
                raise InputError(f'parameter recognitions_file: {path} is a FIFO; expected a file')
            # A FIFO that appears meanwhile would wait for a reader without O_NONBLOCK.
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
            self._handle = os.open(path, flags, 0o644)
        except OSError as error:
            raise InputError(
                f'parameter recognitions_file: {error}; expected a file that can be written'
            ) from error
        self._lines: queue.Queue[str | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Take a line for the thread; returns at once."""
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._lose('the disk is too slow')

    def close(self) -> None:
        """Write the lines that wait, as far as CLOSE_S allows; never raises."""
        try:
            self._lines.put(None, timeout=CLOSE_S)
        except queue.Full:
            return  # the thread is stuck in the disk; it is a daemon
        self._thread.join(CLOSE_S)

    def told_problem(self) -> str:
        """Return why lines were lost since the last call, and the remedy; empty: none was."""
        problem, self.problem = self.problem, ''
        if not problem:
            return ''
        return (
            f'recognitions_file {self.path}: {problem}; {self.lost} lines are lost, so that a '
            'replay of this file gives other poses; make room, or name another file'
        )

    def _work(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._append(line.encode())
            except OSError as error:
                self._lose(error.strerror or str(error))
        os.close(self._handle)

    def _append(self, data: bytes) -> None:
        written = os.write(self._handle, data)
        while written < len(data):
            try:
                written += os.write(self._handle, data[written:])
            except OSError:
                self._cut(written)
                raise

    def _cut(self, count: int) -> None:
        """Remove the beginning of a line, which would spoil the next one."""
        size = os.fstat(self._handle).st_size
        os.ftruncate(self._handle, max(0, size - count))

    def _lose(self, problem: str) -> None:
        self.lost += 1
        self.problem = problem


def open_log(path: str) -> LogFile | None:
    """
    Open the file to which recognitions are appended; None where none is named.

    :raises InputError: as `LogFile`.
    """
    return LogFile(path) if path else None


def log_line(
    recognition: Recognition,
    began_anew: bool,
    odometry: Sequence[StampedPose],
    place_map: PlaceMap,
    config: Config,
    texts: Sequence[SeenText] = (),
) -> str:
    """
    Return the line of a frame: the decision, and everything that it depends on.

    Each line is complete, so that a file may be cut anywhere. Parameters that were set and maps
    that were reloaded during the drive are in their place.

    :param began_anew: the recognizer began anew before this frame.
    :param odometry: poses that the recognizer got since the frame before.
    :param texts: that it got for this frame.
    """
    line = {
        **recognition_json(recognition),
        'forgot': began_anew,
        'odometry': [[stamp_ns, *pose.as_array().tolist()] for stamp_ns, pose in odometry],
        'map_version': place_map.version,
        'parameters': {name: getattr(config, name) for name in DECISIONS},
    }
    if texts:
        line['seen_texts'] = [text_json(seen) for seen in texts]
    return json.dumps(line) + '\n'
