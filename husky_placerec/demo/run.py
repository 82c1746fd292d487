"""The demo: map one drive, and recognise others with the real node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from husky_placerec.campus.messages import ODOMETRY_TOPIC
from husky_placerec.config import make_config
from husky_placerec.data.bag import Bag
from husky_placerec.data.source import find_trajectory
from husky_placerec.data.trajectory import poses_or_none
from husky_placerec.demo.drives import prepare
from husky_placerec.demo.film import check_film, write_film
from husky_placerec.demo.live import Heard, play_to_node
from husky_placerec.demo.picture import draw_routes
from husky_placerec.demo.score import LEAST_PRECISION, LEAST_RECOGNISED, Score, score
from husky_placerec.evaluation.metrics import RIGHT_M
from husky_placerec.operations.build_map import build_map
from husky_placerec.operations.drives import describe_drive
from husky_placerec.operations.replay import replay
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.progress import Passing
from husky_placerec.types import Pose
import numpy as np

# The shipped network and its calibration were made on other campuses.
PARAMETERS = {'weights': 'shipped', 'odometry_topic': ODOMETRY_TOPIC}
BASELINE = {'extractor': 'pixels'}
SPEED = 33.0  # at most; the drives have a frame every 3 s: 11 frames a second
MAX_GAP_S = 2.0


@dataclass(frozen=True)
class Outcome:
    """
    The results of one drive.

    :param recall: recall@1 at 10 m of the search alone, offline, over the frames on the map.
    :param baseline_recall: the same for grey pixels.
    :param chance: the same for a random place.
    """

    score: Score
    heard: Heard
    recall: float
    baseline_recall: float
    chance: float

    @property
    def failure(self) -> str:
        """Why the drive did not pass, in a sentence; empty where it did."""
        if self.score.passed:
            return ''
        precision = self.score.precision
        right = 'no pose published' if precision is None else f'{precision:.0%} of the poses right'
        said = (
            f'{self.score.recognised:.0%} of the known places recognised (expected '
            f'{LEAST_RECOGNISED:.0%}), {right} (expected {LEAST_PRECISION:.0%})'
        )
        sent, counted = len(self.heard.sent), self.heard.diagnostics
        dropped = int(counted.get('frames dropped', 0))
        missing = sent - int(counted.get('frames', 0))
        lost = []
        if dropped:
            lost.append(f'the node dropped {dropped} of {sent} frames, because it was too slow')
        if missing > 0:
            lost.append(f'{missing} of {sent} frames did not reach the node or were not paired')
        if not lost:
            return said
        return f'{said}: {" and ".join(lost)}; end other programs and run it again'


@dataclass(frozen=True)
class Demo:
    """The results of the demo, by the name of the drive."""

    places: int
    outcomes: Mapping[str, Outcome]
    picture: Path

    @property
    def passed(self) -> bool:
        """Whether every drive of the demo passed."""
        return all(outcome.score.passed for outcome in self.outcomes.values())


def run(
    folder: Path,
    progress: Callable[[str], Passing],
    tell: Callable[[str], None],
    film: Path | None = None,
) -> Demo:
    """
    Run the demo; all its files are in `folder`.

    :param progress: makes a progress bar of its title.
    :param tell: takes a line at each step.
    :param film: GIF or WebP file for a film of the first drive; None: no film.
    """
    if film is not None:
        check_film(film)
    drives = prepare(folder / 'drives')
    tell('Building a map of the first drive')
    map_path = folder / 'campus.map'
    place_map = build_map(
        drives.mapped, map_path, config=make_config(PARAMETERS), overwrite=True, warn=tell
    )
    tell(f'View of the cameras: {place_map.view}')
    baseline = describe_drive(drives.mapped, make_config(BASELINE))
    outcomes = {}
    for name, path in drives.driven.items():
        tell(f'Starting the node and playing to it: {name}')
        log = _log(folder, name)
        result, heard = _drive(path, place_map, map_path, log, progress(f'Playing {name}'))
        outcomes[name] = Outcome(
            result,
            heard,
            _recall(place_map, path, PARAMETERS),
            _recall(baseline, path, BASELINE),
            _chance(result, place_map),
        )
    if film is not None:
        tell(f'Writing the film {film}')
        name, path = next(iter(drives.driven.items()))
        config = make_config(PARAMETERS)
        write_film(film, drives.mapped, path, _log(folder, name), place_map, config)
    picture = folder / 'route.png'
    scores = {name: outcome.score for name, outcome in outcomes.items()}
    draw_routes(picture, scores, place_map.places.poses)
    return Demo(len(place_map), outcomes, picture)


def _log(folder: Path, name: str) -> Path:
    return folder / f'{name.replace(" ", "_")}.jsonl'


def _drive(
    path: Path, place_map: PlaceMap, map_path: Path, log: Path, progress: Passing
) -> tuple[Score, Heard]:
    """Play a drive to the node and judge the poses that it publishes."""
    log.unlink(missing_ok=True)
    config = make_config({**PARAMETERS, 'map': str(map_path), 'recognitions_file': str(log)})
    with Bag(path) as bag:
        heard = play_to_node(bag, config, log.parent, SPEED, progress)
        trajectory = find_trajectory(bag, None)
    poses = poses_or_none(trajectory, np.array(heard.sent), MAX_GAP_S)
    truths = {stamp: pose for stamp, pose in zip(heard.sent, poses) if pose is not None}
    return score(truths, heard.poses, place_map.places.poses), heard


def _recall(place_map: PlaceMap, path: Path, parameters: Mapping[str, object]) -> float:
    done = replay(path, place_map, config=make_config(parameters), max_gap_s=MAX_GAP_S)
    recall: float = done.summary['recall'][f'{RIGHT_M:g}']['1']
    return recall


def _chance(result: Score, place_map: PlaceMap) -> float:
    """Return the mean share of places within the tolerance, over the frames on the map."""
    places = place_map.places.poses[:, :2]

    def share(truth: Pose) -> float:
        return float(np.mean(np.hypot(*(places - (truth.x, truth.y)).T) <= RIGHT_M))

    return float(np.mean([share(result.truths[stamp_ns]) for stamp_ns in result.on_map]))
