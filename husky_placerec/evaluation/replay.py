"""A drive that is recognised offline, by the session that the node runs, without ROS."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
import time

from husky_placerec.config import Config
from husky_placerec.data.selection import selected_frames, Selection, Told
from husky_placerec.data.source import decode_usable, Source
from husky_placerec.data.trajectory import poses_or_none, Trajectory
from husky_placerec.evaluation.results import Result
from husky_placerec.placemap.frame_texts import frame_texts
from husky_placerec.recognition.odometry import Odometry
from husky_placerec.recognition.recognizer import Recognizer
from husky_placerec.session import Session
from husky_placerec.session.image_needs import image_needs
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
    Recognise the frames of a source in order; the same source gives the same recognitions.

    Every frame is recognised: there are no limits of rate, age and distance.

    :param truth: true poses in the map frame; frames that it does not cover have no true pose.
    :param selection: the frames to repeat; None: all frames. The selection of a node also has the
        odometry, the resets and the parameters of its session.
    :param kept: names of parameters that the selection does not override.
    :raises InputError: for a camera that the source lacks, or too many broken images.
    """
    frames = (
        source.frames(config) if selection is None else selected_frames(source, config, selection)
    )
    told = None if selection is None else selection.told
    # A node's log has the texts that the node had read; else they are read in each frame.
    wanted = recognizer.place_map.texts is not None and told is None
    texts_of = frame_texts(config, source) if wanted else None
    session = Session(recognizer, config)
    needs = image_needs(recognizer.place_map, config)
    player = OdometryPlayer(
        None if told else source.odometry(config.odometry_topic), session.odometry
    )
    for number, encoded in enumerate(frames):
        if told is not None:
            session.configure(node_config(config, told[number], kept))
            _repeat(session, told[number], encoded.stamp_ns)
        player.play_until(encoded.stamp_ns)
        began = time.perf_counter()
        frame = decode_usable(encoded, source, config.max_pixels, needs)
        if frame is None:
            continue
        texts = () if texts_of is None else texts_of(frame)
        recognition = session.recognize(frame, texts if told is None else told[number].texts)
        seconds = time.perf_counter() - began
        pose = None
        if truth is not None:
            (pose,) = poses_or_none(truth, np.array([frame.stamp_ns]), max_gap_s)
        yield Result(recognition, seconds, pose)


def node_config(config: Config, told: Told, kept: Collection[str] = ()) -> Config:
    """
    Return a configuration with the parameters by which a node decided about a frame.

    :param kept: names of parameters that keep the configured value.
    """
    decisions = {name: v for name, v in vars(told.decisions).items() if name not in kept}
    return replace(config, **decisions)


def _repeat(session: Session, told: Told, stamp_ns: int) -> None:
    """Do what happened to a node's session before a frame."""
    if told.forgot:
        session.begin_anew()
    for odometry_ns, pose in told.odometry:
        session.add_odometry(odometry_ns, pose)
    session.recognizer.gravity.begin_anew()
    if told.up is not None:
        session.add_gravity(stamp_ns, np.array(told.up))


class OdometryPlayer:
    """Adds the odometry of a drive to a buffer, as far as the robot has it at each frame."""

    def __init__(self, recorded: Trajectory | None, odometry: Odometry) -> None:
        self._recorded = recorded
        self._odometry = odometry
        self._played = 0

    def play_until(self, stamp_ns: int) -> None:
        """Add all poses before a stamp and the next one, so that the stamp lies in between."""
        if self._recorded is None:
            return
        stamps, poses = self._recorded.stamps_ns, self._recorded.poses
        end = min(int(np.searchsorted(stamps, stamp_ns, 'left')) + 1, len(stamps))
        for row in range(self._played, end):
            self._odometry.add(int(stamps[row]), Pose.from_array(poses[row]))
        self._played = max(self._played, end)
