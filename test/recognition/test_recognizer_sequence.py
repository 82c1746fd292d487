"""A recognizer on a calibrated map: when its sequence goes on, and when it begins anew."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import make_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.placemap.moving import transform
from husky_placerec.recognition.descriptor_recognizer import DescriptorRecognizer
from husky_placerec.recognition.recognizer import Recognizer
from husky_placerec.types import SECOND_NS
import numpy as np
import pytest
from support.builders import BACK, frame, FRONT, planar, smooth_image, SPACING_M, straight_map
from support.calibrations import calibration

CONFIG = make_config({'extractor': 'pixels'})
COUNT = 40


@pytest.fixture(scope='module')
def place_map():
    return straight_map(COUNT)


def drive(recognizer, places, second=0, by_odometry=True):
    """See places in a row, a second and a spacing apart; return the decisions."""
    said = []
    for number, place in enumerate(places, second):
        stamp_ns = number * SECOND_NS
        if by_odometry:
            recognizer.odometry.add(stamp_ns, planar(SPACING_M * place))
            recognizer.odometry.take_new()
        query = recognizer.place_map.descriptors[place].astype(np.float32)
        said.append(recognizer.decide(stamp_ns, {FRONT: stamp_ns}, recognizer.search(query)))
    return said


def states(said):
    return [each.state for each in said]


@pytest.fixture
def recognizer(place_map):
    made = DescriptorRecognizer(place_map, CONFIG, calibration(proof=8.0))
    assert states(drive(made, range(10)))[-1] == 'LOCALIZED'
    return made


def test_a_decision_has_the_frame_alone_and_the_sequence(place_map):
    recognizer = DescriptorRecognizer(place_map, CONFIG, calibration(proof=8.0))
    said = drive(recognizer, range(10))[-1]
    assert (said.stamp_ns, said.image_stamps_ns) == (9 * SECOND_NS, {FRONT: 9 * SECOND_NS})
    assert said.candidates[0] == said.best
    assert said.margin == recognizer.search(place_map.descriptors[9].astype(np.float32)).margin
    single = said.measurement
    assert single.pose.x == pytest.approx(27.0, abs=1.0)
    assert said.accepted and said.state == 'LOCALIZED' and said.chosen.place == 9
    assert said.probability != single.probability
    near = [each for each in said.candidates if abs(each.place - 9) <= 1]
    far = [each for each in said.candidates if abs(each.place - 9) > 10]
    assert all(each.probability == pytest.approx(said.probability, abs=0.01) for each in near)
    assert all(each.probability < 0.1 for each in far) and far


def test_without_a_sequence_the_decision_is_that_of_the_frame(place_map):
    config = replace(CONFIG, sequence=False)
    recognizer = DescriptorRecognizer(place_map, config, calibration())
    for said in drive(recognizer, range(4)):
        single = said.measurement
        assert (said.accepted, said.reason) == (single.accepted, single.reason)
        assert (said.probability, said.estimate) == (single.probability, single.pose)
        assert (said.covariance, said.covariance_xy) == (single.covariance, single.covariance_xy)
        assert (said.state, said.proof, said.chosen) == (None, None, None)
        assert said.covariance is not None
        assert all(each.probability is None for each in said.candidates)


def test_the_belief_goes_on_from_frame_to_frame(recognizer):
    assert drive(recognizer, [10], second=10)[0].state == 'LOCALIZED'


def test_after_a_new_beginning_the_belief_and_the_odometry_are_forgotten(recognizer):
    recognizer.begin_anew()
    assert recognizer.odometry.motion(8 * SECOND_NS, 9 * SECOND_NS) is None
    said = drive(recognizer, [10], second=10)[0]
    assert said.state != 'LOCALIZED'
    assert said.proof < 8.0


@pytest.mark.parametrize(('back_s', 'goes_on'), [(0.9, True), (1.1, False)])
def test_a_stamp_that_steps_back_over_a_second_begins_the_sequence_anew(
    recognizer, back_s, goes_on
):
    query = recognizer.place_map.descriptors[9].astype(np.float32)
    stamp_ns = round((9 - back_s) * SECOND_NS)
    said = recognizer.decide(stamp_ns, {}, recognizer.search(query))
    assert (said.state == 'LOCALIZED') == goes_on


def test_parameters_change_and_the_belief_stays(recognizer):
    recognizer.configure(replace(CONFIG, candidates=2))
    said = drive(recognizer, [10], second=10)[0]
    assert len(said.candidates) == 2
    assert said.state == 'LOCALIZED'
    recognizer.configure(replace(CONFIG, proof=100.0))
    assert drive(recognizer, [11], second=11)[0].state == 'TENTATIVE'


def test_parameters_change_without_a_calibration_too(place_map):
    recognizer = DescriptorRecognizer(place_map, CONFIG, None)
    recognizer.configure(replace(CONFIG, candidates=2))
    assert recognizer.config.candidates == 2
    assert len(drive(recognizer, [3])[0].candidates) == 2


def test_the_odometry_may_be_that_of_someone_else(place_map, recognizer):
    other = DescriptorRecognizer(place_map, CONFIG, None, recognizer.odometry)
    assert other.odometry is recognizer.odometry
    assert DescriptorRecognizer(place_map, CONFIG, None).odometry is not recognizer.odometry


def test_places_may_be_left_out_of_a_search(recognizer):
    query = recognizer.place_map.descriptors[9].astype(np.float32)
    assert recognizer.search(query).best.place == 9
    assert recognizer.search(query, without=np.array([9])).best.place != 9


def view(place):
    return frame(**{camera: smooth_image(place + seed, 64, 48) for camera, seed in SEEDS.items()})


SEEDS = {FRONT: 0, BACK: 99}


@pytest.fixture(scope='module')
def seen_map():
    """Make a calibrated map of ten places that images are compared with."""
    extractor = load_extractor(CONFIG)
    return replace(
        straight_map(10),
        descriptors=np.stack([extractor.describe(view(place)) for place in range(10)]),
        spec=extractor.spec,
        calibration=calibration(descriptor=extractor.spec.as_json(), proof=4.0).as_json(),
    )


def look(recognizer, places, second=0):
    """Recognise images of places in a row; return the decisions."""
    said = []
    for number, place in enumerate(places, second):
        recognizer.add_odometry(number * SECOND_NS, planar(SPACING_M * place))
        seen = view(place)
        said.append(recognizer.recognize(replace(seen, stamp_ns=number * SECOND_NS)))
    return said


def test_another_version_of_the_map_begins_anew_with_its_own_calibration(seen_map):
    recognizer = Recognizer.load(seen_map, CONFIG)
    assert look(recognizer, range(6))[-1].state == 'LOCALIZED'
    moved = transform(seen_map, planar(1000.0))
    other = calibration(descriptor=seen_map.spec.as_json(), proof=6.0, kind='simulated')
    recognizer.reload(replace(moved, calibration=other.as_json()))
    assert (recognizer.required_proof, recognizer.calibration_kind) == (6.0, 'simulated')
    said = look(recognizer, range(6, 10), second=6)
    assert said[0].state != 'LOCALIZED'
    assert said[-1].state == 'LOCALIZED'
    assert said[-1].pose.x == pytest.approx(1027.0, abs=1.0)
    assert recognizer.route.positions[0, 0] == 1000.0
    recognizer.reload(replace(moved, calibration=None))
    assert look(recognizer, [5], second=11)[0].state is not None  # the prior decides
    assert recognizer.calibration_kind == 'prior'


def test_a_recognizer_that_is_warmed_up_has_seen_nothing(seen_map):
    told = []
    for warm in (False, True):
        recognizer = Recognizer.load(seen_map, replace(CONFIG, check_images=False))
        if warm:
            recognizer.warm_up()
        told.append([(said.probability, said.proof) for said in look(recognizer, range(4))])
    assert told[0] == told[1]


def test_warming_up_describes_and_searches(seen_map, monkeypatch):
    recognizer = Recognizer.load(seen_map, CONFIG)
    whole = []
    monkeypatch.setattr(recognizer, 'recognize', lambda seen: whole.append(seen))
    recognizer.warm_up()
    (blank,) = whole
    assert set(blank.images) == {FRONT, BACK}
    spec = seen_map.spec
    for image in blank.images.values():
        assert image.shape == (spec.input_height, spec.input_width, 3)


def test_added_odometry_moves_the_next_frame(seen_map):
    recognizer = Recognizer.load(seen_map, CONFIG)
    recognizer.add_odometry(0, planar(0.0))
    recognizer.add_odometry(SECOND_NS, planar(3.0))
    assert recognizer.odometry.motion(0, SECOND_NS).x == pytest.approx(3.0)
