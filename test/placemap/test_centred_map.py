"""A map that is centred by session: search, storage, changes."""

from dataclasses import replace
import json

from husky_placerec.config import Config
from husky_placerec.errors import InputError
from husky_placerec.placemap.centring_choice import centred_as_asked, centring_note
from husky_placerec.placemap.checking import check_map
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.manifest import MANIFEST, signed
from husky_placerec.placemap.merging import merge_maps
from husky_placerec.placemap.pruning import prune
from husky_placerec.placemap.storage import save_map
from husky_placerec.recognition.calibration import Calibration
from husky_placerec.recognition.descriptor_recognizer import DescriptorRecognizer
import numpy as np
import pytest
from support.builders import START_NS
from support.calibrations import calibration
from support.validation_maps import drive

COUNT = 40


def lit(light=1, look=0, track='drive', start_ns=START_NS, strength=1.0):
    """Make a drive whose images share a light of their own."""
    made = drive(count=COUNT, look=look, track=track, start_ns=start_ns)
    shared = strength * np.random.default_rng(light).normal(size=(1, 2, 16))
    seen = np.asarray(made.descriptors, np.float32) + shared
    seen /= np.linalg.norm(seen, axis=2, keepdims=True)
    return replace(made, descriptors=seen.astype(np.float16))


def centred(light=1, **named):
    made = lit(light, **named)
    return made.centred(made.fit_centring())


def hits(place_map, queries):
    found = [place_map.search(query, 1, both_ways=False)[0].place for query in queries]
    return float(np.mean(np.array(found) == np.arange(len(found))))


def test_a_drive_in_another_light_is_recognised():
    dusk = lit(2).descriptors
    raw, made = lit(1), centred(1)
    assert hits(raw, raw.session_queries(dusk)) < 0.6
    assert hits(made, made.session_queries(dusk)) > 0.9


@pytest.mark.parametrize('kind', ['flat', 'sq8', 'hnsw'])
def test_every_index_finds_what_the_comparison_with_all_places_finds(kind):
    made = centred().indexed(kind)
    places = np.arange(COUNT)
    assert min(made.index.report.recall.values()) > 0.99
    assert hits(made, made.views.as_queries(places)) == 1.0


def test_similarity_is_the_cosine_of_centred_vectors():
    made = centred()
    query = made.session_queries(lit(2).descriptors)[7]
    best = made.search(query, 1, both_ways=False)[0]
    vectors = made.views.vectors(np.array([best.place]))[0]
    assert best.similarity == pytest.approx(float((vectors * query).sum(axis=1).mean()), abs=1e-4)


def test_it_is_stored_and_read_again(tmp_path):
    made = centred()
    save_map(made, tmp_path / 'map')
    found = load_map(tmp_path / 'map')
    queries = lit(2).descriptors
    assert np.array_equal(found.session_queries(queries), made.session_queries(queries))
    query = made.session_queries(queries)[3]
    assert found.search(query, 5, both_ways=True) == made.search(query, 5, both_ways=True)


def test_a_damaged_centring_is_refused(tmp_path):
    save_map(centred(), tmp_path / 'map')
    file = tmp_path / 'map' / MANIFEST
    about = json.loads(file.read_text())
    about['view_change'] = float('nan')
    about.pop('sha256')
    file.write_text(json.dumps(signed(about)))
    with pytest.raises(InputError):
        load_map(tmp_path / 'map')


@pytest.mark.parametrize('factor', [3.0, np.nan, np.inf])
def test_means_that_no_unit_vectors_have_are_refused(factor):
    made = centred()
    with np.errstate(all='ignore'):
        means = made.centring.means * np.float32(factor)
    with pytest.raises(InputError, match='centring'):
        check_map(replace(made, centring=replace(made.centring, means=means)))


@pytest.mark.parametrize('factor', [1e-30, 0.5, 2.0, np.nan])
def test_a_length_that_a_centred_descriptor_has_not_is_refused(factor):
    made = centred()
    lengths = made.views.lengths.copy()
    lengths[5, 1] *= np.float32(factor)
    with pytest.raises(InputError, match='compared descriptor of place 5, back, has length'):
        check_map(replace(made, lengths=lengths))


def test_the_means_follow_the_places():
    one = centred(1, track='day')
    other = lit(2, look=3, track='dusk', start_ns=START_NS + 10**12)
    both = merge_maps([one, other.centred(other.fit_centring())]).place_map
    assert both.centring.means.shape[0] == 2
    few = prune(both, 3.0, -1.0)
    assert len(few) < len(both)
    assert len(few.centring.track) == len(few)


@pytest.mark.parametrize(
    ('asked', 'strength', 'expected'),
    [('auto', 2.0, True), ('auto', 0.0, False), ('on', 0.0, True), ('off', 2.0, False)],
)
def test_the_parameter_decides_and_auto_looks_at_the_common_share(asked, strength, expected):
    made = centred_as_asked(lit(strength=strength), asked)
    assert (made.centring is not None) == expected
    assert ('by session' in centring_note(made, asked)) == expected


def test_a_map_of_three_places_is_not_centred_and_says_why():
    few = lit().with_places(lit().places.chosen(np.arange(3)), lit().descriptors[:3])
    assert centred_as_asked(few, 'on').centring is None
    assert '3 places are too few; 20 suffice' in centring_note(few, 'on')


def test_the_recognizer_centres_its_queries_and_begins_anew():
    made, frames = centred(), np.asarray(lit(2).descriptors, np.float32)
    recognizer = DescriptorRecognizer(made, Config(), None)
    found = [recognizer.query_of(frame) for frame in frames]
    assert np.array_equal(found, made.session_queries(frames))
    recognizer.begin_anew()
    assert np.array_equal(recognizer.query_of(frames[0]), found[0])


def test_a_calibration_of_raw_descriptors_does_not_serve_a_centred_map():
    made = centred()
    values = calibration().as_json() | {'descriptor': made.spec.as_json()}
    with pytest.raises(InputError, match='centred was False and is True'):
        Calibration.from_json(values, 'file').require_of(made)
