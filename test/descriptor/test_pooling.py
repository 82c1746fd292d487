"""Poolings, and attention over cameras, computed as in their papers."""

from __future__ import annotations

from husky_placerec.descriptor.attention import CameraAttention
from husky_placerec.descriptor.pooling import make_pooling, position_weights
import numpy as np
import pytest
import torch

NEEDS = ('torch',)

FEATURES = torch.from_numpy(np.random.default_rng(1).uniform(0.1, 2, (2, 5, 6, 8))).float()
POOLINGS = pytest.mark.parametrize('name', ['average', 'gem', 'gem:2x3', 'netvlad:4', 'salad:4'])


def pooled(name, features=FEATURES, masks=None, power=None):
    torch.manual_seed(0)
    pooling = make_pooling(name, *features.shape[1:]).to(features).eval()
    if power is not None:
        pooling.p.data.fill_(power)
    return pooling(features, position_weights(features, masks)).detach()


@pytest.mark.parametrize('power', [1, 3, 4.5])
def test_gem_is_the_power_mean(power):
    values = FEATURES.numpy()
    expected = (values**power).mean(axis=(2, 3)) ** (1 / power)
    np.testing.assert_allclose(pooled('gem', power=power), expected, rtol=1e-5)


def test_gem_and_its_gradients_stay_finite_for_large_powers_and_zero_features():
    largest = pooled('gem', power=200)
    np.testing.assert_allclose(largest, FEATURES.numpy().max(axis=(2, 3)), rtol=0.02)
    features = torch.full((1, 5, 6, 8), -1.0)
    features[..., 0, 0] = 50
    features.requires_grad_()
    pooling = make_pooling('gem:2x2', 5, 6, 8)
    pooling.p.data.fill_(30.0)
    pooling(features, position_weights(features, None)).sum().backward()
    assert torch.isfinite(features.grad).all()
    assert torch.isfinite(pooling.p.grad)


@pytest.mark.parametrize('grid', [(1, 3), (2, 3), (4, 5)])
def test_the_cells_of_a_grid_are_those_of_adaptive_pooling(grid):
    cubes = torch.nn.functional.adaptive_avg_pool2d(FEATURES**3, grid) ** (1 / 3)
    found = pooled(f'gem:{grid[0]}x{grid[1]}')
    np.testing.assert_allclose(found, cubes.flatten(1), rtol=1e-5)


def test_netvlad_is_the_sum_of_residuals_to_each_centre():
    torch.manual_seed(0)
    pooling = make_pooling('netvlad:3', 5, 6, 8)
    unit = torch.nn.functional.normalize(FEATURES, dim=1)
    shares = pooling.assignment(unit).softmax(1)
    residuals = unit[:, None] - pooling.centres[None, :, :, None, None]  # [B, K, D, H, W]
    expected = torch.nn.functional.normalize((shares[:, :, None] * residuals).sum((3, 4)), dim=2)
    found = pooling(FEATURES, position_weights(FEATURES, None))
    np.testing.assert_allclose(found.detach(), expected.flatten(1).detach(), atol=1e-5)


def test_salad_transports_positions_to_clusters_and_a_dustbin():
    """Compare with Sinkhorn's algorithm on probabilities, not on their logarithms."""
    torch.manual_seed(0)
    pooling = make_pooling('salad:4', 5, 6, 8).eval()
    weights = position_weights(FEATURES, torch.rand(2, 6, 8))
    with torch.no_grad():
        found = pooling(FEATURES, weights)
        token = pooling.token((FEATURES * weights).mean((2, 3)))
        local, scores = pooling.features(FEATURES), pooling.scores(FEATURES)
    for image, expected in enumerate(found.double().numpy()):
        dustbin = np.full((1, 48), pooling.dustbin.item())
        kernel = np.exp(np.vstack([scores[image].flatten(1).double(), dustbin]))
        wanted, given = np.array([1, 1, 1, 1, 44]), weights[image].double().numpy().ravel()
        columns = np.ones(48)
        for _ in range(3):
            rows = wanted / (kernel @ columns)
            columns = given / (kernel.T @ rows)
        plan = rows[:, None] * kernel * columns
        np.testing.assert_allclose(plan.sum(axis=0), given, rtol=1e-9)  # all mass is transported
        sums = local[image].flatten(1).double().numpy() @ plan[:-1].T
        sums /= np.linalg.norm(sums, axis=0)
        unit = token[image].double().numpy()
        whole = np.concatenate([unit / np.linalg.norm(unit), sums.ravel()]) / np.sqrt(1 + 4)
        np.testing.assert_allclose(expected, whole, atol=1e-5)


@POOLINGS
def test_masked_positions_do_not_count(name):
    masks = torch.ones(2, 12, 16)
    masks[:, :, ::4] = masks[:, :, 1::4] = 0  # every other column of the feature map
    other = FEATURES.clone()
    other[..., ::2] = 9.0
    np.testing.assert_allclose(
        pooled(name, other, masks), pooled(name, FEATURES, masks), rtol=1e-4, atol=1e-6
    )
    assert not torch.allclose(pooled(name, other), pooled(name, FEATURES), rtol=1e-2)


@POOLINGS
def test_a_uniform_mask_and_a_mask_of_zeros_change_nothing(name):
    for value in (0.0, 0.5):
        masks = torch.full((2, 3, 4), value)
        np.testing.assert_allclose(pooled(name, masks=masks), pooled(name), rtol=1e-5)


POOLINGS_OF_ALL_KINDS = ['average', 'gem', 'gem:2x3', 'netvlad:4', 'mixvpr:2', 'salad:4']


@pytest.mark.parametrize('name', POOLINGS_OF_ALL_KINDS)
@pytest.mark.parametrize('floor', [0.0, 0.3])
def test_a_mask_over_a_whole_cell_or_image_gives_finite_values_and_gradients(name, floor):
    static = torch.ones(2, 6, 8)
    static[0, :3, :3] = 0  # the first cell of a grid of 2x3
    static[1] = 0
    features = FEATURES.clone().requires_grad_()
    torch.manual_seed(0)
    pooling = make_pooling(name, *features.shape[1:]).eval()
    weights = position_weights(features, floor + (1 - floor) * static)
    found = pooling(features, weights)
    found.square().sum().backward()
    assert torch.isfinite(found).all()
    assert torch.isfinite(features.grad).all()
    # An image that is covered as a whole is pooled as without a mask.
    np.testing.assert_allclose(found[1].detach(), pooled(name)[1], rtol=1e-4, atol=1e-6)
    assert not torch.allclose(found[0].detach(), pooled(name)[0], rtol=1e-3)


def test_a_covered_cell_of_a_grid_is_pooled_without_the_mask_and_the_others_with_it():
    static = torch.ones(2, 6, 8)
    static[:, :3, :4] = 0  # the first of 2x2 cells
    static[:, 3:, 2:4] = 0  # half of the third
    cells = pooled('gem:2x2', masks=static).unflatten(1, (5, 4))
    free = pooled('gem:2x2').unflatten(1, (5, 4))
    np.testing.assert_allclose(cells[..., [0, 1, 3]], free[..., [0, 1, 3]], rtol=1e-5)
    third = (FEATURES[:, :, 3:, :2] ** 3).mean((2, 3)) ** (1 / 3)
    np.testing.assert_allclose(cells[..., 2], third, rtol=1e-5)


def trained_attention():
    """Make an attention whose last projection is not zero, as after training."""
    torch.manual_seed(3)
    attention = CameraAttention(3, 16)
    torch.nn.init.normal_(attention.projection.weight)
    return attention


def test_attention_ignores_the_rows_of_absent_cameras():
    attention = trained_attention()
    vectors = torch.nn.functional.normalize(torch.randn(7, 3, 16), dim=2)
    present = torch.tensor([[(n >> camera) & 1 for camera in range(3)] for n in range(1, 8)]) > 0
    noise = torch.where(present[..., None], vectors, torch.randn(7, 3, 16))
    found = attention(vectors, present)
    np.testing.assert_allclose(found.detach(), attention(noise, present).detach(), atol=1e-6)
    np.testing.assert_allclose(found.norm(dim=1).detach(), 1, atol=1e-5)


def test_attention_depends_on_the_camera_of_each_row_and_gives_zeros_for_no_camera():
    attention = trained_attention()
    vectors = torch.nn.functional.normalize(torch.randn(1, 3, 16), dim=2)
    everyone = torch.ones(1, 3, dtype=torch.bool)
    swapped = attention(vectors[:, [1, 0, 2]], everyone)
    assert (swapped - attention(vectors, everyone)).abs().max() > 1e-2
    nothing = attention(vectors, ~everyone)
    nothing.sum().backward()
    assert not nothing.any()
    assert all(torch.isfinite(p.grad).all() for p in attention.parameters() if p.grad is not None)
