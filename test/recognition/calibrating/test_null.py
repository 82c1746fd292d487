"""The map's null: how much a pose has to be proven, and how many frames that takes."""

from __future__ import annotations

from types import SimpleNamespace

from husky_placerec.config import Config, make_config
from husky_placerec.recognition.calibrating.null import frames_needed, measure_null, Null
import numpy as np
import pytest
from support.calibrations import calibration

MADE = calibration()


def stretch(metres, *said, by_time=()):
    """Make a stretch of unknown road with recognitions of (probability, proof)."""

    def recognitions(made, config, *, by_odometry):
        assert made is MADE and isinstance(config, Config)
        told = said if by_odometry else by_time
        return [SimpleNamespace(probability=p, proof=q) for p, q in told]

    return SimpleNamespace(metres=lambda speed: metres * speed, recognitions=recognitions)


def measured(*runs, by_odometry=True, **parameters):
    runs = [SimpleNamespace(unknown_stretches=lambda run=run: run) for run in runs]
    return measure_null(runs, MADE, make_config(parameters), by_odometry=by_odometry)


@pytest.mark.parametrize('driven_m', [50.0, 400.0, 2000.0, 1e5])
@pytest.mark.parametrize('scale', [1.0, 2.5])
@pytest.mark.parametrize('most', [0.0, 7.0])
def test_the_margin_is_that_of_an_exponential_tail(most, scale, driven_m):
    expected = most + scale * np.log(1 + 2000.0 / driven_m)
    assert Null(most, scale, driven_m).required == pytest.approx(expected)


def test_more_has_to_be_proven_where_unknown_road_came_to_more():
    required = [Null(most, 2.0, 300.0).required for most in (0.0, 3.0, 9.0)]
    assert np.diff(required) == pytest.approx([3.0, 6.0])


def test_more_has_to_be_proven_where_the_tail_is_longer():
    required = [Null(3.0, scale, 300.0).required for scale in (1.0, 2.0, 6.0)]
    assert required == sorted(required) and required[0] < required[-1] - 5


def test_the_more_unknown_road_was_driven_the_less_has_to_be_proven():
    required = [Null(3.0, 2.0, metres).required for metres in (50.0, 300.0, 5e3, 1e6)]
    assert required == sorted(required, reverse=True)
    assert required[-1] == pytest.approx(3.0, abs=0.01)
    assert Null(3.0, 2.0, 0.0).required == Null(3.0, 2.0, 49.0).required == required[0]


def test_the_metres_of_all_stretches_count():
    assert measured().driven_m == 0
    assert measured([stretch(200.0), stretch(300.0)], [stretch(500.0)]).driven_m == 1000.0


def test_unknown_road_counts_by_the_usual_speed_where_no_pose_is_known():
    assert measured([stretch(100.0)], usual_speed=3.0).driven_m == 300.0


def test_the_largest_proof_of_all_stretches_counts():
    runs = [stretch(100.0, (0.9, 3.0), (0.8, 7.0))], [stretch(100.0, (0.9, 5.0))]
    assert measured(*runs).most == 7.0


def test_only_estimates_that_could_be_believed_count():
    road = stretch(100.0, (0.7, 3.0), (0.699, 7.0), (None, 9.0), (0.9, None))
    assert measured([road]).most == 3.0
    assert measured([road], lost_below=0.6).most == 7.0
    assert measured([stretch(100.0, (0.1, 9.0))]).most == 0.0


@pytest.mark.parametrize(
    ('proofs', 'scale'),
    [
        ([2.0, 3.0, 0.0, None, 4.0], 3.0),  # of those that have any
        ([0.2, 0.4], 1.0),
        ([], 1.0),
        ([0.0, None], 1.0),
        ([20.0, 30.0], 6.0),
    ],
)
def test_the_scale_is_the_mean_of_all_proofs_within_bounds(proofs, scale):
    road = stretch(100.0, *((0.1, proof) for proof in proofs))
    assert measured([road]).scale == pytest.approx(scale)


def test_the_null_is_that_of_what_tells_the_motion():
    road = stretch(100.0, (0.9, 3.0), by_time=[(0.9, 5.0)])
    assert (measured([road]).most, measured([road]).scale) == (3.0, 3.0)
    by_time = measured([road], by_odometry=False)
    assert (by_time.most, by_time.scale) == (5.0, 5.0)


@pytest.mark.parametrize(
    ('proof', 'usual', 'frames'),
    [
        (0.0, 5.0, 1),
        (4.0, 5.0, 1),
        (5.0, 5.0, 1),
        (5.1, 5.0, 2),
        (15.0, 5.0, 4),
        (15.0, 1.0, None),
        (3.0, 0.0, None),
    ],
)
def test_a_proof_takes_so_many_usual_frames(proof, usual, frames):
    assert frames_needed(proof, usual, 3.0) == frames


@pytest.mark.parametrize('every_m', [1.0, 3.0, 10.0])
@pytest.mark.parametrize('proof', [3.0, 17.0, 23.0])
def test_the_frames_needed_are_the_first_whose_evidence_comes_to_the_proof(every_m, proof):
    gathered, frames = 0.0, 0
    while gathered < proof:
        gathered, frames = gathered * np.exp(-every_m / 40.0) + 6.0, frames + 1
    assert frames_needed(proof, 6.0, every_m) == frames


def test_a_proof_that_the_sum_only_approaches_is_never_reached():
    most = 5.0 / (1 - np.exp(-3.0 / 40.0))
    assert frames_needed(most, 5.0, 3.0) is None
    assert frames_needed(most - 1.0, 5.0, 3.0) is not None
