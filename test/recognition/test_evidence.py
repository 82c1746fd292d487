"""The evidence of a frame: by how much a place leads, for both cameras and for each."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import make_config
from husky_placerec.recognition.evidence import EVIDENCE
from husky_placerec.recognition.recognizer import DescriptorRecognizer
import numpy as np
import pytest
from support.builders import random_descriptors, SPACING_M, straight_map

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


def by_definition(result, place, reverse):
    """Return the evidence of a place, computed for it alone."""
    place_map, route, apart_m = result.place_map, result.route, result.apart_m
    cosines = place_map.cosines(result.query, np.array([place]), np.array([reverse]))[0]
    cosines = {n: c for n, c in zip(place_map.spec.cameras, cosines.tolist()) if np.isfinite(c)}
    similarity = np.mean(list(cosines.values())) if cosines else -1.0
    agree = [
        abs(found.place - place) * SPACING_M <= apart_m and bool(found.reversed) == reverse
        for found in result.candidates
    ]
    against = [found for found, agrees in zip(result.candidates, agree) if not agrees]
    likeness = [found.similarity for found in against]
    by_camera = {n: [c.cosines[n] for c in against if n in c.cosines] for n in cosines}
    if result.rival is not None and agree[0]:
        likeness.append(result.rival.similarity)
        for number, name in enumerate(place_map.spec.cameras):
            if name in by_camera and np.isfinite(result.rival.cosines[number]):
                by_camera[name].append(result.rival.cosines[number])
    lead = np.clip(similarity - max(likeness, default=0.0), -1, 1)
    leads = [np.clip(c - max(by_camera[n], default=0.0), -1, 1) for n, c in cosines.items()]
    return {
        'similarity': similarity,
        'lead': lead,
        'behind': min(lead, 0.0),
        'weakest_lead': min(leads, default=-1.0),
        'strongest_lead': max(leads, default=-1.0),
        'agreement': np.mean(agree) if agree else 0.0,
        'disagreement': np.ptp(list(cosines.values())) if len(cosines) > 1 else 0.0,
        'above_usual': similarity - route.neighbour_similarity(np.array([place]))[0],
    }


@pytest.mark.parametrize('cameras', [(1, 1), (1, 0), (0, 1), (0, 0)], ids=str)
@pytest.mark.parametrize('apart_m', [3.0, 20.0, 1000.0])
@pytest.mark.parametrize('candidates', [1, 6])
def test_the_evidence_of_many_places_is_that_of_each(cameras, apart_m, candidates):
    place_map = straight_map(30)
    rng = np.random.default_rng(7)
    present = rng.random((30, 2)) < 0.7
    descriptors = random_descriptors(rng, present)
    places = replace(place_map.places, present=present)
    place_map = replace(place_map, descriptors=descriptors, places=places)
    config = make_config({'extractor': 'pixels', 'elsewhere': apart_m, 'candidates': candidates})
    recognizer = DescriptorRecognizer(place_map, config, None)
    query = random_descriptors(rng, np.array([cameras]))[0].astype(np.float32)
    result = recognizer.search(query)
    asked = np.repeat(np.arange(30), 2), np.tile([False, True], 30)
    found = result.evidence(*asked)
    for row, place, reverse in zip(found, *(each.tolist() for each in asked)):
        expected = by_definition(result, place, reverse)
        assert dict(zip(EVIDENCE, row.tolist())) == pytest.approx(expected, abs=1e-5), place


def test_no_place_has_no_evidence(twin):
    recognizer = DescriptorRecognizer(twin, make_config({'extractor': 'pixels'}), None)
    result = recognizer.search(np.asarray(twin.descriptors[TRUE], np.float32))
    assert result.evidence(np.zeros(0, np.int64), np.zeros(0, bool)).shape == (0, len(EVIDENCE))
