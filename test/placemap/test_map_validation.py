"""The recall of a map on a drive, and what raises it: centring or whitening."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.errors import InputError
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.moving import transform
from husky_placerec.placemap.storage import save_map
from husky_placerec.placemap.validation import best_compared, recall_of_drive
from husky_placerec.types import Pose
import numpy as np
import pytest
from support.needs import needs
from support.validation_maps import drive


def test_recall_on_a_drive_counts_each_kind_of_query():
    made = drive()
    assert recall_of_drive(made, drive(look=0)) == {
        **dict.fromkeys(['forwards', 'front alone', 'back alone'], 1.0),
        'reversed': pytest.approx(0.3, abs=0.3),
    }
    turned = replace(drive(look=0), descriptors=made.descriptors[:, ::-1])
    found = recall_of_drive(made, turned)
    assert found['reversed'] == 1
    assert found['forwards'] < 0.7


def test_a_validation_drive_elsewhere_or_of_another_model_is_refused():
    far = transform(drive(), Pose.planar(500.0, 0.0, 0.0))
    with pytest.raises(InputError, match=r'none of 30 frames is within 5 m .* is \d+ m away'):
        recall_of_drive(drive(), far)
    with pytest.raises(InputError, match='frame is'):
        recall_of_drive(drive(), replace(drive(), frame_id='odom'))


def masked(seed, count=300):
    """Make a drive whose places differ in few numbers, below strong ones that all share."""
    rng = np.random.default_rng(5)
    own = np.zeros((count, 2, 16))
    own[..., 8:] = 0.3 * rng.normal(size=(count, 2, 8))
    light = np.random.default_rng(seed).normal(size=(count, 2, 16)) * ([1.0] * 8 + [0.03] * 8)
    seen = own + light + 0.5
    seen /= np.linalg.norm(seen, axis=2, keepdims=True)
    made = drive(count=count)
    poses = made.places.poses.copy()
    poses[:, 0], poses[:, 1] = 10.0 * np.arange(count), 0
    return replace(
        made, places=replace(made.places, poses=poses), descriptors=seen.astype(np.float16)
    )


@needs('sklearn')
def test_whitening_is_on_where_it_helps_and_says_by_how_much():
    found = best_compared(masked(1), masked(2))
    assert found.whitening is not None
    assert found.gain['whitened']['forwards'] > found.gain['raw']['forwards'] + 0.2
    assert set(found.gain['raw']) == {'forwards', 'reversed', 'front alone', 'back alone'}


@needs('sklearn')
def test_whitening_is_off_where_it_does_not_help_and_says_so_too(tmp_path):
    found = best_compared(drive(), drive(look=0, noise=0.01))
    assert found.whitening is None
    assert found.centring is None
    assert set(found.gain) == {'raw', 'centred', 'whitened'}
    save_map(found, tmp_path / 'map')
    assert load_map(tmp_path / 'map').gain == found.gain


def lit(seed, count=40):
    """Make a drive whose images share a light of their own, stronger than the places differ."""
    made = drive(count=count)
    light = np.random.default_rng(seed).normal(size=(1, 2, 16))
    seen = np.asarray(made.descriptors, np.float32) + light
    seen /= np.linalg.norm(seen, axis=2, keepdims=True)
    return replace(made, descriptors=seen.astype(np.float16))


def test_centring_is_on_where_it_helps_and_says_by_how_much():
    found = best_compared(lit(1), lit(2), whiten=False)
    assert found.centring is not None
    assert found.gain['centred']['forwards'] > found.gain['raw']['forwards'] + 0.2


def test_a_map_of_few_places_is_not_centred():
    assert 'centred' not in best_compared(drive(count=19), drive(look=0), whiten=False).gain
