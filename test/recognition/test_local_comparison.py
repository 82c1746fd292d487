"""The order of candidates by local agreement, and its lead as evidence."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import make_config
from husky_placerec.descriptor.local.features import LocalFeatures
from husky_placerec.descriptor.local.network import quantized
from husky_placerec.descriptor.local.spec import LocalSpec
from husky_placerec.errors import InputError
from husky_placerec.recognition.descriptor_recognizer import DescriptorRecognizer
from husky_placerec.recognition.evidence import ALL_EVIDENCE
from husky_placerec.recognition.local_comparison import LocalComparison
from husky_placerec.recognition.recognizer import local_extractor_of
import numpy as np
import pytest
from support.builders import straight_map

COUNT, ROWS, COLUMNS, SIZE = 40, 4, 6, 8
SPEC = LocalSpec('shipped', '0' * 64, 'learned', 0.5, 96, 64, ROWS, COLUMNS, SIZE)
CONFIG = make_config({'extractor': 'pixels', 'candidates': 5})
LEAD = ALL_EVIDENCE.index('local_lead')


def cells(seed):
    """Return [2, ROWS * COLUMNS, SIZE] local descriptors of two cameras."""
    vectors = np.random.default_rng(seed).normal(size=(2, ROWS * COLUMNS, SIZE))
    return quantized(vectors / np.linalg.norm(vectors, axis=2, keepdims=True))


@pytest.fixture(scope='module')
def mapped():
    local = LocalFeatures(SPEC, np.array([cells(place) for place in range(COUNT)]))
    return replace(straight_map(COUNT), local=local)


def found(mapped, place, local, **changes):
    recognizer = DescriptorRecognizer(mapped, replace(CONFIG, **changes), None)
    query = np.asarray(mapped.descriptors[place], np.float32)
    return recognizer.search(query, local)


def test_the_candidate_whose_cells_agree_becomes_the_first(mapped):
    plain = found(mapped, 10, None)
    other = [c for c in plain.candidates if not c.reversed][1].place
    again = found(mapped, 10, mapped.local.values[other])
    assert plain.best.place == 10
    assert again.best.place == other
    assert {c.place for c in plain.candidates} == {c.place for c in again.candidates}
    assert again.best.similarity < again.candidates[1].similarity


@pytest.mark.parametrize(('rerank', 'best'), [('off', 0), ('auto', 1), ('always', 1)])
def test_the_parameter_rerank_decides(mapped, rerank, best):
    plain = found(mapped, 10, None)
    states = [c for c in plain.candidates if not c.reversed]
    result = found(mapped, 10, mapped.local.values[states[1].place], rerank=rerank)
    assert result.best.place == states[best].place
    assert (result.local is None) == (rerank == 'off')


def test_a_map_without_local_descriptors_is_refused_where_they_are_asked_for():
    plain = straight_map(COUNT)
    assert local_extractor_of(plain, CONFIG) is None
    with pytest.raises(InputError, match='has no local descriptors, and rerank is always; add'):
        local_extractor_of(plain, replace(CONFIG, rerank='always'))


def test_the_lead_is_over_the_best_compared_place_that_contradicts(mapped):
    result = found(mapped, 10, mapped.local.values[10])
    places, reverse, agreements = result.local.compared()
    mine = (places == 10) & ~reverse
    apart = np.abs(places - 10) * 3.0 > result.apart_m
    lead = result.evidence_of(10, False)[LEAD]
    assert lead == pytest.approx(agreements[mine][0, 0] - agreements[apart | reverse][:, 0].max())
    assert lead > 0.3
    assert result.rival.states and all((s in result.local._known) for s in result.rival.states)
    far = next(p for p in range(COUNT) if p not in places)
    assert np.isnan(result.evidence_of(far, False)[LEAD])


def test_a_place_passed_in_reverse_is_compared_with_the_opposite_camera(mapped):
    swapped = mapped.local.values[7][::-1]
    compared = LocalComparison(swapped, mapped.local, mapped.opposites)
    compared.compare([(7, True), (7, False)])
    there, back = (compared.of(np.array([7]), np.array([way]))[0, 0] for way in (False, True))
    assert back == pytest.approx(1.0, abs=0.02)
    assert there < 0.7


def test_a_camera_that_is_absent_does_not_count(mapped):
    lone = mapped.local.values[7].copy()
    lone[1] = 0
    compared = LocalComparison(lone, mapped.local, mapped.opposites)
    compared.compare([(7, False)])
    assert compared.of(np.array([7]), np.array([False]))[0, 0] == pytest.approx(1.0, abs=0.02)
    nothing = LocalComparison(np.zeros_like(lone), mapped.local, mapped.opposites)
    nothing.compare([(7, False)])
    assert np.isnan(nothing.of(np.array([7]), np.array([False]))).all()


def test_the_heading_follows_the_flow_of_both_cameras(mapped):
    grid = mapped.local.values[10].reshape(2, ROWS, COLUMNS, SIZE)
    new = cells(99).reshape(2, ROWS, COLUMNS, SIZE)[:, :, :1]
    seen = np.concatenate([grid[:, :, 1:], new], axis=2)  # all lies further left
    seen = seen.reshape(2, ROWS * COLUMNS, SIZE)
    straight = found(mapped, 10, mapped.local.values[10]).pose(10, False)
    turned = found(mapped, 10, seen).pose(10, False)
    assert straight.yaw == pytest.approx(0.0, abs=1e-6)
    assert turned.yaw == pytest.approx(-1 / (0.65 * 0.5 * COLUMNS), abs=0.1)
    assert (turned.x, turned.y) == pytest.approx((straight.x, straight.y), abs=0.5)
    lone = seen.copy()
    query = np.asarray(mapped.descriptors[10], np.float32).copy()
    query[1] = 0
    lone[1] = 0
    one = DescriptorRecognizer(mapped, CONFIG, None).search(query, lone)
    assert one.pose(10, False).yaw == pytest.approx(0.0, abs=1e-6)  # a step aside looks the same
