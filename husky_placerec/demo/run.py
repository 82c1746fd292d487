"""The demo: two drives, a map of the first, and a real node that recognises the second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from husky_placerec.config import make_config
from husky_placerec.data.bag import Bag
from husky_placerec.data.source import find_trajectory, open_source
from husky_placerec.data.trajectory import poses_or_none
from husky_placerec.demo.drives import prepare
from husky_placerec.demo.live import Heard, play_to_node
from husky_placerec.demo.picture import draw_route
from husky_placerec.demo.score import Score, score
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.evaluation.metrics import RIGHT_M
from husky_placerec.evaluation.replay import replay
from husky_placerec.evaluation.results import summary
from husky_placerec.placemap.building import build_map
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.storage import save_map
from husky_placerec.progress import Passing
from husky_placerec.recognition.recognizer import Recognizer
from husky_placerec.types import Pose
import numpy as np

# HOG needs neither torch nor weights. The threshold was chosen on campuses 2 to 4, in the same two
# seasons: there it recognises 90 % of the known places, and 98.7 % of its poses are right.
PARAMETERS = {'extractor': 'hog', 'min_similarity': 0.66}
BASELINE = {'extractor': 'pixels'}
SPEED = 24.0  # the drives have a frame every 3 s: 8 frames a second
MAX_GAP_S = 2.0


@dataclass(frozen=True)
class Outcome:
    """
    All that the demo shows.

    :param recall: recall@1 at 10 m of retrieval alone, offline, over the frames on the map.
    :param baseline_recall: the same of grey pixels.
    :param chance: of a place picked at random.
    """

    score: Score
    heard: Heard
    places: int
    recall: float
    baseline_recall: float
    chance: float
    picture: Path


def run(folder: Path, progress: Passing, tell: Callable[[str], None]) -> Outcome:
    """
    Run the demo; everything that it makes is in `folder`.

    :param progress: passes the messages on that are played, and shows how many.
    :param tell: is given a line at each step.
    """
    drives = prepare(folder / 'drives')
    map_path = folder / 'campus.map'
    tell('Building a map of the first drive')
    place_map = _build(drives.mapped, PARAMETERS)
    save_map(place_map, map_path, overwrite=True)
    tell('Starting the node and playing the second drive to it')
    log = folder / 'recognitions.jsonl'
    log.unlink(missing_ok=True)
    config = make_config({**PARAMETERS, 'map': str(map_path), 'recognitions_file': str(log)})
    with Bag(drives.driven) as bag:
        heard = play_to_node(bag, config, folder, SPEED, progress)
        trajectory = find_trajectory(bag, None)
    poses = poses_or_none(trajectory, np.array(heard.sent), MAX_GAP_S)
    truths = {stamp: pose for stamp, pose in zip(heard.sent, poses) if pose is not None}
    result = score(truths, heard.poses, place_map.places.poses)
    tell('Comparing with grey pixels')
    picture = folder / 'route.png'
    title = f'{result.recognised:.0%} of the known places recognised by the node'
    draw_route(picture, result, place_map.places.poses, title)
    return Outcome(
        result,
        heard,
        len(place_map),
        _recall(place_map, drives.driven, PARAMETERS),
        _recall(_build(drives.mapped, BASELINE), drives.driven, BASELINE),
        _chance(result, place_map),
        picture,
    )


def _build(path: Path, parameters: Mapping[str, object]) -> PlaceMap:
    config = make_config(parameters)
    with open_source(path) as drive:
        return build_map(
            drive,
            find_trajectory(drive, None),
            load_extractor(config),
            config,
            track=drive.name,
            max_gap_s=MAX_GAP_S,
        )


def _recall(place_map: PlaceMap, path: Path, parameters: Mapping[str, object]) -> float:
    config = make_config(parameters)
    with open_source(path) as drive:
        recognizer = Recognizer.load(place_map, config)
        truth = find_trajectory(drive, None)
        results = list(replay(drive, recognizer, config, truth=truth, max_gap_s=MAX_GAP_S))
    recall: float = summary(results, place_map)['recall'][f'{RIGHT_M:g}']['1']
    return recall


def _chance(result: Score, place_map: PlaceMap) -> float:
    """Return the share of the map that is near enough, over the frames on it."""
    places = place_map.places.poses[:, :2]

    def share(truth: Pose) -> float:
        return float(np.mean(np.hypot(*(places - (truth.x, truth.y)).T) <= RIGHT_M))

    return float(np.mean([share(result.truths[stamp_ns]) for stamp_ns in result.on_map]))
