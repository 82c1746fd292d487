"""The spec of local descriptors, and the local descriptors of some places."""

from __future__ import annotations

from dataclasses import replace
import json

from husky_placerec.descriptor.local.network import quantized, restored
from husky_placerec.descriptor.local.spec import LocalSpec
from husky_placerec.errors import InputError
import numpy as np
import pytest
from support.local_features import COLUMNS, local_of, local_spec, ROWS, SIZE

CHANGES = {
    'weights_sha256': 'b' * 64,
    'branch': 'anchor',
    'pinhole_focal': 0.7,
    'input_width': 320,
    'input_height': 192,
    'rows': 7,
    'columns': 12,
    'size': 8,
}


def test_a_spec_comes_back_from_json_as_it_was():
    made = local_spec(pinhole_focal=0.7)
    assert LocalSpec.from_json(json.loads(json.dumps(made.as_json())), 'map') == made
    assert (made.cells, made.bytes_of_place(2)) == (ROWS * COLUMNS, 2 * ROWS * COLUMNS * SIZE)


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'weights_sha256': 'abc'}, 'weights_sha256'),
        ({'branch': '../x'}, 'branch'),
        ({'rows': 0}, 'rows'),
        ({'columns': 257}, 'columns'),
        ({'size': 1e9}, 'size'),
        ({'size': True}, 'size'),
        ({'pinhole_focal': float('nan')}, 'pinhole_focal'),
        ({'input_width': 1 << 20}, 'input_width'),
        ({'another': 1}, 'another'),
        ({'rows': ...}, 'rows'),
    ],
)
def test_a_spec_that_cannot_be_is_refused(changes, words):
    values = {**local_spec().as_json(), **changes}
    values = {name: value for name, value in values.items() if value is not ...}
    with pytest.raises(InputError, match=f'^map: .*{words}'):
        LocalSpec.from_json(values, 'map')


@pytest.mark.parametrize(('name', 'value'), CHANGES.items())
def test_each_difference_is_named(name, value):
    own, other = local_spec(), local_spec(**{name: value})
    words = f'^map: local descriptors of another network: {name} is .*{value}.*, expected .*'
    with pytest.raises(InputError, match=f'{words}; placerec map add-local makes them anew'):
        own.require_same(other, 'map')


def test_all_differences_are_named_and_the_name_of_the_file_is_none():
    own = local_spec()
    own.require_same(replace(own, weights='somewhere.onnx'), 'map')
    with pytest.raises(InputError) as refused:
        own.require_same(local_spec(**CHANGES), 'map')
    assert all(f'{name} is ' in str(refused.value) for name in CHANGES)


def test_some_places_are_chosen():
    made = local_of(6)
    for rows in (np.array([4, 1]), slice(2, 5)):
        chosen = made.chosen(rows)
        assert chosen.spec == made.spec
        np.testing.assert_array_equal(chosen.values, made.values[rows])
    assert len(made) == 6 and len(made.chosen(slice(2, 5))) == 3


def test_two_are_joined_in_their_order():
    made = local_of(6)
    joined = made.chosen(slice(0, 2)).joined(made.chosen(slice(2, 6)))
    np.testing.assert_array_equal(joined.values, made.values)
    assert joined.values.dtype == np.int8


def test_the_vectors_of_one_camera_have_unit_length():
    made = local_of(3)
    found = made.vectors(np.array([2, 0]), 1)
    assert found.shape == (2, ROWS * COLUMNS, SIZE)
    np.testing.assert_array_equal(found, made.values[[2, 0], 1].astype(np.float32) / 127)
    assert np.linalg.norm(found, axis=2) == pytest.approx(1.0, abs=0.02)
    assert made.matcher.cells == made.spec.cells
    assert made.matcher is local_of(2).matcher


def test_integers_are_unit_vectors_up_to_rounding():
    vectors = np.random.default_rng(0).normal(size=(50, 32))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    stored = quantized(vectors)
    assert stored.dtype == np.int8
    assert np.abs(restored(stored) - vectors).max() <= 0.5 / 127 + 1e-6
    assert quantized(np.array([1.0, -1.0])).tolist() == [127, -127]
