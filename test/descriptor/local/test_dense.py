"""The agreement of grids of features: a shifted grid is found, and a wrong one is not."""

from __future__ import annotations

from husky_placerec.descriptor.local.dense import DenseMatcher
import numpy as np
import pytest

ROWS, COLUMNS, SIZE = 8, 12, 16
MATCHER = DenseMatcher(ROWS, COLUMNS, across=3, along=1)


def grid(seed):
    """Return a random grid [ROWS, COLUMNS, SIZE] of unit vectors."""
    vectors = np.random.default_rng(seed).normal(size=(ROWS, COLUMNS, SIZE))
    return (vectors / np.linalg.norm(vectors, axis=2, keepdims=True)).astype(np.float32)


def flat(cells):
    return cells.reshape(-1, SIZE)


def shifted(cells, right, down):
    """Return what a camera sees that has turned: each thing lies further right and down."""
    other = grid(99)
    for row in range(ROWS):
        for column in range(COLUMNS):
            if 0 <= row - down < ROWS and 0 <= column - right < COLUMNS:
                other[row, column] = cells[row - down, column - right]
    return other


@pytest.mark.parametrize(('right', 'down'), [(0, 0), (2, 0), (-3, 1), (1, -1)])
def test_a_shifted_grid_agrees_and_its_shift_is_the_flow(right, down):
    cells = grid(1)
    found = MATCHER.agreement(flat(cells), np.array([flat(shifted(cells, right, down))]))
    kept = (ROWS - abs(down)) * (COLUMNS - abs(right)) / (ROWS * COLUMNS)
    assert found.mutual[0] == pytest.approx(kept, abs=0.12)
    assert found.shift[0] == pytest.approx(1.0, abs=1e-5)
    assert found.flow[0] == pytest.approx([right, down], abs=0.2)


def test_a_shift_beyond_the_window_is_not_found():
    cells = grid(1)
    far = MATCHER.agreement(flat(cells), np.array([flat(shifted(cells, 6, 0))]))
    assert far.mutual[0] < 0.4 and far.shift[0] < 0.3


def test_each_of_several_others_is_compared_by_itself():
    cells = grid(1)
    others = np.array([flat(grid(5)), flat(cells), flat(shifted(cells, 1, 0))])
    found = MATCHER.agreement(flat(cells), others)
    assert found.mutual.argmax() == 1
    assert found.mutual[1] == pytest.approx(1.0, abs=1e-5)
    assert found.mutual[0] < 0.5 < found.mutual[2]
    for number in range(3):
        alone = MATCHER.agreement(flat(cells), others[number : number + 1])
        assert alone.mutual[0] == pytest.approx(found.mutual[number], abs=1e-6)
        assert alone.flow[0] == pytest.approx(found.flow[number], abs=1e-6)


def test_no_features_agree_with_nothing():
    nothing = np.zeros((1, MATCHER.cells, SIZE), np.float32)
    found = MATCHER.agreement(flat(grid(1)), nothing)
    assert (found.mutual[0], found.shift[0]) == (0.0, 0.0)
    assert found.flow[0].tolist() == [0.0, 0.0]


def test_matches_on_one_object_do_not_outweigh_a_scene():
    """A lorry fills a quarter of the image at the wrong place; the right one has changed."""
    scene, elsewhere = grid(1), grid(2)
    elsewhere[:4, :6] = scene[:4, :6]
    rng = np.random.default_rng(3)
    right = scene + 0.2 * rng.normal(size=scene.shape)
    right /= np.linalg.norm(right, axis=2, keepdims=True)
    found = MATCHER.agreement(flat(scene), np.array([flat(right), flat(elsewhere)], np.float32))
    assert found.mutual[0] > found.mutual[1] + 0.1
