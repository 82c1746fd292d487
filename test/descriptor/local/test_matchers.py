"""Dense, patch and key point matchers: what every way to compare images has to do."""

from __future__ import annotations

import cv2
from husky_placerec.descriptor.local.dense import DenseMatcher
from husky_placerec.descriptor.local.keypoint_matcher import (
    BLOCKS,
    DISPLACEMENT,
    ESSENTIAL,
    HOMOGRAPHY,
    KeyPointMatcher,
    MODELS,
    MOST_OF_BLOCK,
)
from husky_placerec.descriptor.local.keypoints import KeyPoints, RootSift
from husky_placerec.descriptor.local.matcher import mutual_neighbours
from husky_placerec.descriptor.local.patch_netvlad import PatchMatcher, PatchVocabulary
import numpy as np
import pytest

ROWS, COLUMNS, SIZE = 14, 24, 16
WIDTH, HEIGHT = 384, 224
LORRY = (slice(5, 10), slice(8, 14))  # cells that one object covers


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def world(seed):
    """Return a random grid that is wider than an image; neighbouring cells are alike."""
    noise = np.random.default_rng(seed).normal(size=(ROWS + 8, COLUMNS + 8, SIZE))
    return cv2.GaussianBlur(noise, (3, 3), 0.8)


def seen(grid, right=0, down=0, noise=0.0, seed=9):
    """Return the [ROWS, COLUMNS, SIZE] features of an image that looks at a part of a world."""
    part = grid[4 + down : 4 + down + ROWS, 4 + right : 4 + right + COLUMNS]
    noise = noise * np.random.default_rng(seed).normal(size=part.shape)
    return unit(part + noise * part.std())


def with_lorry(features, lorry):
    """Return features of which one object covers a part."""
    covered = features.copy()
    covered[LORRY] = lorry[LORRY]
    return covered


VOCABULARY = PatchVocabulary.fit(
    np.array([seen(world(seed)) for seed in range(20, 30)]), clusters=6, size=64
)


def dense(image, *others):
    found = DenseMatcher(ROWS, COLUMNS).agreement(
        image.reshape(-1, SIZE), np.array([each.reshape(-1, SIZE) for each in others])
    )
    return found.scores[:, 0], found.flow


def patches(image, *others, rapid=False):
    found = PatchMatcher(ROWS, COLUMNS, rapid=rapid).agreement(
        VOCABULARY.describe(image), [VOCABULARY.describe(each) for each in others]
    )
    return found.scores[:, 0], found.flow


def rapid(image, *others):
    return patches(image, *others, rapid=True)


def points(features):
    """Return a key point in the middle of each cell, with the cell as its descriptor."""
    down, right = np.mgrid[:ROWS, :COLUMNS]
    positions = 16.0 * np.column_stack([right.ravel(), down.ravel()]) + 8.0
    return KeyPoints(positions.astype(np.float32), features.reshape(-1, SIZE))


def key_points(image, *others):
    found = KeyPointMatcher(WIDTH, HEIGHT).agreement(points(image), [points(e) for e in others])
    return found.scores[:, 0], found.flow / 16.0


@pytest.mark.parametrize('matcher', [dense, patches, rapid, key_points])
def test_the_right_place_wins_and_its_shift_is_found(matcher):
    place = world(0)
    # The frame looks 2 cells further to the left than the place, and 1 further down.
    scores, flow = matcher(seen(place, -2, 1, 0.3), seen(place), seen(world(1)), seen(world(2)))
    assert scores[0] > 2 * scores[1:].max()
    assert flow[0] == pytest.approx([-2.0, 1.0], abs=0.4)


@pytest.mark.parametrize('matcher', [dense, patches, key_points])
def test_matches_on_one_lorry_do_not_win_over_a_right_place(matcher):
    place, lorry = world(0), seen(world(5))
    frame = with_lorry(seen(place, noise=0.6), lorry)
    # The wrong place shows the very same lorry; at the right one it is not there.
    scores, _ = matcher(frame, seen(place), with_lorry(seen(world(1)), lorry))
    assert scores[0] > 1.5 * scores[1] > 0


@pytest.mark.parametrize('matcher', [patches, rapid])
def test_patches_of_an_image_without_features_score_0(matcher):
    blank = np.zeros((ROWS, COLUMNS, SIZE), np.float32)
    scores, flow = matcher(seen(world(0)), blank)
    assert scores.tolist() == [0.0] and flow.tolist() == [[0.0, 0.0]]
    scores, _ = matcher(blank, seen(world(0)), blank)
    assert scores.tolist() == [0.0, 0.0]


@pytest.mark.parametrize('model', MODELS)
def test_key_points_of_images_without_features_score_0(model):
    blank = RootSift()(np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
    assert len(blank) == 0
    matcher = KeyPointMatcher(WIDTH, HEIGHT, model=model, focal=280.0, ratio=0.9)
    there = points(seen(world(0)))
    assert matcher.agreement(blank, [there, blank]).scores.tolist() == [[0.0], [0.0]]
    assert matcher.agreement(there, [blank]).scores.tolist() == [[0.0]]
    assert matcher.agreement(there, []).scores.shape == (0, 1)


@pytest.mark.parametrize('model', [HOMOGRAPHY, ESSENTIAL])
def test_wrong_matches_are_left_out_by_the_model(model):
    rng = np.random.default_rng(0)
    focal, middle = 280.0, np.array([(WIDTH - 1) / 2, (HEIGHT - 1) / 2])
    depth = np.full(200, 10.0) if model == HOMOGRAPHY else rng.uniform(4, 30, 200)
    x, y = rng.uniform(-0.6, 0.6, 200), rng.uniform(-0.35, 0.35, 200)
    solid = np.column_stack([x, y, np.ones(200)]) * depth[:, None]
    here = focal * solid[:, :2] / solid[:, 2:] + middle
    moved = solid - (0.4, 0.0, 1.0)
    there = focal * moved[:, :2] / moved[:, 2:] + middle
    there[:60] += rng.uniform(-40, 40, (60, 2))
    names = unit(rng.normal(size=(200, 32)))
    pair = [KeyPoints(each.astype(np.float32), names) for each in (here, there)]
    matcher = KeyPointMatcher(WIDTH, HEIGHT, model=model, focal=focal)
    inliers = matcher._verified(here, there)
    assert inliers[60:].mean() > 0.95 and inliers[:60].mean() < 0.3
    right, wrong = (
        matcher.agreement(pair[0], [KeyPoints(p.astype(np.float32), names)]).scores[0, 0]
        for p in (there, rng.uniform(0, 1, (200, 2)) * (WIDTH, HEIGHT))
    )
    assert right > 2 * wrong


def test_matches_within_one_block_count_only_up_to_a_few():
    names = unit(np.random.default_rng(0).normal(size=(100, 32)))
    corner = np.random.default_rng(1).uniform(0, 30, (100, 2)).astype(np.float32)
    matcher = KeyPointMatcher(WIDTH, HEIGHT, model=DISPLACEMENT)
    found = matcher.agreement(KeyPoints(corner, names), [KeyPoints(corner + 3, names)])
    assert found.scores[0, 0] == pytest.approx(MOST_OF_BLOCK / (BLOCKS[0] * BLOCKS[1] * 4))
    assert found.flow[0] == pytest.approx([3.0, 3.0])


def test_key_points_that_two_others_resemble_fail_the_ratio_test():
    names = unit(np.random.default_rng(0).normal(size=(40, 32)))
    spread = np.random.default_rng(1).uniform(0, 200, (40, 2)).astype(np.float32)
    one = KeyPoints(spread, names)
    twice = KeyPoints(
        np.concatenate([spread, spread]), np.concatenate([names, unit(names + 1e-3)])
    )
    with_test, without = (KeyPointMatcher(WIDTH, HEIGHT, ratio=ratio) for ratio in (0.9, 1.0))
    noisy = KeyPoints(spread, unit(names + 0.05))
    assert without.agreement(noisy, [twice]).scores[0, 0] > 0
    assert with_test.agreement(noisy, [twice]).scores[0, 0] == 0
    assert with_test.agreement(noisy, [one]).scores[0, 0] > 0


def test_neighbours_are_mutual():
    one = np.eye(3, dtype=np.float32)
    other = unit(np.array([[0.0, 1.0, 0.0], [1.0, 0.1, 0.0], [1.0, 0.5, 0.0]]))
    rows, partners = mutual_neighbours(one, other)
    # The third of both are nobody's choice, or are not chosen in return.
    assert list(zip(rows.tolist(), partners.tolist())) == [(0, 1), (1, 0)]
    assert len(mutual_neighbours(one, np.zeros((0, 3), np.float32))[0]) == 0
