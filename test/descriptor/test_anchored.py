"""The anchored backbone: one branch is trained, and the other keeps its weights."""

from __future__ import annotations

from husky_placerec.config import make_config
from husky_placerec.descriptor.anchor import Anchor
from husky_placerec.descriptor.network import make_network
from husky_placerec.descriptor.spec import resolve_spec
from husky_placerec.descriptor.timm_import import timm
from husky_placerec.errors import InputError
import pytest
import torch

NEEDS = 'torch', 'timm'

SIZE = 64
PARAMETERS = {
    'backbone': 'anchored_mobilenetv2',
    'weights': 'random',
    'pooling': 'gem:1x2',
    'head': 32,
    'input_width': SIZE,
    'input_height': SIZE,
}


def network(**changes):
    return make_network(resolve_spec(make_config({**PARAMETERS, **changes}), None))


def images(count=3):
    return torch.rand(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))


def anchor_shares(vectors):
    """Return the anchor's share of the similarity, per image."""
    return vectors[:, 32:].square().sum(1)


def features(count, weak):
    """Make feature maps of 40 channels, one of which is weak."""
    maps = 1 + 0.2 * torch.rand(count, 40, 2, 3)
    maps[:, weak] *= 0.3
    return maps


def anchor_after(batches):
    """Make an anchor that was trained on batches in which channel 2 was weak."""
    torch.manual_seed(5)
    anchor = Anchor(40)
    for _ in range(batches):
        anchor.join(torch.ones(64, 1), pooled(anchor, features(64, weak=2)))
    return anchor.eval()


def pooled(anchor, maps):
    return anchor(maps, torch.ones(1, 1, 2, 3))


def test_in_training_each_branch_has_half_of_the_similarity():
    made = network()
    made.train()
    vectors = made(images())
    assert vectors.shape == (3, 32 + 15 * 96)
    assert vectors.norm(dim=1).tolist() == pytest.approx([1.0] * 3)
    assert anchor_shares(vectors).tolist() == pytest.approx([0.5] * 3)


def test_the_trained_branch_counts_only_on_images_like_the_training_images():
    anchor = anchor_after(batches=100)
    for weak, alike in ((2, True), (4, False)):
        vectors = anchor.join(torch.ones(200, 1), pooled(anchor, features(200, weak)))
        assert vectors.norm(dim=1).tolist() == pytest.approx([1.0] * 200)
        learned = vectors[:, 0].square()
        assert (learned > 0.65).float().mean() > 0.9 if alike else (learned < 1e-3).all()


def test_the_distance_is_one_on_average_over_the_training():
    anchor = anchor_after(batches=200)
    average = pooled(anchor, features(2000, weak=2))[:, anchor.size :]
    distance = anchor.squared_distance(average)
    assert distance.mean() == pytest.approx(1, abs=0.1)


def test_it_takes_the_weights_of_the_whole_network(tmp_path):
    torch.manual_seed(3)
    whole = timm.create_model('mobilenetv2_100', num_classes=0).eval()
    torch.save(whole.state_dict(), tmp_path / 'whole.pth')
    made = network(weights=str(tmp_path / 'whole.pth')).backbone
    stages = whole.forward_intermediates(images(), intermediates_only=True)
    with torch.no_grad():
        learned, anchor = made.branches(images())
    assert torch.allclose(learned, stages[3], atol=1e-5)
    assert torch.allclose(anchor, stages[3], atol=1e-5)


def test_masked_pixels_do_not_count_for_the_anchor():
    anchor, maps = Anchor(4), torch.rand(1, 4, 6, 10)
    changed, weights = maps.clone(), torch.ones(1, 1, 6, 10)
    changed[..., 0, 0], weights[..., 0, 0] = 50.0, 0.0
    assert torch.allclose(anchor(maps, weights), anchor(changed, weights), atol=1e-6)
    assert not torch.allclose(anchor(maps, weights), anchor(changed, weights * 0 + 1), atol=1e-3)


def test_stored_weights_include_the_statistics(tmp_path):
    made = network()
    made.train()
    made(images(8))
    torch.save(made.eval().state_dict(), tmp_path / 'trained.pth')
    again = network(weights=str(tmp_path / 'trained.pth'))
    with torch.no_grad():
        assert torch.equal(again(images()), made(images()))


def test_weights_of_another_network_are_refused(tmp_path):
    torch.save({'features.weight': torch.zeros(3)}, tmp_path / 'other.pth')
    with pytest.raises(InputError, match=r'weights do not fit the backbone, .*missing'):
        network(weights=str(tmp_path / 'other.pth'))
