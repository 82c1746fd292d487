"""A network as an extractor: deterministic unit vectors, for each pooling and each fusion."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import make_config
from husky_placerec.errors import InputError
import numpy as np
import pytest
from support.builders import frame, write_track_folder
from support.networks import BACK_IMAGE, describe_both, FRONT_IMAGE, load_network, SMALL

NEEDS = 'torch', 'timm'


def test_a_random_network_is_the_same_each_time_it_is_loaded(network):
    import torch

    torch.manual_seed(1234)
    again = load_network()
    assert again.spec == network.spec
    assert network.spec.size == 288
    assert (network.spec.normalization, network.spec.pooling) == ('imagenet', 'gem')
    np.testing.assert_array_equal(describe_both(again), describe_both(network))
    np.testing.assert_allclose(np.linalg.norm(describe_both(network), axis=1), 1, atol=1e-5)
    assert abs(describe_both(network)[0] - describe_both(network)[1]).max() > 1e-3


def test_an_image_has_the_same_descriptor_alone_and_beside_another(network):
    alone = network.describe(frame(back=BACK_IMAGE))
    assert not alone[0].any()
    np.testing.assert_allclose(alone[1], describe_both(network)[1], atol=1e-5)


def test_normalization_and_backbone_options_change_the_descriptor(network):
    half = load_network(normalization='half')
    assert half.spec == replace(network.spec, normalization='half')
    assert abs(describe_both(half) - describe_both(network)).max() > 1e-4
    other = load_network(backbone_options='act_layer=gelu drop_rate=0.1')
    assert other.spec.weights_sha256 == network.spec.weights_sha256
    assert abs(describe_both(other) - describe_both(network)).max() > 1e-4


@pytest.mark.parametrize(
    'pooling', ['average', 'gem', 'gem:1x2', 'netvlad:3', 'mixvpr:2', 'salad:3']
)
@pytest.mark.parametrize('head', [0, 24])
def test_each_pooling_gives_unit_vectors_and_is_recorded(pooling, head):
    made = load_network(pooling=pooling, head=head)
    found = describe_both(made)
    assert found.shape == (2, head or made.spec.size)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert (found[0] != found[1]).any()
    with pytest.raises(InputError, match='pooling is'):
        made.spec.require_same(load_network(pooling='gem:2x2', head=head).spec, 'my map')


@pytest.mark.parametrize('pooling', ['max', 'gem:3', 'gem:0x2', 'gem:9x9', 'netvlad:x', 'salad:4'])
def test_an_unknown_pooling_is_refused(pooling):
    with pytest.raises(InputError, match=f"pooling is '{pooling}'; expected "):
        load_network(pooling=pooling)


@pytest.mark.parametrize('fusion', ['add', 'attention'])
def test_a_fused_descriptor_is_one_vector_of_the_present_cameras(fusion):
    made = load_network(fusion=fusion)
    assert (made.spec.cameras, made.spec.fused) == (('front_back',), ('front', 'back'))
    alone = made.describe(frame(back=BACK_IMAGE))
    assert describe_both(made).shape == alone.shape == (1, made.spec.size)
    for found in (describe_both(made), alone):
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert abs(describe_both(made) - alone).max() > 1e-3
    assert not made.describe(frame()).any()
    swapped = made.describe(frame(back=FRONT_IMAGE, front=BACK_IMAGE))
    # Untrained attention gives the same as add, which does not depend on the order.
    np.testing.assert_allclose(swapped, describe_both(made), atol=1e-5)


@pytest.mark.parametrize('fusion', ['add', 'attention'])
def test_a_map_of_fused_descriptors_is_stored_and_recognised_without_a_direction(fusion, tmp_path):
    from husky_placerec.data.source import find_trajectory, open_source
    from husky_placerec.placemap.building import describe_places
    from husky_placerec.placemap.storage import load_map, save_map, verify_map
    from husky_placerec.recognition.recognizer import Recognizer

    config = make_config({**SMALL, 'fusion': fusion})
    made = load_network(fusion=fusion)
    with open_source(write_track_folder(tmp_path / 'track')) as source:
        trajectory = find_trajectory(source, None)
        made_map = describe_places(
            source, trajectory, made, config, track='a', max_gap_s=9.0, thumbnail_width=32
        )
    save_map(made_map, tmp_path / 'map')
    verify_map(tmp_path / 'map')
    place_map = load_map(tmp_path / 'map')
    assert place_map.descriptors.shape == (6, 1, 288)
    assert place_map.thumbnails.jpeg(0, 'back')  # each camera has its thumbnail all the same
    recognizer = Recognizer(made, place_map, make_config({}))
    recognizer.warm_up()
    best = recognizer.recognize(frame(front=FRONT_IMAGE, back=BACK_IMAGE)).best
    assert best is not None
    assert best.reversed is None
    assert 'cannot tell' in place_map.spec.limits
