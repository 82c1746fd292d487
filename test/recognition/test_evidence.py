"""The evidence of a frame: by how much a place leads, for both cameras and for each."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import make_config
from husky_placerec.recognition.evidence import EVIDENCE
from husky_placerec.recognition.logistic import Logistic
from husky_placerec.recognition.measurement import gate_reason
from husky_placerec.recognition.recognizer import DescriptorRecognizer
import numpy as np
import pytest
from support.builders import straight_map

ALIKE = 100  # a place that looks like TRUE to the front camera
TRUE = 20


@pytest.fixture(scope='module')
def twin():
    """Return a map of which one place looks nearly like another, but to the front camera alone."""
    place_map = straight_map()
    descriptors = place_map.descriptors.copy()
    descriptors[ALIKE, 0] = descriptors[TRUE, 0]
    return replace(place_map, descriptors=descriptors)


def seen(place_map, query, place, turned=False):
    recognizer = DescriptorRecognizer(place_map, make_config({'extractor': 'pixels'}), None)
    result = recognizer.search(np.asarray(query, np.float32))
    return dict(zip(EVIDENCE, result.evidence_of(place, turned).tolist()))


def test_a_place_that_convinces_one_camera_leads_for_that_alone(twin):
    found = seen(twin, twin.descriptors[TRUE], TRUE)
    assert found['similarity'] == pytest.approx(1.0, abs=1e-3)
    assert found['weakest_lead'] == pytest.approx(0.0, abs=1e-3)
    assert found['strongest_lead'] > 0.15
    assert found['weakest_lead'] < found['lead']


def test_a_camera_alone_has_one_lead(twin):
    query = twin.descriptors[TRUE].copy()
    query[0] = 0
    found = seen(twin, query, TRUE)
    assert found['lead'] == pytest.approx(found['weakest_lead'], abs=1e-6)
    assert found['lead'] == pytest.approx(found['strongest_lead'], abs=1e-6)
    assert found['lead'] > 0.15


def test_one_camera_does_not_disagree_with_itself():
    weights = np.array([float(name == 'weakest_lead') for name in EVIDENCE])
    zeros = np.zeros(len(EVIDENCE))
    gate = Logistic(EVIDENCE, zeros, zeros + 1, weights, 0.0, 0.0)
    behind = -0.5 * weights
    assert gate_reason(gate, behind, 0.9) == 'cameras_disagree'
    behind[EVIDENCE.index('strongest_lead')] = -0.5
    assert gate_reason(gate, behind, 0.9) == 'ambiguous'


def test_a_place_elsewhere_is_behind_and_disagrees(twin):
    found = seen(twin, twin.descriptors[TRUE], ALIKE)
    assert found['lead'] == found['behind'] < -0.1
    assert found['agreement'] < 0.5
    assert found['disagreement'] > 0.15


def test_a_place_passed_the_other_way_has_the_leads_of_the_cameras_that_saw_it(twin):
    found = seen(twin, twin.descriptors[TRUE][::-1], TRUE, turned=True)
    assert found['weakest_lead'] == pytest.approx(0.0, abs=1e-3)
    assert found['strongest_lead'] > 0.15


@pytest.mark.parametrize('number', range(0, 200, 37))
def test_the_leads_of_the_best_place_are_over_all_that_contradict_it(number):
    place_map = straight_map()
    noise = np.random.default_rng(number).normal(0, 0.02, place_map.descriptors[0].shape)
    query = place_map.descriptors[number] + noise
    query = np.asarray(query / np.linalg.norm(query, axis=1, keepdims=True), np.float32)
    recognizer = DescriptorRecognizer(place_map, make_config({'extractor': 'pixels'}), None)
    result = recognizer.search(query)
    best = result.best
    everywhere = np.arange(len(place_map))
    apart = np.abs(place_map.places.poses[:, 0] - place_map.places.poses[best.place, 0])
    same, other = (
        place_map.cosines(query, everywhere, np.full(len(place_map), turned))
        for turned in (best.reversed, not best.reversed)
    )
    rivals = np.maximum(same[apart > result.apart_m].max(axis=0), other.max(axis=0))
    leads = same[best.place] - rivals
    found = dict(zip(EVIDENCE, result.evidence_of(best.place, best.reversed).tolist()))
    assert found['weakest_lead'] == pytest.approx(leads.min(), abs=1e-3)
    assert found['strongest_lead'] == pytest.approx(leads.max(), abs=1e-3)
