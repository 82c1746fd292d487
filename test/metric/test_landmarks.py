"""Landmarks as bytes, and the spec of what made them."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.errors import InputError
from husky_placerec.metric.landmarks import count_for, Landmarks, LandmarkSpec, packed, TAIL
from husky_placerec.metric.sight import unit
from husky_placerec.metric.triangulation import Triangulated
import numpy as np
import pytest
from support.landmark_worlds import rig, SPEC, straight, World


def some():
    seen = World.street().seen(straight(2)[0], rig())[0]
    rng = np.random.default_rng(0)
    rows = np.arange(0, 60, 2)
    found = Triangulated(
        rows,
        1 / rng.uniform(2, 50, 30),
        rng.uniform(0.001, 0.14, 30),
        rng.integers(2, 9, 30),
        np.ones((1, 30), bool),
    )
    return seen, found


def test_landmarks_survive_as_bytes_the_best_seen_first():
    seen, found = some()
    origin = rig().origins[0]
    stored = packed(seen, found, origin, SPEC)
    assert stored.shape == (SPEC.count, SPEC.size + TAIL) and stored.dtype == np.int8
    order = np.argsort(-found.views, kind='stable')
    read = Landmarks(SPEC, stored[None, None]).of(0, 0)
    rows = found.rows[order]
    expected = origin + seen.bearings[rows] / found.inverse[order, None]
    np.testing.assert_allclose(read.points, expected, atol=0.0011)
    np.testing.assert_allclose(read.relative, found.relative[order], atol=0.0011)
    np.testing.assert_array_equal(read.descriptors, unit(seen.descriptors[rows]))


def test_only_the_best_fit():
    seen, found = some()
    few = replace(SPEC, count=7)
    read = Landmarks(few, packed(seen, found, rig().origins[0], few)[None, None]).of(0, 0)
    assert len(read) == 7
    assert Landmarks(few, np.zeros((2, 1, 7, SPEC.size + TAIL), np.int8)).per_place == 0


@pytest.mark.parametrize(('size', 'cameras'), [(64, 1), (64, 2), (64, 4), (128, 2)])
def test_a_place_has_at_most_thirty_thousand_bytes(size, cameras):
    spec = replace(SPEC, size=size, count=count_for(size, cameras))
    assert 14_000 < spec.bytes_of_place(cameras) <= 30_000


def test_a_spec_is_read_as_it_was_written():
    made = replace(SPEC, noise_px=1.5, scale=3.0, map_sigma_m=0.03)
    assert LandmarkSpec.from_json(made.as_json(), 'map') == made
    with pytest.raises(InputError, match='map: landmarks have unknown keys: other'):
        LandmarkSpec.from_json({**made.as_json(), 'other': 1}, 'map')
    with pytest.raises(InputError, match='count'):
        LandmarkSpec.from_json({**made.as_json(), 'count': 0}, 'map')


def test_landmarks_of_another_network_are_refused():
    SPEC.require_same(replace(SPEC, network='other.onnx', noise_px=2.0), 'map')
    other = replace(SPEC, network_sha256='b' * 64, size=128)
    with pytest.raises(
        InputError,
        match=r'map: landmarks of another network.*network_sha256.*size'
        ' is 128, expected 64',
    ):
        SPEC.require_same(other, 'map')


def test_of_two_noises_the_greater_one_counts():
    values = np.zeros((1, 2, 200, 72), np.int8)
    one = Landmarks(replace(SPEC, noise_px=1.0, scale=5.0), values)
    other = Landmarks(replace(SPEC, noise_px=2.0, scale=3.0), values)
    both = one.joined(other)
    assert len(both) == 2 and (both.spec.noise_px, both.spec.scale) == (2.0, 5.0)
