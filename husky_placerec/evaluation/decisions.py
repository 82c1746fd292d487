"""The decisions of the robot about the frames of one drive, on a map of another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
import time
from typing import Any
import zlib

from husky_placerec.config import Config
from husky_placerec.data.trajectory import MAP_FRAME
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.errors import InputError
from husky_placerec.evaluation.metrics.judged import HEADING_DEG, is_right, RIGHT_M
from husky_placerec.evaluation.replay import OdometryPlayer
from husky_placerec.evaluation.results import json_line, pose_line
from husky_placerec.evaluation.tracks import Track
from husky_placerec.placemap.building import now, opposite_cameras
from husky_placerec.placemap.exact_search import Nearest
from husky_placerec.placemap.place_map import PlaceMap, Rival
from husky_placerec.placemap.places import Places
from husky_placerec.recognition.calibrating.calibrate import calibrate, itself
from husky_placerec.recognition.calibrating.leave_out import Setting
from husky_placerec.recognition.calibration import Calibration
from husky_placerec.recognition.recognizer import DescriptorRecognizer
from husky_placerec.recognition.search_result import SearchResult
from husky_placerec.recognition.shipped_calibration import calibration_for
from husky_placerec.types import Candidate, FloatArray, Floats, Mask, Pose, Recognition
import numpy as np


@dataclass(frozen=True)
class RobotSettings:
    """
    What a robot would decide by.

    :param spec: of the descriptors.
    :param calibrate_alone: calibrate each map by its own frames.
    """

    config: Config
    spec: DescriptorSpec
    calibrate_alone: bool = False


@dataclass(frozen=True)
class QueryFrames:
    """
    All frames of a drive as they are described, also those without a true pose.

    :param descriptors: [M, C, D], zeros for unusable images.
    :param seen: [M, cameras] whether an image decodes.
    :param unusable: [M] whether images are there, but none is usable.
    """

    descriptors: FloatArray
    seen: Mask
    unusable: Mask


@dataclass(frozen=True)
class Decisions:
    """
    The decisions about the Q queries with a true pose.

    :param pose_right: [Q] whether the pose, accepted or not, is right.
    :param lines: zlib-compressed lines of `recognitions.jsonl`.
    :param poses: zlib-compressed lines of `poses.tum`.
    :param kind: of the calibration that decided; None: thresholds did.
    :param note: why a calibration that was asked for could not be measured; else empty.
    :param ms: per frame.
    """

    accepted: Mask
    probability: Floats
    pose_right: Mask
    lines: bytes
    poses: bytes
    kind: str | None
    note: str
    ms: float


def map_of_track(track: Track, descriptors: FloatArray, robot: RobotSettings) -> PlaceMap:
    """Make the map that `placerec map build` makes of a drive."""
    vectors: Any = np.asarray(descriptors, np.float16)
    present: Mask = np.asarray(vectors.any(axis=2))
    return PlaceMap(
        Places(track.stamps_ns, track.poses, (track.name,) * len(track), present),
        vectors,
        robot.spec,
        track.frame_id or MAP_FRAME,
        opposite_cameras(robot.config),
        {track.name: str(track.path)},
        now(),
        name=track.name,
        origin=track.origin,
        simulated=track.simulated,
    )


def decide_pair(
    database: Track,
    places: FloatArray,
    queries: Track,
    frames: QueryFrames,
    found: Nearest,
    margins: FloatArray,
    robot: RobotSettings,
) -> Decisions:
    """
    Decide about the frames of a drive as a replay on a map of another drive does.

    A calibrated map decides frame by frame, with the sequence. Without a calibration the frames
    are independent, so that the search of all frames at once serves, which is much faster.

    :param places: [N, C, D] descriptors of the map's drive.
    :param found: the candidates of the queries with a true pose, from that search.
    :param margins: [Q] leads of the best candidates; NaN where nothing contradicts.
    """
    began = time.perf_counter()
    place_map = map_of_track(database, places, robot)
    calibration, note = _calibration(place_map, robot)
    recognizer = DescriptorRecognizer(place_map, robot.config, calibration)
    if calibration is None:
        decided = _independently(recognizer, queries, frames, found, margins)
    else:
        decided = _in_sequence(recognizer, queries, frames)
    said = list(decided)
    truths = [Pose.from_array(pose) for pose in queries.poses]
    lines = ''.join(
        json_line(each, truth, database=database.name, queries=queries.name)
        for each, truth in zip(said, truths)
    )
    count = max(len(frames.descriptors), 1)
    return Decisions(
        np.array([each.accepted for each in said], np.bool_),
        np.array([np.nan if s.probability is None else s.probability for s in said]),
        np.array([_is_right(each.pose, truth) for each, truth in zip(said, truths)], np.bool_),
        zlib.compress(lines.encode(), 1),
        zlib.compress(''.join(map(pose_line, said)).encode(), 1),
        None if calibration is None else calibration.kind,
        note,
        1000 * (time.perf_counter() - began) / count,
    )


def _calibration(place_map: PlaceMap, robot: RobotSettings) -> tuple[Calibration | None, str]:
    """Return the calibration that decides, and why one could not be measured."""
    if not robot.calibrate_alone:
        return calibration_for(place_map, robot.spec), ''
    try:
        place_map.prepare()
        return calibrate([Setting(place_map, (itself(place_map),))], robot.config), ''
    except InputError as error:
        return None, f'--calibrate alone: {error}; thresholds decide'


def _is_right(pose: Pose | None, truth: Pose) -> bool:
    return pose is not None and is_right(pose, truth, RIGHT_M, HEADING_DEG)


def _image_stamps(track: Track, row: int, seen: Mask, config: Config) -> Mapping[str, int]:
    stamps = track.all_image_stamps_ns[row].tolist()
    return {c: stamp for c, stamp, there in zip(config.cameras, stamps, seen[row]) if there}


def _in_sequence(
    recognizer: DescriptorRecognizer, queries: Track, frames: QueryFrames
) -> Iterator[Recognition]:
    """Decide about every frame in order; yield the decisions about those with a true pose."""
    player = OdometryPlayer(queries.odometry, recognizer.odometry)
    wanted = set(queries.rows.tolist())
    for row, stamp_ns in enumerate(queries.all_stamps_ns.tolist()):
        if not frames.seen[row].any():  # a replay skips a frame whose images do not decode
            continue
        player.play_until(stamp_ns)
        recognizer.odometry.take_new()
        result = recognizer.search(np.asarray(frames.descriptors[row], np.float32))
        stamps = _image_stamps(queries, row, frames.seen, recognizer.config)
        decided = recognizer.decide(stamp_ns, stamps, result, bool(frames.unusable[row]))
        if row in wanted:
            yield decided


def _independently(
    recognizer: DescriptorRecognizer,
    queries: Track,
    frames: QueryFrames,
    found: Nearest,
    margins: FloatArray,
) -> Iterator[Recognition]:
    """Decide about each frame alone, by what the search of all frames found."""
    place_map, config = recognizer.place_map, recognizer.config
    poses = [Pose.from_array(pose) for pose in place_map.places.poses]
    ways = [poses, [pose.turned_round() for pose in poses]]  # each once, for many candidates
    tells = place_map.opposites is not None
    columns = (found.places.tolist(), found.similarities.tolist(), found.turned.tolist())
    rows = zip(queries.rows.tolist(), queries.stamps_ns.tolist(), margins.tolist(), *columns)
    for row, stamp_ns, margin, places, similarities, reverse in rows:
        candidates = tuple(
            Candidate(place, similarity, turned if tells else None, ways[turned][place])
            for place, similarity, turned in zip(places, similarities, reverse)
            if place >= 0
        )[: config.candidates]
        rival = None
        if candidates and not np.isnan(margin):
            rival = Rival(candidates[0].similarity - margin, np.zeros(0, np.float32))
        query = np.asarray(frames.descriptors[row], np.float32)
        result = SearchResult(
            place_map, recognizer.route, query, candidates, rival, config.elsewhere
        )
        stamps = _image_stamps(queries, row, frames.seen, config)
        yield recognizer.decide(stamp_ns, stamps, result, bool(frames.unusable[row]))
