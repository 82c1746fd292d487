"""The texts of a frame beside those of places, by hand-made signs along a straight road."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import make_config
from husky_placerec.errors import InputError
from husky_placerec.recognition.descriptor_recognizer import DescriptorRecognizer
from husky_placerec.recognition.serialization import recognition_json, recognition_of
from husky_placerec.recognition.text_comparer import MapTextComparer
from husky_placerec.texts.map_texts import MapTexts
from husky_placerec.texts.seen import SeenText
import numpy as np
import pytest
from support.builders import BACK, FRONT, START_NS, straight_map

COUNT = 40
TRUE, TWIN = 8, 30
LEFT, RIGHT = 0.2, 0.8  # where a sign is in the image


def seen(text, camera=FRONT, x=LEFT, height=0.1, confidence=0.9):
    quad = ((x - 0.05, 0.3), (x + 0.05, 0.3), (x + 0.05, 0.3 + height), (x - 0.05, 0.3 + height))
    return SeenText(text, camera, confidence, quad)


@pytest.fixture(scope='module')
def place_map():
    """Return a map whose places TRUE and TWIN look the same, and differ in a sign."""
    made = straight_map(COUNT)
    descriptors = made.descriptors.copy()
    descriptors[TRUE] = descriptors[TWIN]
    descriptors[TRUE, 0] += 0.02 * np.random.default_rng(0).normal(size=16).astype(np.float16)
    texts = [()] * COUNT
    texts[TRUE] = (seen('PHYSICS 12'), seen('EXIT', BACK, RIGHT))
    texts[TWIN] = (seen('АПТЕКА'),)
    for place in (3, 12, 20, 26, 35):
        texts[place] = (seen('EXIT', BACK, LEFT),)
    return replace(made, descriptors=descriptors, texts=MapTexts(tuple(texts)))


def recognizer(place_map, **parameters):
    chosen = {'extractor': 'pixels', 'texts': 'labels', 'elsewhere': 20.0, **parameters}
    return DescriptorRecognizer(place_map, make_config(chosen), None)


def compared(place_map, *texts):
    config = make_config({'texts': 'labels', 'elsewhere': 20.0})
    return MapTextComparer(place_map, config).compared(texts, config)


def evidence(place_map, place, *texts, reverse=False):
    found = compared(place_map, *texts).evidence(np.array([place]), np.array([reverse]))
    return found[0].tolist()


def test_a_text_in_common_is_told_from_one_that_contradicts(place_map):
    common, contradiction = evidence(place_map, TRUE, seen('PHYSICS 12'))
    assert (common, contradiction) == pytest.approx((1, 0), abs=1e-6)
    common, contradiction = evidence(place_map, TWIN, seen('PHYSICS 12'))
    assert common < 0.3
    assert contradiction > 0.7


def test_a_text_that_the_neighbour_has_is_in_common(place_map):
    for place, near in ((TRUE + 2, True), (TRUE + 3, False)):  # 6 and 9 m away
        common, contradiction = evidence(place_map, place, seen('PHYSICS 12'))
        assert common == (pytest.approx(1) if near else 0)
        assert contradiction == 0


def test_a_misread_text_is_in_common_still(place_map):
    misread = '\N{CYRILLIC CAPITAL LETTER ER}HYSlCS 12'
    common, contradiction = evidence(place_map, TRUE, seen(misread))
    assert 0.5 < common < 1
    assert contradiction == 0


def test_a_text_that_the_map_does_not_have_contradicts_nothing(place_map):
    common, contradiction = evidence(place_map, TRUE, seen('ЦИРК'))
    assert common < 0.4
    assert contradiction == 0


def test_a_text_of_the_other_camera_is_not_in_common_but_one_in_reverse_is(place_map):
    behind = seen('PHYSICS 12', BACK)
    assert evidence(place_map, TRUE, behind)[0] < 0.3
    assert evidence(place_map, TRUE, behind, reverse=True)[0] == pytest.approx(1)


def test_scores_count_words_boxes_and_rarity(place_map):
    places, ahead = np.array([TRUE, TWIN, 3]), np.zeros(3, np.bool_)
    rare, common = compared(place_map, seen('PHYSICS 12')), compared(place_map, seen('EXIT', BACK))
    score = rare.scores(places, ahead)
    assert score[0] > 0.7 > score[1] == score[2] == 0
    exits = common.scores(places, ahead)
    assert score[0] > exits[2] > exits[0] > 0  # five places have it, one of them elsewhere in view
    assert common.scores(places, ahead, boxes=False)[0] == pytest.approx(exits[2])
    boxes = rare.scores(places, ahead, words=False)
    assert boxes[:2] == pytest.approx([1, 1])
    smaller = compared(place_map, seen('PHYSICS 12', height=0.3)).scores(places, ahead)
    assert 0 < smaller[0] < 0.5 * score[0]
    nowhere = compared(place_map, SeenText('PHYSICS 12', FRONT, 0.9)).scores(places, ahead)
    assert nowhere[0] == pytest.approx(0.5 * score[0], rel=1e-3)


def test_candidates_are_ranked_again_by_a_text(place_map):
    query = place_map.descriptors[TWIN].astype(np.float32)
    made = recognizer(place_map, candidates=5)
    plain, result = made.search(query), made.search(query, texts=[seen('PHYSICS 12')])
    assert (plain.best.place, result.best.place) == (TWIN, TRUE)
    assert len(result.candidates) == 5
    assert result.rival.similarity == pytest.approx(plain.best.similarity)
    off = recognizer(place_map, candidates=5, text_weight=0.0)
    assert off.search(query, texts=[seen('PHYSICS 12')]).candidates == plain.candidates


def test_frames_without_a_text_that_counts_are_untouched(place_map):
    query = place_map.descriptors[TWIN].astype(np.float32)
    plain = recognizer(replace(place_map, texts=None)).search(query)
    unsure = [seen('PHYSICS 12', confidence=0.6), seen('PHYSICS 12', 'side')]
    for texts in ((), unsure):
        result = recognizer(place_map).search(query, texts=texts)
        assert result.candidates == plain.candidates
        assert np.isnan(result.text_evidence(np.array([TRUE]), np.array([False]))).all()
        said = recognizer(place_map).decide(START_NS, {FRONT: START_NS}, result)
        assert said.texts is None
        assert 'texts' not in recognition_json(said)
    bare = recognizer(replace(place_map, texts=None)).search(query, texts=[seen('PHYSICS 12')])
    assert (bare.candidates, bare.texts) == (plain.candidates, None)


def test_a_recognition_tells_how_the_texts_agree(place_map):
    query = place_map.descriptors[TWIN].astype(np.float32)
    made = recognizer(place_map)
    said = made.decide(START_NS, {FRONT: START_NS}, made.search(query, texts=[seen('PHYSICS 12')]))
    assert said.texts.read == ('PHYSICS 12',)
    assert (said.texts.common, said.texts.contradiction) == pytest.approx((1, 0), abs=1e-6)
    again, _ = recognition_of(recognition_json(said), 'line')
    assert again.texts == said.texts
    broken = {**recognition_json(said), 'texts': {'read': ['x'], 'common': 2, 'contradiction': 0}}
    with pytest.raises(InputError, match=r'texts\.common is 2'):
        recognition_of(broken, 'line')


def test_a_map_without_any_text_compares_nothing(place_map):
    empty = replace(place_map, texts=MapTexts(((),) * COUNT))
    assert compared(empty, seen('PHYSICS 12')) is None


def test_places_that_are_left_out_have_no_texts(place_map):
    config = make_config({'texts': 'labels', 'elsewhere': 20.0})
    known = MapTextComparer(place_map, config)
    asked = np.array([TWIN, TRUE]), np.zeros(2, bool)
    without = np.array([TRUE])
    whole = known.compared([seen('PHYSICS 12')], config).evidence(*asked)
    masked = known.compared([seen('PHYSICS 12')], config, without).evidence(*asked)
    assert whole[0, 1] > 0.7 and masked[0, 1] == 0  # a sign of unknown road contradicts nothing
    assert whole[1, 0] == pytest.approx(1) and masked[1, 0] < 0.3
    result = recognizer(place_map).search(
        np.asarray(place_map.descriptors[TRUE], np.float32),
        None,
        without,
        None,
        [seen('PHYSICS 12')],
    )
    assert result.text_evidence(*asked)[0, 1] == 0
