"""From a frame to a recognition: the nearest places found, and believed or not."""

from __future__ import annotations

from dataclasses import replace

import cv2
from husky_placerec.config import make_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.errors import InputError
from husky_placerec.placemap.places import Places
from husky_placerec.recognition.recognizer import Recognizer
import numpy as np
import pytest
from support.builders import (
    BACK,
    frame,
    FRONT,
    planar,
    random_map,
    smooth_image,
    spec,
    START_NS,
)
from support.calibrations import calibration

PIXELS = {'extractor': 'pixels', 'uncalibrated': 'thresholds'}


@pytest.fixture(scope='module')
def place_map():
    """Make a map of 8 places, seen by both cameras, by the extractor of pixels."""
    made = load_extractor(make_config(PIXELS))
    described = [made.describe(view(place)) for place in range(8)]
    return random_map(count=8, descriptors=np.stack(described), spec=made.spec)


def view(place, cameras=(FRONT, BACK), turned=False):
    """Make a frame of a place, or of the same place faced the other way."""
    seeds = dict(zip((FRONT, BACK), (place + 200, place) if turned else (place, place + 200)))
    return frame(**{name: smooth_image(seeds[name], 64, 48) for name in cameras})


@pytest.mark.parametrize('cameras', [(FRONT, BACK), (FRONT,), (BACK,)], ids='+'.join)
@pytest.mark.parametrize('turned', [False, True])
def test_a_place_of_the_map_is_recognised_with_its_pose(place_map, cameras, turned):
    recognizer = Recognizer.load(place_map, make_config({**PIXELS, 'candidates': 3}))
    found = recognizer.recognize(view(5, cameras, turned))
    pose = place_map.place(5).pose
    assert (found.accepted, found.reason, found.best.place) == (True, None, 5)
    assert (found.best.reversed, len(found.candidates)) == (turned, 3)
    assert found.pose == (pose.turned_round() if turned else pose)
    assert found.stamp_ns == START_NS
    assert found.image_stamps_ns == dict.fromkeys(cameras, START_NS)


def test_the_other_way_is_not_looked_for_when_it_is_not_asked_for(place_map):
    recognizer = Recognizer.load(place_map, make_config({**PIXELS, 'search_reversed': False}))
    found = recognizer.recognize(view(5, turned=True))
    assert {candidate.reversed for candidate in found.candidates} == {False}
    assert found.best.similarity < 0.5


def test_a_place_that_is_not_in_the_map_is_refused_and_says_what_it_is_like(place_map):
    found = Recognizer.load(place_map, make_config(PIXELS)).recognize(view(77))
    assert (found.accepted, found.reason) == (False, 'low_similarity')
    assert found.best.similarity < 0.5
    assert found.pose is not None


@pytest.mark.parametrize('step', [-1, 0, 1])
def test_a_similarity_at_the_threshold_is_believed_and_one_below_is_not(place_map, step):
    config = make_config(PIXELS)
    similarity = Recognizer.load(place_map, config).recognize(view(77)).best.similarity
    threshold = float(np.nextafter(similarity, similarity + step))
    recognizer = Recognizer.load(place_map, make_config({**PIXELS, 'min_similarity': threshold}))
    found = recognizer.recognize(view(77))
    assert found.accepted == (step <= 0)
    assert found.reason == ('low_similarity' if step > 0 else None)


def test_a_frame_without_images_has_no_candidate(place_map):
    found = Recognizer.load(place_map, make_config(PIXELS)).recognize(frame())
    assert (found.accepted, found.reason, found.candidates) == (False, 'no_candidate', ())
    assert (found.best, found.pose) == (None, None)


def test_an_uncalibrated_map_decides_by_thresholds_alone(place_map):
    recognizer = Recognizer.load(place_map, make_config(PIXELS))
    assert recognizer.calibration_kind == 'uncalibrated'
    assert recognizer.required_proof is None
    found = recognizer.recognize(view(5))
    assert found.accepted
    assert (found.state, found.probability, found.covariance) == (None, None, None)


def test_black_images_give_no_pose_and_say_why(place_map):
    made = calibration(descriptor=place_map.spec.as_json())
    for values in ({}, {'sequence': False}):
        calibrated = replace(place_map, calibration=made.as_json())
        recognizer = Recognizer.load(calibrated, make_config({**PIXELS, **values}))
        black = np.zeros((48, 64, 3), np.uint8)
        found = recognizer.recognize(frame(front=black, back=black))
        assert (found.accepted, found.reason) == (False, 'image_unusable')
        assert found.measurement.reason == 'image_unusable'


def test_images_are_checked_where_that_is_switched_on(place_map):
    whole = view(5)
    blurred = cv2.GaussianBlur(whole.images[BACK], (0, 0), 12)
    seen = replace(whole, images={**whole.images, BACK: blurred})
    checked, unchecked = (
        Recognizer.load(place_map, make_config({**PIXELS, 'check_images': on})).recognize(seen)
        for on in (True, False)
    )
    assert checked.best.cosines.keys() == {FRONT}
    assert unchecked.best.cosines.keys() == {FRONT, BACK}
    assert list(checked.image_stamps_ns) == [FRONT, BACK]


@pytest.mark.parametrize(('proof', 'needed'), [(1.0, 8.0), (1.5, 12.0)])
def test_the_required_proof_is_a_multiple_of_the_calibrated_one(place_map, proof, needed):
    made = calibration(descriptor=place_map.spec.as_json(), proof=8.0, kind='map_alone')
    calibrated = replace(place_map, calibration=made.as_json())
    recognizer = Recognizer.load(calibrated, make_config({**PIXELS, 'proof': proof}))
    assert recognizer.required_proof == needed
    assert recognizer.calibration_kind == 'map_alone'
    recognizer.configure(make_config({**PIXELS, 'sequence': False}))
    assert recognizer.required_proof is None


def test_a_view_that_two_distant_places_share_is_ambiguous():
    twins = [view(5), view(5), view(8)]
    extractor = load_extractor(make_config(PIXELS))
    descriptors = np.stack([extractor.describe(seen) for seen in twins])
    poses = np.array([planar(x).as_array() for x in (0.0, 100.0, 200.0)])
    stamps, present = np.arange(3), np.ones((3, 2), bool)
    place_map = random_map(
        places=Places(stamps, poses, ('a',) * 3, present),
        descriptors=descriptors,
        spec=extractor.spec,
    )
    recognizer = Recognizer.load(place_map, make_config({**PIXELS, 'min_margin': 0.1}))
    found = recognizer.recognize(view(5))
    assert (found.accepted, found.reason) == (False, 'ambiguous')
    assert found.margin == pytest.approx(0, abs=1e-5)
    alone = recognizer.recognize(view(8))
    assert alone.accepted and alone.margin > 0.1


@pytest.mark.parametrize(
    ('values', 'expected'),
    [
        ({'extractor': 'hog'}, "extractor is 'pixels', the running model has 'hog'"),
        ({'cameras': [FRONT]}, r"cameras is .*'back'.*, the running model has \('front',\)"),
        ({'cameras': [BACK, FRONT]}, 'cameras is'),
    ],
)
def test_a_map_of_another_descriptor_is_refused(place_map, values, expected):
    with pytest.raises(InputError, match=f'^map: made by another descriptor: .*{expected}'):
        Recognizer.load(place_map, make_config({**PIXELS, **values}))


@pytest.mark.parametrize('changes', [{'frame_id': 'another'}, {'spec': spec()}])
def test_a_map_that_does_not_fit_is_not_exchanged(place_map, changes):
    recognizer = Recognizer.load(place_map, make_config(PIXELS))
    with pytest.raises(InputError):
        recognizer.reload(replace(place_map, **changes))
    assert recognizer.recognize(view(5)).best.place == 5
