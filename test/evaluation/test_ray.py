"""An evaluation on a Ray cluster of two workers, one of which is killed in the middle."""

from __future__ import annotations

from dataclasses import fields
import gzip
import os
import signal

from husky_placerec.config import make_config
from husky_placerec.errors import InputError
from husky_placerec.evaluation.description import describe_source
from husky_placerec.evaluation.evaluate import evaluate
from husky_placerec.evaluation.execution import LocalExecutor, RayExecutor
from husky_placerec.evaluation.protocol import PairProtocol
from husky_placerec.evaluation.tracks import read_track
import numpy as np
import pytest
import ray

NEEDS = ('ray',)

pytestmark = pytest.mark.cluster

CONFIG = make_config({'extractor': 'hog'})
PROTOCOL = PairProtocol(opposites=(1, 0))


@pytest.fixture(scope='module')
def cluster():
    """Start two workers; sockets need a short path."""
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level='error')
    yield
    ray.shutdown()


@pytest.fixture
def tracks(drives):
    return [read_track(path, path.name, CONFIG) for path in drives]


def assert_equal(first, second):
    """Check that two evaluations are equal to the bit, except for the time that they took."""
    for ours, theirs in zip(first.pairs, second.pairs, strict=True):
        for part in ('judged', 'found', 'figures'):
            a, b = getattr(ours, part), getattr(theirs, part)
            for field in fields(a):
                one, other = getattr(a, field.name), getattr(b, field.name)
                if isinstance(one, np.ndarray):
                    np.testing.assert_array_equal(one, other)
                else:
                    assert one == other
        one, other = ours.decisions, theirs.decisions
        np.testing.assert_array_equal(one.probability, other.probability)
        assert one.reasons == other.reasons
        assert gzip.decompress(one.lines) == gzip.decompress(other.lines)
    assert list(first.figures) == list(second.figures)
    assert first.calibrations == second.calibrations


@pytest.mark.usefixtures('cluster')
def test_the_cluster_gives_equal_results_also_when_a_worker_is_killed(tracks, tmp_path):
    killed = tmp_path / 'killed'

    class Killer(RayExecutor):
        def map(self, task, arguments, *, threads):
            if task is not describe_source:
                return super().map(task, arguments, threads=threads)

            def describe(*words):  # dies once, when it has described some frames
                def die(frames, _):
                    for number, frame in enumerate(frames):
                        if number == 5 and not killed.exists():
                            killed.touch()
                            os.kill(os.getpid(), signal.SIGKILL)
                        yield frame

                return describe_source(*words, lambda _: die)

            return super().map(describe, arguments, threads=threads)

    local = evaluate(tracks, CONFIG, PROTOCOL, with_baselines=False, executor=LocalExecutor())
    with Killer('auto') as executor:
        spread = evaluate(tracks, CONFIG, PROTOCOL, with_baselines=False, executor=executor)
    assert killed.exists()
    assert_equal(local, spread)


@pytest.mark.usefixtures('cluster')
def test_the_cluster_calibrates_and_decides_as_one_machine(tracks, tmp_path):
    options = {'with_baselines': False, 'calibrate_alone': True, 'cache': tmp_path}
    local = evaluate(tracks, CONFIG, PROTOCOL, executor=LocalExecutor(), **options)
    with RayExecutor('auto') as executor:
        spread = evaluate(tracks, CONFIG, PROTOCOL, executor=executor, **options)
    assert set(spread.calibrations.values()) == {'map_alone'}
    assert_equal(local, spread)


@pytest.mark.usefixtures('cluster')
def test_an_input_error_of_a_task_is_raised_here(tracks):
    def refuse(_):
        raise InputError('the drive is gone')

    with RayExecutor('auto') as executor, pytest.raises(InputError, match='the drive is gone'):
        list(executor.map(refuse, [(track.name,) for track in tracks], threads=1))


def test_a_cluster_that_is_not_there():
    assert not ray.is_initialized() or ray.shutdown() is None
    with (
        pytest.raises(InputError, match=r'--ray 127\.0\.0\.1:1: no cluster'),
        RayExecutor('127.0.0.1:1'),
    ):
        pass
