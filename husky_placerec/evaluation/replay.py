"""A drive recognised offline: the node's own code from frame to recognition, without ROS."""

from __future__ import annotations

from collections.abc import Iterator
import time

from husky_placerec.config import Config
from husky_placerec.data.bag import Bag
from husky_placerec.data.selection import selected_frames, Selection
from husky_placerec.data.source import decode_frame
from husky_placerec.data.trajectory import poses_or_none, Trajectory
from husky_placerec.evaluation.results import Result
from husky_placerec.recognition.recognizer import Recognizer
import numpy as np


def replay(
    bag: Bag,
    recognizer: Recognizer,
    config: Config,
    *,
    truth: Trajectory | None = None,
    max_gap_s: float = 2.0,
    selection: Selection | None = None,
) -> Iterator[Result]:
    """
    Recognise the frames of a bag, in order; the same bag gives the same recognitions.

    :param truth: where the robot was, in the map's frame; frames it does not cover have none.
    :param selection: frames to repeat, all by default.
    :raises InputError: for a camera that the bag lacks or an image that does not decode.
    """
    frames = bag.frames(config) if selection is None else selected_frames(bag, config, selection)
    for encoded in frames:
        began = time.perf_counter()
        recognition = recognizer.recognize(decode_frame(encoded, str(bag.path)))
        seconds = time.perf_counter() - began
        pose = None
        if truth is not None:
            (pose,) = poses_or_none(truth, np.array([encoded.stamp_ns]), max_gap_s)
        yield Result(recognition, seconds, pose)
