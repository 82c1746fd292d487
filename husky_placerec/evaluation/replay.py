"""A drive recognised offline: the node's own code from frame to recognition, without ROS."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
import time

from husky_placerec.config import Config
from husky_placerec.data.selection import selected_frames, Selection, Told
from husky_placerec.data.source import decode_usable, Source
from husky_placerec.data.trajectory import poses_or_none, Trajectory
from husky_placerec.evaluation.results import Result
from husky_placerec.recognition.recognizer import Recognizer
from husky_placerec.types import Pose
import numpy as np


def replay(
    source: Source,
    recognizer: Recognizer,
    config: Config,
    *,
    truth: Trajectory | None = None,
    max_gap_s: float = 2.0,
    selection: Selection | None = None,
    kept: Collection[str] = (),
) -> Iterator[Result]:
    """
    Recognise the frames of a source, in order; the same source gives the same recognitions.

    :param truth: where the robot was, in the map's frame; frames it does not cover have none.
    :param selection: frames to repeat, all by default; a node's with the parameters that it had.
    :param kept: parameters that stay as configured all the same.
    :raises InputError: for a camera that the source lacks, or a broken image in a bag.
    """
    frames = (
        source.frames(config) if selection is None else selected_frames(source, config, selection)
    )
    told = None if selection is None else selection.told
    wheels = _Wheels(None if told else source.odometry(), recognizer)
    now = config
    for number, encoded in enumerate(frames):
        if told is not None:
            wanted = node_config(config, told[number], kept)
            if wanted != now:
                now = wanted
                recognizer.configure(now)
            _tell(recognizer, told[number])
        wheels.turn_until(encoded.stamp_ns)
        began = time.perf_counter()
        frame = decode_usable(encoded, source)
        if frame is None:
            continue
        recognition = recognizer.recognize(frame)
        seconds = time.perf_counter() - began
        pose = None
        if truth is not None:
            (pose,) = poses_or_none(truth, np.array([frame.stamp_ns]), max_gap_s)
        yield Result(recognition, seconds, pose)


def node_config(config: Config, told: Told, kept: Collection[str] = ()) -> Config:
    """
    Return a configuration with the parameters by which a node decided about a frame.

    :param kept: those that stay as they are.
    """
    decisions = {name: v for name, v in vars(told.decisions).items() if name not in kept}
    return replace(config, **decisions)


def _tell(recognizer: Recognizer, told: Told) -> None:
    """Tell what a node had told its recognizer before that frame."""
    if told.forgot:
        recognizer.forget()
    for stamp_ns, pose in told.odometry:
        recognizer.odometry(stamp_ns, pose)


class _Wheels:
    """Tells a recognizer the odometry of a drive up to each frame, as the robot would."""

    def __init__(self, odometry: Trajectory | None, recognizer: Recognizer) -> None:
        self._odometry = odometry
        self._recognizer = recognizer
        self._told = 0

    def turn_until(self, stamp_ns: int) -> None:
        """Tell all that is older than a frame, and the next, so that the frame is in between."""
        if self._odometry is None:
            return
        end = int(np.searchsorted(self._odometry.stamps_ns, stamp_ns, 'left')) + 1
        stamps, poses = self._odometry.stamps_ns, self._odometry.poses
        for row in range(self._told, min(end, len(stamps))):
            self._recognizer.odometry(int(stamps[row]), Pose.from_array(poses[row]))
        self._told = max(self._told, end)
