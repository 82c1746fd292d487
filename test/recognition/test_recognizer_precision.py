"""A map of another precision: taken where its probes agree, at the start and on a reload."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import make_config
from husky_placerec.descriptor.agreement import Probes
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.errors import InputError
from husky_placerec.recognition.recognizer import Recognizer
import numpy as np
import pytest
from support.builders import BACK, frame, FRONT, random_map, smooth_image

CONFIG = make_config({'extractor': 'pixels', 'uncalibrated': 'thresholds'})


def view(place):
    seeds = {FRONT: place, BACK: place + 200}
    return frame(**{name: smooth_image(seed, 64, 48) for name, seed in seeds.items()})


@pytest.fixture(scope='module')
def own():
    """Make a map in the precision that runs here, with probes as a network has them."""
    made = load_extractor(CONFIG)
    images = np.stack([made.preparation(FRONT, smooth_image(place, 64, 48)) for place in range(4)])
    described = made._images.describe(list(images)).astype(np.float16)
    descriptors = np.stack([made.describe(view(place)) for place in range(8)])
    return random_map(
        count=8, descriptors=descriptors, spec=made.spec, probes=Probes(images, described)
    )


@pytest.fixture(scope='module')
def other(own):
    """Make the same map as if it had been made in another precision."""
    return replace(own, name='other.map', spec=replace(own.spec, precision='bfloat16'))


def loaded(place_map):
    return Recognizer.load(place_map, CONFIG)


def reloaded(first):
    """Return a function that reloads a recognizer, which began with another map."""

    def take(place_map):
        recognizer = Recognizer.load(first, CONFIG)
        recognizer.reload(place_map)
        return recognizer

    return take


@pytest.mark.parametrize('way', ['load', 'reload'])
def test_a_map_of_another_precision_is_taken_where_its_probes_agree(way, own, other):
    take = loaded if way == 'load' else reloaded(own)
    recognizer = take(other)
    assert recognizer.place_map is other
    assert recognizer.recognize(view(5)).best.place == 5
    recognizer.reload(own)  # and back
    assert recognizer.recognize(view(6)).best.place == 6


@pytest.mark.parametrize('way', ['load', 'reload', 'reload after another precision'])
def test_it_is_refused_where_they_do_not_agree_or_are_missing(way, own, other):
    take = loaded if way == 'load' else reloaded(own if way == 'reload' else other)
    mixed = Probes(other.probes.images, np.roll(other.probes.descriptors, 1, axis=0))
    with pytest.raises(InputError, match=r'other\.map: made in bfloat16.*at most 0\.02'):
        take(replace(other, probes=mixed))
    with pytest.raises(InputError, match="precision is 'bfloat16', the running model has"):
        take(replace(other, probes=None))


def test_a_map_that_is_refused_leaves_the_old_one_in_use(own, other):
    recognizer = loaded(own)
    with pytest.raises(InputError):
        recognizer.reload(replace(other, probes=None))
    assert recognizer.place_map is own
    assert recognizer.recognize(view(3)).best.place == 3
