"""
How many candidates of a frame are compared locally, so that it takes no longer than a budget.

The cost is measured once and kept in the user's cache with that of the runtimes. A frame is not
timed: then what else runs on the machine would decide what a frame is compared with, and a replay
would give other results than the drive.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import os
import time

from husky_placerec.config import Config
from husky_placerec.descriptor.local.extractor import LocalExtractor
from husky_placerec.descriptor.local.spec import LocalSpec
from husky_placerec.descriptor.runtimes.measurement import Measured, recall, remember
from husky_placerec.placemap.place_map import PlaceMap, RIVALS
from husky_placerec.recognition.local_comparison import LocalComparison
from husky_placerec.types import Frame
import numpy as np
import onnxruntime

# What is measured, with the versions for which it holds.
WAYS = (f'description, ONNX Runtime {onnxruntime.__version__}', f'comparison, {np.__version__}')
ROUNDS = 7  # after one that counts for nothing
COMPARED = 10  # places in a round
# Besides the candidates: what contradicts the best of them, and the place of the sequence.
OTHERS = RIVALS + 1
LEAST_MS = 1e-3  # of a comparison: a file of the cache may be damaged
LEAST = 3  # candidates: the gain of fewer is not worth the description of the frame


@dataclass(frozen=True)
class LocalCost:
    """
    What local descriptors take, in milliseconds.

    :param describe_ms: to describe a frame, and `compare_ms` to compare it with one place.
    :param source: where the figures come from, in words.
    """

    describe_ms: float
    compare_ms: float
    source: str

    def count(self, budget_ms: float) -> int:
        """Return how many candidates fit into a budget; 0 where fewer than LEAST do."""
        found = int((budget_ms - self.describe_ms) // self.compare_ms) - OTHERS
        return found if found >= LEAST else 0


@dataclass(frozen=True)
class LocalPlan:
    """
    What a frame is compared with locally.

    :param count: the greatest number of candidates; None: all; 0: the budget is too small.
    :param words: what was chosen, and why, in a sentence.
    """

    count: int | None
    words: str


def plan_of(cost: LocalCost, config: Config) -> LocalPlan:
    """Return what fits into the budget of a configuration."""
    budget = config.rerank_budget
    count = cost.count(budget)
    why = (
        f'of rerank_budget {budget:g} ms, a description takes {cost.describe_ms:.1f} ms and a '
        f'comparison {cost.compare_ms:.2f} ms ({cost.source})'
    )
    if not count:
        words = f'nothing is compared, because the budget is too small: {why}'
        return LocalPlan(0, f'{words}; raise it, or set rerank: always')
    # `candidates` may change while a node runs, the plan does not.
    shown = min(count, config.candidates)
    return LocalPlan(count, f'{shown} candidates are compared: {why}')


def local_plan(extractor: LocalExtractor, place_map: PlaceMap, config: Config) -> LocalPlan:
    """
    Return what frames are compared with on a map, by a measurement on its own places.

    :param extractor: of the local descriptors of the map.
    """
    if config.rerank == 'always':
        return LocalPlan(None, 'all candidates are compared, as rerank asks')
    return plan_of(_cost(extractor, place_map, config), config)


def known_cost(spec: LocalSpec, cameras: int, threads: int) -> LocalCost | None:
    """Return what was measured on this machine; None: nothing yet."""
    found = recall(_key(spec, cameras, threads), WAYS)
    if not isinstance(found, Measured):
        return None
    describe_ms, compare_ms = (found.ms[found.ways.index(way)] for way in WAYS)
    return LocalCost(describe_ms, max(compare_ms, LEAST_MS), 'measured before')


def _key(spec: LocalSpec, cameras: int, threads: int) -> str:
    return f'local {spec.weights_sha256} {spec.branch} {cameras} {threads}'


def _cost(extractor: LocalExtractor, place_map: PlaceMap, config: Config) -> LocalCost:
    assert place_map.local is not None
    spec, cameras = place_map.local.spec, place_map.spec.sees
    known = known_cost(spec, len(cameras), config.threads)
    if known is not None:
        return known
    blank = np.zeros((spec.input_height, spec.input_width, 3), np.uint8)
    frame = Frame(0, dict.fromkeys(cameras, blank), dict.fromkeys(cameras, 0))
    places, states = place_map.local, [(p, False) for p in range(min(COMPARED, len(place_map)))]
    query = np.asarray(places.values[place_map.places.present.sum(axis=1).argmax()])

    def compare() -> None:
        LocalComparison(query, places, place_map.opposites).compare(states)

    threads = min(config.threads, os.cpu_count() or 1)
    describe_ms = _cpu_ms(lambda: extractor.describe(frame)) / threads
    compare_ms = max(_cpu_ms(compare) / len(states), LEAST_MS)
    remember(
        _key(spec, len(cameras), config.threads),
        Measured(WAYS, (describe_ms, compare_ms), (0.0, 0.0)),
    )
    return LocalCost(describe_ms, compare_ms, 'measured now')


def _cpu_ms(work: Callable[[], object]) -> float:
    """Return the least CPU time of some rounds: what else runs only adds to it."""
    work()
    spent = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        spent.append(1000 * (time.process_time() - began))
    return min(spent)
