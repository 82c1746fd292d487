"""
The decisions about the queries of a pair, by the recognizer that the robot runs.

They are the decisions of a replay of the queries' drive on a map of the other drive. Where the
map is calibrated, all frames of the source go through the recognizer in the order of their stamps,
with the odometry of the source. Where it is not, each frame is decided alone, by the candidates
that the search of all queries at once has found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
import gzip
import io

from husky_placerec.config import Config
from husky_placerec.descriptor.local.network import LocalValues
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.evaluation.databases import DatabaseDrive
from husky_placerec.evaluation.metrics import Figures, HEADING_DEG, is_right, RIGHT_M
from husky_placerec.evaluation.protocol import (
    Pair,
    PairProtocol,
    rank,
    Ranking,
    Reordering,
    turned_poses,
)
from husky_placerec.evaluation.queries import QueryDrive
from husky_placerec.evaluation.replay import OdometryPlayer
from husky_placerec.evaluation.results import json_line, pose_line
from husky_placerec.evaluation.tracks import Track
from husky_placerec.placemap.ranking import Rival
from husky_placerec.recognition.descriptor_recognizer import DescriptorRecognizer
from husky_placerec.recognition.search_result import SearchResult
from husky_placerec.types import Candidate, FloatArray, Floats, Indices, Mask, Pose, Recognition
import numpy as np

LEVEL = 1  # of the compression: the fastest, which makes the lines five times smaller


@dataclass(frozen=True)
class Decisions:
    """
    What the recognizer decided about the Q frames of a pair that are judged.

    :param accepted: [Q].
    :param probability: [Q] NaN where none was stated.
    :param pose_right: [Q] whether the estimated pose is right, accepted or not.
    :param reasons: [Q] why a pose is refused; None where it is accepted.
    :param lines: `recognitions.jsonl` of these frames, compressed.
    :param poses: `poses.tum` of these frames, compressed.
    """

    accepted: Mask
    probability: Floats
    pose_right: Mask
    reasons: tuple[str | None, ...]
    lines: bytes
    poses: bytes


@dataclass(frozen=True)
class DecidedPair(Pair):
    """The result of one pair, with the decisions of the recognizer and what made them."""

    decisions: Decisions
    calibration_kind: str


def decide_pair(
    database: DatabaseDrive, queries: QueryDrive, protocol: PairProtocol, config: Config
) -> DecidedPair:
    """Search the frames of one drive in the map of another; the recognizer decides."""
    place_map, track = database.place_map, queries.track
    asked = place_map.session_queries(queries.descriptors)[track.rows]
    recognizer = DescriptorRecognizer(place_map, config, database.calibration)
    local = queries.local_like(place_map)
    again = None if local is None else reranking(recognizer, local[track.rows])
    ranking = rank(database.track, database.compared, track, asked, protocol, again)
    if database.calibration is None:
        recognitions = _decide_alone(recognizer, queries, asked, ranking)
    else:
        recognitions = _decide_in_order(recognizer, queries, local)
    decisions = _collected(recognitions, track, database.track.name)
    judged = replace(
        ranking.judged,
        accepted=decisions.accepted,
        probability=decisions.probability,
        pose_right=decisions.pose_right,
    )
    return DecidedPair(
        database.track.name,
        track.name,
        judged,
        Figures.of(judged, track.name),
        ranking.found,
        ranking.search_ms,
        decisions,
        database.calibration_kind,
    )


def reranking(recognizer: DescriptorRecognizer, local: LocalValues) -> Reordering | None:
    """
    Return what ranks candidates again as the recognizer does; None where it does not.

    :param local: [Q, C, cells, D] local descriptors of the queries.
    """
    if recognizer.compared(local[0]) is None:
        return None

    def order(query: int, places: Indices, turned: Mask, similarities: FloatArray) -> Indices:
        compared = recognizer.compared(local[query])
        assert compared is not None
        return compared.order(places, turned, similarities)

    return order


def _decide_alone(
    recognizer: DescriptorRecognizer, queries: QueryDrive, asked: FloatArray, ranking: Ranking
) -> Iterator[Recognition]:
    """
    Yield the decisions by thresholds about the frames that are judged.

    :param asked: [Q, C, D] their queries.
    """
    place_map, config = recognizer.place_map, recognizer.config
    mapped = place_map.places.poses
    # A place is a candidate of many frames: its pose is made once, forwards and in reverse.
    poses = [[Pose(*p) for p in each.tolist()] for each in (mapped, turned_poses(mapped))]
    tells_direction = place_map.opposites is not None
    found = zip(*(column.tolist() for column in vars(ranking.found).values()))
    nothing = np.empty(0, np.float32)  # cosines by camera, which thresholds do not ask for
    stamps, unusable = image_stamps(queries.track, place_map.spec), queries.unusable
    for row, (columns, against) in enumerate(zip(found, ranking.rivals.tolist())):
        candidates = tuple(
            Candidate(place, similarity, turned if tells_direction else None, poses[turned][place])
            for place, similarity, turned in zip(*columns)
            if place >= 0
        )
        rival = Rival(against, nothing) if np.isfinite(against) else None
        result = SearchResult(
            place_map, recognizer.route, asked[row], candidates, rival, config.elsewhere
        )
        frame = int(queries.track.rows[row])
        stamp_ns = int(queries.stamps_ns[frame])
        yield recognizer.decide(stamp_ns, next(stamps), result, bool(unusable[frame]))


def _decide_in_order(
    recognizer: DescriptorRecognizer, queries: QueryDrive, local: LocalValues | None
) -> Iterator[Recognition]:
    """Decide about all frames of the source, as a replay; yield those that are judged."""
    player = OdometryPlayer(queries.odometry, recognizer.odometry)
    stamps = image_stamps(queries.track, recognizer.place_map.spec)
    is_judged = np.zeros(len(queries.stamps_ns), np.bool_)
    is_judged[queries.track.rows] = True
    for frame in np.flatnonzero(queries.decoded).tolist():
        stamp_ns = int(queries.stamps_ns[frame])
        player.play_until(stamp_ns)
        recognizer.odometry.take_new()
        query = recognizer.query_of(np.asarray(queries.descriptors[frame], np.float32))
        result = recognizer.search(query, None if local is None else local[frame])
        images = next(stamps) if is_judged[frame] else {}
        recognition = recognizer.decide(stamp_ns, images, result, bool(queries.unusable[frame]))
        if is_judged[frame]:
            yield recognition


def image_stamps(track: Track, spec: DescriptorSpec) -> Iterator[Mapping[str, int]]:
    """Yield the stamps in ns of the images of each frame of a track, by camera."""
    for stamps in track.image_stamps_ns.tolist():
        yield {camera: stamp for camera, stamp in zip(spec.sees, stamps) if stamp >= 0}


def _collected(recognitions: Iterator[Recognition], track: Track, database: str) -> Decisions:
    """Keep what is judged and written; the recognitions themselves would fill the memory."""
    accepted, probability, pose_right, reasons = [], [], [], []
    lines, poses = io.BytesIO(), io.BytesIO()
    with (
        gzip.open(lines, 'wt', LEVEL, encoding='utf-8') as json_file,
        gzip.open(poses, 'wt', LEVEL, encoding='utf-8') as tum_file,
    ):
        for recognition, values in zip(recognitions, track.poses):
            truth, pose = Pose.from_array(values), recognition.pose
            stated = recognition.probability
            accepted.append(recognition.accepted)
            probability.append(np.nan if stated is None else stated)
            pose_right.append(pose is not None and is_right(pose, truth, RIGHT_M, HEADING_DEG))
            reasons.append(recognition.reason)
            line = json_line(recognition, truth, database=database, queries=track.name)
            json_file.write(line)
            tum_file.write(pose_line(recognition))
    return Decisions(
        np.array(accepted, np.bool_),
        np.array(probability, np.float64),
        np.array(pose_right, np.bool_),
        tuple(reasons),
        lines.getvalue(),
        poses.getvalue(),
    )
