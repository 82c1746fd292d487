"""A recognizer on a map with local descriptors: ranked again, or not, as the parameter says."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import make_config
from husky_placerec.errors import InputError
from husky_placerec.recognition.evidence import ALL_EVIDENCE, EVIDENCE
from husky_placerec.recognition.interpolation import agreed_pose
from husky_placerec.recognition.recognizer import (
    DescriptorRecognizer,
    local_extractor_of,
    Recognizer,
)
import numpy as np
import pytest
from support.builders import BACK, frame, FRONT, straight_map
from support.calibrations import calibration, model
from support.local_features import local_of
from support.seen_places import map_of_views, view

LOCALLY = slice(len(EVIDENCE), len(ALL_EVIDENCE))
COUNT = 20
PIXELS = {'extractor': 'pixels', 'threads': 1, 'rerank_budget': 1e4}
TRUE, TWIN = 3, 15


@pytest.fixture(scope='module')
def place_map():
    """Return a map on which two places look the same but for their cells."""
    made = straight_map(COUNT)
    descriptors = made.descriptors.copy()
    descriptors[TRUE] = descriptors[TWIN]
    descriptors[TRUE, 0] += 0.02 * np.random.default_rng(0).normal(size=16).astype(np.float16)
    return replace(made, descriptors=descriptors, local=local_of(COUNT))


def searched(place_map, local, **parameters):
    config = make_config({**PIXELS, 'candidates': 5, **parameters})
    recognizer = DescriptorRecognizer(place_map, config, None)
    query = place_map.descriptors[TWIN].astype(np.float32)
    return recognizer.search(query, local)


def orders(result):
    return [(each.place, each.reversed) for each in result.candidates]


def test_candidates_are_ranked_again_by_their_cells(place_map):
    result = searched(place_map, place_map.local.values[TRUE])
    plain = searched(place_map, None)
    assert (plain.best.place, result.best.place) == (TWIN, TRUE)
    assert sorted(orders(result)) == sorted(orders(plain))
    assert result.best.similarity < plain.best.similarity
    # What contradicts the new best candidate is the old one.
    assert result.rival.similarity == pytest.approx(plain.best.similarity)
    assert result.rival.states[0] == (TWIN, False)
    assert result.margin < 0


def test_candidates_and_what_contradicts_them_are_compared(place_map):
    result = searched(place_map, place_map.local.values[TRUE], candidates=1)
    ((best, reverse),) = orders(result)
    assert (best, reverse) == (TWIN, False)
    rows = result.evidence(np.array([TWIN, TRUE, 9]), np.zeros(3, bool))[:, LOCALLY]
    assert result.rival.states[0] == (TRUE, False)
    assert (rows[0] < -0.2).all() and (rows[1] > 0.2).all()
    assert np.isnan(rows[2]).all() or (9, False) in result.rival.states
    far = next(p for p in range(COUNT) if (p, False) not in [*result.rival.states, (TWIN, False)])
    before = result.evidence(np.array([far]), np.zeros(1, bool))[0, LOCALLY]
    result.compare([(far, False)])
    after = result.evidence(np.array([far]), np.zeros(1, bool))[0, LOCALLY]
    assert np.isnan(before).all() and np.isfinite(after).all()


def test_where_that_is_off_or_there_is_nothing_to_compare_the_order_is_plain(place_map):
    local = place_map.local.values[TRUE]
    plain = searched(replace(place_map, local=None), None)
    for result in (
        searched(place_map, local, rerank='off'),
        searched(place_map, None),
        searched(replace(place_map, local=None), local),
    ):
        assert orders(result) == orders(plain)
        assert result.local is None
        places, reverse = result.states
        assert np.isnan(result.evidence(places, reverse)[:, LOCALLY]).all()
        result.compare([(9, False)])  # is nothing


def test_without_a_candidate_nothing_is_compared(place_map):
    recognizer = DescriptorRecognizer(place_map, make_config(PIXELS), None)
    result = recognizer.search(np.zeros((2, 16), np.float32), place_map.local.values[TRUE])
    assert (result.best, result.rival, result.candidates) == (None, None, ())


@pytest.fixture(scope='module')
def seen_map():
    return map_of_views(6, make_config(PIXELS))


def test_a_frame_is_compared_cell_by_cell(seen_map):
    """The map has the cells of place 4 at place 1, which alone decides here."""
    swapped = seen_map.local.values.copy()
    swapped[1], swapped[4] = seen_map.local.values[4], seen_map.local.values[1]
    descriptors = np.repeat(seen_map.descriptors[4:5], 6, axis=0)
    place_map = replace(
        seen_map, descriptors=descriptors, local=replace(seen_map.local, values=swapped)
    )
    found = {
        rerank: Recognizer.load(place_map, make_config({**PIXELS, 'rerank': rerank}))
        .recognize(view(4))
        .best.place
        for rerank in ('auto', 'always', 'off')
    }
    assert found['auto'] == found['always'] == 1
    assert found['off'] == 0  # of equals the first


def test_the_gate_judges_a_frame_by_its_local_lead(seen_map):
    made = calibration(
        descriptor=seen_map.spec.as_json(),
        gate=model(bias=-9.0, lead=0.0, local={'bias': 9.0}),
    )
    calibrated = replace(seen_map, calibration=made.as_json())
    said = {
        rerank: Recognizer.load(
            calibrated, make_config({**PIXELS, 'rerank': rerank, 'sequence': False})
        ).recognize(view(4))
        for rerank in ('auto', 'off')
    }
    assert said['auto'].probability > 0.99 and said['off'].probability < 0.01


def test_a_map_without_local_descriptors_is_refused_where_they_are_asked_for(seen_map):
    bare = replace(seen_map, local=None)
    config = make_config({**PIXELS, 'rerank': 'always'})
    words = 'map: has no local descriptors, and rerank is always; .* placerec map add-local'
    with pytest.raises(InputError, match=words):
        Recognizer.load(bare, config)
    with pytest.raises(InputError, match=words):
        local_extractor_of(bare, config)
    with pytest.raises(InputError, match=words):
        Recognizer.load(seen_map, config).reload(bare)
    for rerank in ('auto', 'off'):
        config = make_config({**PIXELS, 'rerank': rerank})
        assert Recognizer.load(bare, config).recognize(view(4)).best.place == 4
        assert local_extractor_of(bare, config) is None


def test_where_it_is_off_the_network_of_a_map_is_not_needed(seen_map):
    lost = replace(seen_map.local, spec=replace(seen_map.local.spec, weights='gone.onnx'))
    place_map = replace(seen_map, local=lost)
    off = make_config({**PIXELS, 'rerank': 'off'})
    assert Recognizer.load(place_map, off).recognize(view(4)).best.place == 4
    with pytest.raises(InputError, match=r'the map names the file .gone\.onnx.'):
        Recognizer.load(place_map, make_config(PIXELS))


def test_a_map_of_another_local_network_is_refused(seen_map):
    spec = replace(seen_map.local.spec, weights_sha256='c' * 64)
    other = replace(seen_map, local=replace(seen_map.local, spec=spec))
    words = 'map: local descriptors of another network: weights_sha256'
    with pytest.raises(InputError, match=words):
        Recognizer.load(other, make_config(PIXELS))
    recognizer = Recognizer.load(seen_map, make_config(PIXELS))
    with pytest.raises(InputError, match=words):
        recognizer.reload(other)
    assert recognizer.place_map is seen_map


def test_a_reloaded_map_that_got_local_descriptors_is_compared_by_them(seen_map):
    recognizer = Recognizer.load(replace(seen_map, local=None), make_config(PIXELS))
    results = []
    search = recognizer.search
    recognizer.search = lambda *given, **more: (
        results.append(search(*given, **more)) or results[-1]
    )
    recognizer.recognize(view(4))
    recognizer.reload(seen_map)
    recognizer.recognize(view(4))
    recognizer.reload(replace(seen_map, local=None))
    recognizer.recognize(view(4))
    assert [result.local is not None for result in results] == [False, True, False]


def test_images_that_show_nothing_are_not_compared(seen_map):
    recognizer = Recognizer.load(seen_map, make_config({**PIXELS, 'rerank': 'always'}))
    black = np.zeros((56, 96, 3), np.uint8)
    found = recognizer.recognize(frame(**{FRONT: black, BACK: black}))
    assert found.reason == 'image_unusable'


def test_the_pose_lies_among_the_near_places_that_were_compared(place_map):
    result = searched(place_map, place_map.local.values[TRUE])
    near = [TRUE - 1, TRUE, TRUE + 1, TRUE + 2, TRUE + 4]  # 3 m apart: the last is too far
    result.compare([(place, False) for place in near])
    places, ways, found = result.local.compared()
    beside = (abs(places - TRUE) <= 3) & ~ways
    expected = agreed_pose(
        place_map.places.poses[places[beside]],
        found[beside, :2].sum(axis=1),
        False,
        place_map.arm,
    )
    assert set(places[beside].tolist()) >= {2, 3, 4, 5}
    assert result.pose(TRUE, False).x == pytest.approx(expected.x)


def test_a_place_without_another_compared_one_near_is_interpolated(place_map):
    compared, plain = (searched(place_map, local) for local in (place_map.local.values[9], None))
    alone = next(place for place in range(COUNT) if _neighbours(compared, place) < 2)
    assert compared.pose(alone, False).x == plain.pose(alone, False).x


def _neighbours(result, place):
    places, ways, _ = result.local.compared()
    return int(((abs(places - place) <= 3) & ~ways).sum())


def test_an_image_without_features_agrees_with_no_place_more_than_with_another(seen_map):
    recognizer = Recognizer.load(seen_map, make_config({**PIXELS, 'check_images': False}))
    grey = np.full((56, 96, 3), 128, np.uint8)
    blank = recognizer._local.describe(frame(**{FRONT: grey, BACK: grey}))
    states = [(place, False) for place in range(6)]
    agreement = {}
    for name, cells in (('blank', blank), ('seen', seen_map.local.values[2])):
        compared = recognizer.compared(cells)
        compared.compare(states)
        agreement[name] = compared.of(np.arange(6), np.zeros(6, bool))[:, 0]
    spread = {name: np.ptp(each) for name, each in agreement.items()}
    assert agreement['seen'].argmax() == 2
    assert spread['blank'] < 0.2 * spread['seen']
