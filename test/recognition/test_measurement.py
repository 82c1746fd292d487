"""What one frame says by itself: accepted by thresholds or by the gate, and why it is not."""

from __future__ import annotations

from types import SimpleNamespace

from husky_placerec.config import make_config
from husky_placerec.recognition.measurement import gate_reason, measure, Thresholds
from husky_placerec.types import Candidate
import numpy as np
import pytest
from support.builders import planar
from support.calibrations import calibration, evidence_of, evidence_with, model, table

BOTH = np.ones((2, 16), np.float32)
FRONT_ALONE = BOTH * np.array([[1], [0]], np.float32)


def result(seen=None, query=BOTH, similarity=0.9, margin=0.2, reverse=False):
    """Make the result of a search whose best candidate is place 7, at x = 21."""
    best = Candidate(7, similarity, reverse, planar(21.0))
    return SimpleNamespace(
        best=best,
        margin=margin,
        query=query,
        evidence_of=lambda place, ways: {(7, reverse): seen}[place, ways],
        pose=lambda place, ways: {(7, reverse): planar(22.0, 0.0, 90.0)}[place, ways],
        route=SimpleNamespace(spacing_at=lambda place: {7: 6.0}[place]),
        metric_near=lambda place, ways: None,
    )


@pytest.mark.parametrize(
    ('similarity', 'margin', 'reason'),
    [
        (None, None, 'no_candidate'),
        (0.6, 0.1, None),
        (0.6 - 1e-9, 0.1, 'low_similarity'),
        (0.6, 0.1 - 1e-9, 'ambiguous'),
        (0.6, None, None),
        (0.5, 0.0, 'low_similarity'),
    ],
)
def test_thresholds_refuse_what_is_unlike_or_ambiguous(similarity, margin, reason):
    assert Thresholds(0.6, 0.1).reason(similarity, margin) == reason


def test_without_a_calibration_the_thresholds_decide():
    config = make_config({'min_similarity': 0.6, 'min_margin': 0.1})
    assert Thresholds.of(config) == Thresholds(0.6, 0.1)
    accepted = measure(result(), None, config)
    assert (accepted.accepted, accepted.reason, accepted.pose) == (True, None, planar(21.0))
    assert (accepted.probability, accepted.covariance, accepted.covariance_xy) == (None,) * 3
    refused = measure(result(margin=0.05), None, config)
    assert (refused.accepted, refused.reason, refused.pose.x) == (False, 'ambiguous', 21.0)


def test_without_an_image_or_a_candidate_there_is_no_pose():
    for made in (None, calibration()):
        unusable = measure(result(), made, make_config({}), unusable=True)
        assert (unusable.accepted, unusable.reason) == (False, 'image_unusable')
        assert unusable.pose is None
        none = measure(SimpleNamespace(best=None), made, make_config({}))
        assert (none.accepted, none.reason, none.pose) == (False, 'no_candidate', None)


def test_a_calibrated_frame_has_the_probability_of_the_gate():
    config = make_config({'min_probability': 0.9})
    found = measure(result(evidence_of(3.0)), calibration(), config)
    assert found.accepted and found.reason is None
    assert found.probability == pytest.approx(1 / (1 + np.exp(-3.0)))
    assert found.pose == planar(22.0, 0.0, 90.0)
    assert found.covariance == pytest.approx((1.0, 4.0, 0.25, 0.01, 0.02, 0.03))
    assert found.covariance_xy == pytest.approx((1.0, 0.0, 4.0))
    refused = measure(result(evidence_of(2.0)), calibration(), config)
    assert (refused.accepted, refused.reason) == (False, 'low_similarity')
    assert refused.probability == pytest.approx(1 / (1 + np.exp(-2.0)))


SURE = evidence_of(8.0)


def test_a_calibration_that_is_not_proven_is_never_sure_of_a_single_frame():
    said = {
        grade: measure(
            result(SURE), calibration(grade=grade), make_config({'min_probability': 0.9})
        )
        for grade in ('weak', 'proven')
    }
    assert all(each.accepted for each in said.values())
    assert said['weak'].probability == 0.95
    assert said['proven'].probability > 0.999
    unsure = measure(result(evidence_of(1.0)), calibration(grade='weak'), make_config({}))
    assert unsure.probability == pytest.approx(1 / (1 + np.exp(-1.0)))


@pytest.mark.parametrize(('least', 'reason'), [(0.95, None), (0.951, 'uncalibrated')])
def test_a_single_frame_is_refused_where_more_is_asked_than_a_weak_calibration_gives(
    least, reason
):
    config, made = make_config({'min_probability': least}), calibration(grade='weak')
    found = measure(result(SURE), made, config)
    assert (found.accepted, found.reason) == (reason is None, reason)
    assert found.pose == planar(22.0, 0.0, 90.0)
    unlike = measure(result(evidence_of(2.0)), made, config)
    assert unlike.reason == 'low_similarity'  # for its own reason


@pytest.mark.parametrize('kind', ['own', 'map_alone', 'simulated'])
def test_an_unfit_map_accepts_no_single_frame(kind):
    config = make_config({'min_probability': 0.5})
    for grade, accepted in (('proven', True), ('weak', True), ('unfit', False)):
        found = measure(result(SURE), calibration(kind=kind, grade=grade), config)
        assert (found.accepted, found.reason) == (accepted, None if accepted else 'ambiguous')


def test_a_frame_that_was_compared_locally_is_judged_by_the_local_model():
    made = calibration(gate=model(local={'bias': -4.0, 'lead': 20.0}))
    plain, local = (
        measure(result(seen), made, make_config({})).probability
        for seen in (evidence_of(3.0), evidence_with(lead=np.arctanh(3.0 / 20), local_lead=0.0))
    )
    assert plain == pytest.approx(1 / (1 + np.exp(-3.0)))
    assert local == pytest.approx(1 / (1 + np.exp(1.0)))


def test_the_error_along_the_road_is_at_least_that_of_the_spacing():
    made = calibration(single_errors=table(along=0.5))
    found = measure(result(evidence_of(3.0)), made, make_config({}))
    assert found.covariance[1] == pytest.approx(6.0**2 / 12)


def test_a_frame_that_lacks_a_camera_is_judged_by_the_partial_gate():
    made = calibration(partial=model(bias=-9.0))
    whole, partial = (
        measure(result(evidence_of(3.0), query), made, make_config({})).probability
        for query in (BOTH, FRONT_ALONE)
    )
    assert whole == pytest.approx(1 / (1 + np.exp(-3.0)))
    assert partial == pytest.approx(1 / (1 + np.exp(6.0)))


def test_a_place_passed_in_reverse_has_errors_of_its_own():
    made = calibration(reversed_errors=table(along=50.0))
    for reverse, along in ((False, 4.0), (True, 50.0)):
        found = measure(result(evidence_of(3.0), reverse=reverse), made, make_config({}))
        assert found.covariance[1] == pytest.approx(along)


def test_the_gate_accepts_from_a_probability_on():
    gate, seen = model(), evidence_of(1.0)
    probability = float(gate.probability(seen))
    assert gate_reason(gate, seen, probability) is None
    assert gate_reason(gate, seen, probability + 1e-9) is not None


REASONS = {
    'similarity': 'low_similarity',
    'usual_share': 'low_similarity',
    'lead': 'ambiguous',
    'weakest_lead': 'cameras_disagree',
    'strongest_lead': 'ambiguous',
    'behind': 'ambiguous',
    'agreement': 'ambiguous',
    'disagreement': 'cameras_disagree',
    'local_lead': 'ambiguous',
    'shift_lead': 'ambiguous',
}


def refusal(**weights):
    """Return why a gate refuses two cameras, of which each evidence speaks by its weight."""
    gate = model(bias=-50.0, local={'bias': -50.0, **weights}, **weights)
    values = {name: -1.0 if weight > 0 else 1.0 for name, weight in weights.items()}
    values['strongest_lead'] = -0.9  # two cameras have two leads
    return gate_reason(gate, evidence_with(**values), 0.9)


@pytest.mark.parametrize(('name', 'reason'), REASONS.items())
def test_the_evidence_that_speaks_most_against_it_is_the_reason(name, reason):
    others = {other: 1.0 for other in REASONS if other != name}
    assert refusal(**{**others, name: 2.0}) == reason


def test_large_evidence_speaks_against_where_its_weight_is_negative():
    assert refusal(disagreement=-2.0, similarity=1.0) == 'cameras_disagree'


@pytest.mark.parametrize(
    ('first', 'second'),
    [
        ('similarity', 'lead'),
        ('usual_share', 'lead'),
        ('similarity', 'disagreement'),
        ('lead', 'weakest_lead'),
        ('weakest_lead', 'behind'),
        ('weakest_lead', 'agreement'),
        ('behind', 'disagreement'),
        ('agreement', 'disagreement'),
        ('disagreement', 'local_lead'),
        ('disagreement', 'shift_lead'),
    ],
)
def test_of_equal_evidence_the_first_in_the_list_of_blame_is_the_reason(first, second):
    assert refusal(**{first: 1.0, second: 1.0}) == REASONS[first]


def test_the_weakest_lead_is_blamed_before_the_strongest():
    gate = model(bias=-50.0, weakest_lead=np.tanh(2.0), strongest_lead=np.tanh(1.0))
    # Both speak against it by tanh(1) * tanh(2).
    seen = evidence_with(weakest_lead=-1.0, strongest_lead=-2.0)
    against = gate.against(seen)
    assert against['weakest_lead'] == against['strongest_lead']
    assert gate_reason(gate, seen, 0.9) == 'cameras_disagree'


@pytest.mark.parametrize('name', ['weakest_lead', 'disagreement'])
def test_one_camera_does_not_disagree_with_itself(name):
    gate = model(**{name: 1.0})
    behind = evidence_with(**{name: -0.5, 'strongest_lead': 0.1})
    assert gate_reason(gate, behind, 0.9) == 'cameras_disagree'
    behind = evidence_with(**{name: -0.5, 'weakest_lead': -0.5, 'strongest_lead': -0.5})
    assert gate_reason(gate, behind, 0.9) == 'ambiguous'


def test_one_camera_may_see_what_is_unlike():
    assert gate_reason(model(similarity=1.0), evidence_with(similarity=-1.0), 0.9) == (
        'low_similarity'
    )
