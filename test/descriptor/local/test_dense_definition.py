"""The agreement of two grids of features, by its definition."""

from __future__ import annotations

import math

from husky_placerec.descriptor.local.dense import DenseMatcher
import numpy as np
import pytest
from support.local_features import COLUMNS, grid, looking, ROWS, SIZE

MATCHER = DenseMatcher(ROWS, COLUMNS)


def agreement(image, *others, matcher=MATCHER):
    return matcher.agreement(image, np.array(others).reshape(-1, *image.shape))


@pytest.mark.parametrize(('right', 'down'), [(0, 0), (3, 0), (-5, 0), (0, 2), (2, -1), (-4, 2)])
def test_a_shifted_image_is_found_at_its_shift(right, down):
    """What an image sees at a cell lies in the other one at the cell plus the flow."""
    scene = grid(0)
    found = agreement(looking(scene, right, down), looking(scene), looking(grid(1)))
    # Cells that only one image sees are matched at random, with little weight.
    assert found.flow[0] == pytest.approx(
        [right, down], abs=0.05 + 0.3 * max(abs(right), abs(down))
    )
    both = (ROWS - abs(down)) * (COLUMNS - abs(right)) / (ROWS * COLUMNS)  # what both see
    assert found.shift[0] == pytest.approx(1.0, abs=1e-5)
    assert found.mutual[0] >= both - 1e-5
    assert found.shift[1] < 0.3


def test_a_wrong_place_agrees_less_in_both_ways():
    noise = 0.15 * np.random.default_rng(5).normal(size=(ROWS * COLUMNS, SIZE))
    image = looking(grid(0), 1) + noise.astype(np.float32)
    image /= np.linalg.norm(image, axis=1, keepdims=True)
    found = agreement(image, *(looking(grid(seed)) for seed in (1, 0, 2, 3)))
    assert found.mutual.argmax() == found.shift.argmax() == 1
    for scores in (found.mutual, found.shift):
        assert scores[1] > 1.5 * np.delete(scores, 1).max()


def test_a_shift_beyond_the_window_is_not_found():
    scene = grid(0)
    near, far = (
        agreement(looking(scene, 3), looking(scene), matcher=DenseMatcher(ROWS, COLUMNS, across))
        for across in (3, 2)
    )
    assert near.shift[0] == pytest.approx(1.0, abs=1e-5)
    assert far.shift[0] < 0.3
    assert far.mutual[0] < 0.6 * near.mutual[0]


def by_definition(image, other, across=5, along=2):
    """Return mutual agreement, that of the upper third, the best shift's, and flow, by cells."""

    def window(cell):
        row, column = divmod(cell, COLUMNS)
        return [
            r * COLUMNS + c
            for r in range(max(row - along, 0), min(row + along + 1, ROWS))
            for c in range(max(column - across, 0), min(column + across + 1, COLUMNS))
        ]

    cosines = image @ other.T
    cells = range(ROWS * COLUMNS)
    choice = [max(window(cell), key=lambda at, cell=cell: cosines[cell, at]) for cell in cells]
    back = [max(window(cell), key=lambda at, cell=cell: cosines[at, cell]) for cell in cells]
    mutual = [cell for cell in cells if back[choice[cell]] == cell]
    scores = np.array([max(cosines[cell, choice[cell]], 0) for cell in mutual])
    moved = [np.subtract(divmod(choice[c], COLUMNS), divmod(c, COLUMNS))[::-1] for c in mutual]
    flow = np.average(moved, axis=0, weights=np.square(scores))
    best = -1.0
    for down in range(-along, along + 1):
        for right in range(-across, across + 1):
            pairs = [
                cosines[row * COLUMNS + column, (row + down) * COLUMNS + column + right]
                for row in range(max(-down, 0), min(ROWS - down, ROWS))
                for column in range(max(-right, 0), min(COLUMNS - right, COLUMNS))
            ]
            best = max(best, np.mean(pairs))
    rows = math.ceil(ROWS / 3)
    upper = sum(score for cell, score in zip(mutual, scores) if cell < rows * COLUMNS)
    return scores.sum() / (ROWS * COLUMNS), upper / (rows * COLUMNS), best, flow


@pytest.mark.parametrize('seed', range(3))
def test_the_agreement_is_that_of_its_definition_at_the_borders_too(seed):
    image, other = looking(grid(seed)), looking(grid(seed + 50))
    mutual, upper, shift, flow = by_definition(image, other)
    found = agreement(image, other)
    assert found.mutual[0] == pytest.approx(mutual, abs=1e-5)
    assert found.upper[0] == pytest.approx(upper, abs=1e-5)
    assert found.shift[0] == pytest.approx(shift, abs=1e-5)
    assert found.flow[0] == pytest.approx(flow, abs=1e-4)


def test_what_was_not_seen_agrees_with_nothing():
    nothing = np.zeros((ROWS * COLUMNS, SIZE), np.float32)
    found = agreement(looking(grid(0)), nothing)
    assert (found.mutual[0], found.shift[0]) == (0.0, 0.0)
    assert found.flow[0].tolist() == [0.0, 0.0]
    assert MATCHER.agreement(nothing, np.zeros((0, *nothing.shape))).scores.shape == (0, 2)
