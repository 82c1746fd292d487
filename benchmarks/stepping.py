"""
Print the CPU time of a decision on maps of a thousand to a million places.

The candidates are given, because search.py measures the search of a map. The cost of the sequence
filter is the difference to decisions by single frames in the same run. The map has random
descriptors on parallel roads; the robot drives along one of them with odometry; one thread works.

python benchmarks/stepping.py
"""

from __future__ import annotations

import argparse
from pathlib import Path
import time

from husky_placerec.config import make_config
from husky_placerec.descriptor.shipped import weights_file
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.placemap.building import now
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.places import Places
from husky_placerec.placemap.ranking import Rival
from husky_placerec.recognition.descriptor_recognizer import DescriptorRecognizer
from husky_placerec.recognition.search_result import SearchResult
from husky_placerec.recognition.shipped_calibration import read_defaults, SUFFIX
from husky_placerec.types import Candidate, Pose, SECOND_NS
import numpy as np

STEP_M, ROAD_M = 3.0, 3000.0
SIZE = 64
FRAMES = 200
RIVAL = Rival(0.5, np.array([0.5, 0.5], np.float32))


def roads(count: int) -> PlaceMap:
    """Return a map of parallel roads, whose neighbouring places have similar descriptors."""
    rng = np.random.default_rng(0)
    road = round(ROAD_M / STEP_M)
    number, along = np.divmod(np.arange(count), road)
    poses = np.zeros((count, 7))
    poses[:, 0], poses[:, 1], poses[:, 6] = STEP_M * along, 8.0 * number, 1.0
    views = rng.standard_normal((count + 4, 2, SIZE)).astype(np.float32)
    views = sum(views[k : count + k] for k in range(5))
    views /= np.linalg.norm(views, axis=2, keepdims=True)
    spec = DescriptorSpec(('front', 'back'), 'pixels', size=SIZE)
    tracks = tuple(f'road {k}' for k in number.tolist())
    places = Places(np.arange(count) * SECOND_NS, poses, tracks, np.ones((count, 2), bool))
    return PlaceMap(places, views.astype(np.float16), spec, 'map', (1, 0), {}, now(), name='roads')


def decision_ms(place_map: PlaceMap, *, sequence: bool) -> tuple[float, float]:
    """Return the median and the 95th percentile of the CPU time of a decision."""
    rng = np.random.default_rng(1)
    config = make_config({'extractor': 'pixels', 'sequence': sequence})
    calibration = read_defaults(Path(weights_file('shipped', '.onnx') + SUFFIX))[0]
    recognizer = DescriptorRecognizer(place_map, config, calibration)
    place_map.prepare()
    took = []
    for frame in range(FRAMES):
        query = np.asarray(place_map.descriptors[frame], np.float32)
        strangers = rng.integers(len(place_map), size=config.candidates - 1)
        found = tuple(
            Candidate(int(place), 1.0 - 0.05 * rank, False, _pose(place_map, int(place)))
            for rank, place in enumerate([frame, *strangers])
        )
        stamp_ns = 3 * frame * SECOND_NS
        recognizer.odometry.add_recorded(stamp_ns, Pose.planar(STEP_M * frame, 0.0, 0.0))
        recognizer.odometry.take_new()
        result = SearchResult(place_map, recognizer.route, query, found, RIVAL, config.elsewhere)
        began = time.thread_time()
        recognizer.decide(stamp_ns, {}, result)
        took.append(1000 * (time.thread_time() - began))
    return float(np.median(took[20:])), float(np.percentile(took[20:], 95))


def _pose(place_map: PlaceMap, place: int) -> Pose:
    return Pose.from_array(place_map.places.poses[place])


def main() -> None:
    """Measure maps of several sizes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--places', type=int, nargs='+', default=[1000, 10_000, 100_000, 1_000_000]
    )
    for count in parser.parse_args().places:
        place_map = roads(count)
        single, _ = decision_ms(place_map, sequence=False)
        median, most = decision_ms(place_map, sequence=True)
        print(
            f'{count:>9} places: a decision takes {median:.2f} ms, p95 {most:.2f} ms; a step of '
            f'the sequence {median - single:.2f} of it'
        )


if __name__ == '__main__':
    main()
