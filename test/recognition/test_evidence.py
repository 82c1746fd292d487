"""The evidence of a frame: by how much a place leads, for both cameras and for each."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import make_config
from husky_placerec.recognition.cohort import MOST
from husky_placerec.recognition.descriptor_recognizer import DescriptorRecognizer
from husky_placerec.recognition.evidence import ALL_EVIDENCE, COLUMNS, EVIDENCE, OWN_SCALE
import numpy as np
import pytest
from support.builders import random_descriptors, SPACING_M, straight_map

ALIKE = 100  # a place that looks like TRUE to the front camera
LOCALLY = slice(len(EVIDENCE), len(ALL_EVIDENCE))
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
    assert found['similarity'] > 4.0  # deviations of the cohort
    assert found['weakest_lead'] == pytest.approx(0.0, abs=1e-2)
    assert found['strongest_lead'] > 0.8
    assert found['weakest_lead'] < found['lead']


def test_a_camera_alone_has_one_lead(twin):
    query = twin.descriptors[TRUE].copy()
    query[0] = 0
    found = seen(twin, query, TRUE)
    assert found['lead'] == pytest.approx(found['weakest_lead'], abs=1e-6)
    assert found['lead'] == pytest.approx(found['strongest_lead'], abs=1e-6)
    assert found['lead'] > 0.6


def test_a_place_elsewhere_is_behind_and_disagrees(twin):
    found = seen(twin, twin.descriptors[TRUE], ALIKE)
    assert found['lead'] == found['behind'] < -0.6
    assert found['agreement'] < 0.5
    assert found['disagreement'] > 0.9


def test_a_place_passed_the_other_way_has_the_leads_of_the_cameras_that_saw_it(twin):
    found = seen(twin, twin.descriptors[TRUE][::-1], TRUE, turned=True)
    assert found['weakest_lead'] == pytest.approx(0.0, abs=1e-2)
    assert found['strongest_lead'] > 0.8


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
    leads = (same[best.place] - rivals) / result.cohort.deviation
    found = dict(zip(EVIDENCE, result.evidence_of(best.place, best.reversed).tolist()))
    assert found['weakest_lead'] == pytest.approx(leads.min(), abs=1e-2)
    assert found['strongest_lead'] == pytest.approx(leads.max(), abs=1e-2)


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
    mean, deviation = result.cohort.mean, result.cohort.deviation

    def deviations(difference):
        return np.clip(difference / deviation, -MOST, MOST)

    lead = deviations(similarity - max(likeness, default=mean))
    leads = [deviations(c - max(by_camera[n], default=mean)) for n, c in cosines.items()]
    usual = route.neighbour_similarity(np.array([place]))[0]
    return {
        'similarity': deviations(similarity - mean),
        'lead': lead,
        'behind': min(lead, 0.0),
        'weakest_lead': min(leads, default=-MOST),
        'strongest_lead': max(leads, default=-MOST),
        'agreement': np.mean(agree) if agree else 0.0,
        'disagreement': deviations(np.ptp(list(cosines.values()))) if len(cosines) > 1 else 0.0,
        'usual_share': np.clip((similarity - mean) / max(usual - mean, 1e-3), -1.0, 2.0),
        'cosine': similarity,
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
        own = dict(zip(EVIDENCE, row.tolist()))
        assert own == pytest.approx(expected, abs=1e-3), place
        assert np.isnan(row[LOCALLY]).all()  # without local descriptors


def test_no_place_has_no_evidence(twin):
    recognizer = DescriptorRecognizer(twin, make_config({'extractor': 'pixels'}), None)
    result = recognizer.search(np.asarray(twin.descriptors[TRUE], np.float32))
    assert result.evidence(np.zeros(0, np.int64), np.zeros(0, bool)).shape == (
        0,
        len(COLUMNS),
    )


@pytest.mark.parametrize(('scale', 'shift'), [(0.4, 0.0), (0.5, 0.45), (0.1, 0.85)])
def test_the_evidence_is_the_same_where_all_similarities_are_scaled_and_shifted(scale, shift):
    """As in dusk or fog, which make all places look alike: similarity * scale + shift."""
    rng = np.random.default_rng(8)
    count, size = 60, 16
    vectors = rng.normal(size=(count + 1, 2, size))
    vectors[1:] += 1.5 * vectors[:-1]  # neighbours look alike
    vectors[:, :, -1] = 0.0  # to have room for what all have in common
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    vectors[-1] = 0.8 * vectors[TRUE] + 0.6 * vectors[-1]
    vectors[-1] /= np.linalg.norm(vectors[-1], axis=1, keepdims=True)
    other = vectors * np.sqrt(scale)
    other[:, :, -1] = np.sqrt(shift)  # shorter than 1, which is no matter here
    plain = replace(straight_map(count), descriptors=vectors[:-1].astype(np.float32))
    foggy = replace(plain, descriptors=other[:-1].astype(np.float32))
    asked = np.repeat(np.arange(count), 2), np.tile([False, True], count)
    rows = []
    for place_map, query in ((plain, vectors[-1]), (foggy, other[-1])):
        recognizer = DescriptorRecognizer(place_map, make_config({'extractor': 'pixels'}), None)
        rows.append(
            recognizer.search(query.astype(np.float32)).evidence(*asked)[:, : len(EVIDENCE)]
        )
    scaled = ~np.isin(EVIDENCE, OWN_SCALE)
    assert rows[0].std(axis=0).min() > 0.05  # the evidence tells places apart
    np.testing.assert_allclose(rows[1][:, scaled], rows[0][:, scaled], atol=2e-3)
    assert np.abs(rows[1][:, ~scaled] - rows[0][:, ~scaled]).max() > 0.05
