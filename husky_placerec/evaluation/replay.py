"""A drive recognised offline: the node's own code from frame to recognition, without ROS."""

from __future__ import annotations

from collections.abc import Iterator
import time

from husky_placerec.config import Config
from husky_placerec.data.selection import selected_frames, Selection
from husky_placerec.data.source import decode_usable, Source
from husky_placerec.data.trajectory import poses_or_none, Trajectory
from husky_placerec.evaluation.results import Result
from husky_placerec.recognition.recognizer import Recognizer
import numpy as np


def replay(
    source: Source,
    recognizer: Recognizer,
    config: Config,
    *,
    truth: Trajectory | None = None,
    max_gap_s: float = 2.0,
    selection: Selection | None = None,
) -> Iterator[Result]:
    """
    Recognise the frames of a source, in order; the same source gives the same recognitions.

    :param truth: where the robot was, in the map's frame; frames it does not cover have none.
    :param selection: frames to repeat, all by default.
    :raises InputError: for a camera that the source lacks, or a broken image in a bag.
    """
    frames = (
        source.frames(config) if selection is None else selected_frames(source, config, selection)
    )
    for encoded in frames:
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
