"""How much a pose has to be proven, and how many frames that takes."""

from __future__ import annotations

from types import SimpleNamespace

from husky_placerec.config import Config, make_config
from husky_placerec.recognition.calibrating.required_proof import frames_needed, required_proof
import numpy as np
import pytest
from support.calibrations import calibration

MADE = calibration()


def stretch(metres, *said):
    """Make a stretch of unknown road with recognitions of (probability, proof)."""

    def recognitions(made, config):
        assert made is MADE and isinstance(config, Config)
        return [SimpleNamespace(probability=p, proof=q) for p, q in said]

    return SimpleNamespace(metres=lambda speed: metres * speed, recognitions=recognitions)


def needed(*runs, usual=2.0, **parameters):
    runs = [SimpleNamespace(unknown_stretches=lambda run=run: run) for run in runs]
    return required_proof(runs, MADE, make_config(parameters), usual)


def test_the_less_unknown_road_was_driven_the_more_has_to_be_proven():
    assert needed() == pytest.approx(2.0 * np.log1p(2000 / 50))
    assert needed([stretch(20.0)]) == needed()
    assert needed([stretch(200.0)]) == pytest.approx(2.0 * np.log1p(2000 / 200))
    two = needed([stretch(200.0), stretch(300.0)], [stretch(500.0)])
    assert two == pytest.approx(2.0 * np.log1p(2000 / 1000))


def test_unknown_road_counts_by_the_usual_speed_where_no_pose_is_known():
    assert needed([stretch(100.0)], usual_speed=3.0) == needed([stretch(300.0)])


def test_as_much_as_unknown_road_came_to_has_to_be_proven_besides():
    runs = [stretch(100.0, (0.9, 3.0), (0.8, 7.0))], [stretch(100.0, (0.9, 5.0))]
    assert needed(*runs) == pytest.approx(7.0 + 2.0 * np.log1p(2000 / 200))


def test_only_estimates_that_could_be_believed_count():
    road = stretch(100.0, (0.7, 3.0), (0.699, 7.0), (None, 9.0), (0.9, None))
    least = 2.0 * np.log1p(2000 / 100)
    assert needed([road]) == pytest.approx(3.0 + least)
    assert needed([road], lost_below=0.6) == pytest.approx(7.0 + least)


def test_a_frame_that_usually_says_nothing_allows_for_no_more_road():
    assert needed([stretch(100.0, (0.9, 3.0))], usual=-1.0) == 3.0


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
