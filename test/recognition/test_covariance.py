"""The covariance of a pose: measured in bins of probability, and turned into the map frame."""

from __future__ import annotations

from husky_placerec.recognition.covariance import CovarianceTable, pose_errors
from husky_placerec.types import Pose
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from support.builders import planar
from support.calibrations import table

NEEDS = ('hypothesis',)

LEAST = [0.01, 0.01, 0.01, *[np.radians(0.5) ** 2] * 3]


def fitted(*groups):
    """Fit a table to (count, probability, error along the road) of each group."""
    probability = np.concatenate([np.full(count, p) for count, p, _ in groups])
    errors = np.zeros((len(probability), 6))
    errors[:, 0] = np.concatenate([np.full(count, along) for count, _, along in groups])
    return CovarianceTable.fit(probability, errors)


def test_each_bin_has_the_mean_squares_of_its_own_errors():
    found = fitted((30, 0.5, 3.0), (30, 0.95, -2.0), (30, 0.995, 1.0), (30, 0.9995, 0.5))
    assert found.edges.tolist() == [0.0, 0.9, 0.99, 0.999]
    assert found.variances[:, 0] == pytest.approx([9.0, 4.0, 1.0, 0.25])


def test_a_probability_on_an_edge_is_of_the_bin_above():
    found = fitted((30, 0.5, 3.0), (30, 0.9, 2.0))
    assert found.variances[:, 0] == pytest.approx([9.0, 4.0])
    assert found.covariance(0.9, planar(0), 0.0)[0][0] == pytest.approx(4.0)
    assert found.covariance(0.9 - 1e-9, planar(0), 0.0)[0][0] == pytest.approx(9.0)


@pytest.mark.parametrize(
    ('counts', 'edges'),
    [
        ((30, 30, 30), [0.0, 0.9, 0.99]),
        ((29, 30, 30), [0.0, 0.99]),
        ((30, 29, 30), [0.0, 0.9]),
        ((30, 30, 29), [0.0, 0.9]),
        ((30, 15, 14), [0.0]),
        ((30, 15, 15), [0.0, 0.9]),
    ],
)
def test_a_bin_with_too_few_errors_is_joined(counts, edges):
    groups = zip(counts, (0.5, 0.95, 0.995), (1.0, 1.0, 1.0))
    assert fitted(*groups).edges.tolist() == edges


def test_variances_are_never_less_than_can_be_measured():
    assert fitted((5, 0.5, 0.0)).variances[0] == pytest.approx(LEAST)


def test_without_errors_the_variances_are_wide():
    empty = CovarianceTable.fit(np.zeros(0), np.zeros((0, 6)))
    assert empty.variances.tolist() == [[25.0, 25.0, 25.0, 0.1, 0.1, 0.1]]


def test_thick_tails_enlarge_the_variances_in_the_plane_alone():
    found = fitted((90, 0.5, 1.0), (10, 0.5, 20.0))
    # Of the errors 10 % lie at 20 m, so that the 95 % ellipse has to reach there.
    along = 20.0**2 / 5.991
    enlarged = along / ((90 * 1 + 10 * 400) / 100)
    assert found.variances[0, :2] == pytest.approx([along, 0.01 * enlarged], rel=1e-3)
    assert found.variances[0, 2:] == pytest.approx(LEAST[2:])


def test_the_ellipse_is_of_both_errors_in_the_plane():
    errors = np.zeros((100, 6))
    errors[:, :2] = 1.0
    errors[:10, :2] = 20.0
    mean = (90 + 10 * 400) / 100
    expected = mean * (2 * 400 / mean) / 5.991
    found = CovarianceTable.fit(np.full(100, 0.5), errors)
    assert found.variances[0, :2] == pytest.approx([expected] * 2, rel=1e-3)


def test_the_variance_along_the_road_is_at_least_that_of_the_spacing():
    narrow = table(along=1.0, across=0.5)
    variances, plane = narrow.covariance(0.5, planar(0, yaw_deg=90), spacing_m=12.0)
    assert variances == pytest.approx((0.5, 12.0, 0.25, 0.01, 0.02, 0.03))
    assert plane == pytest.approx((0.5, 0.0, 12.0))
    assert narrow.covariance(0.5, planar(0), 3.0)[0][0] == pytest.approx(1.0)


@given(st.floats(-7, 7), st.floats(0.01, 100), st.floats(0.01, 100))
def test_the_covariance_is_turned_with_the_heading(yaw, along, across):
    turned = table(along, across).covariance(0.5, Pose.planar(0, 0, yaw), 0.0)
    (xx, yy, *_), (xx_again, xy, yy_again) = turned
    assert (xx, yy) == (xx_again, yy_again)
    axes = Rotation.from_euler('z', yaw).as_matrix()[:2, :2]
    expected = axes @ np.diag([along, across]) @ axes.T
    np.testing.assert_allclose([[xx, xy], [xy, yy]], expected, atol=1e-9 * (along + across))
    assert np.linalg.eigvalsh([[xx, xy], [xy, yy]]).min() > 0


def test_covariance_follows_the_road_where_errors_are_random():
    errors = np.random.default_rng(0).normal(0, [2.0, 0.5, 0.1, 0.01, 0.01, 0.05], (500, 6))
    found = CovarianceTable.fit(np.full(500, 0.95), errors)
    variances, (xx, xy, yy) = found.covariance(0.95, planar(0, yaw_deg=90), spacing_m=3.0)
    assert (yy, xx) == pytest.approx((4.0, 0.25), rel=0.25)
    assert variances[:2] == (xx, yy)
    assert abs(xy) < 1e-9


def test_a_table_comes_back_as_it_was():
    found = fitted((30, 0.5, 3.0), (30, 0.95, 2.0))
    read = CovarianceTable.from_json(found.as_json())
    assert (read.edges.tolist(), read.variances.tolist()) == tuple(found.as_json().values())


@pytest.mark.parametrize(
    ('values', 'words'),
    [
        ({'edges': [0.0, 0.9], 'variances': [[1.0] * 6]}, 'expected 2 rows of 6'),
        ({'edges': [0.0], 'variances': [[1.0] * 5]}, 'expected 1 rows of 6'),
        ({'edges': [], 'variances': np.zeros((0, 6))}, 'expected 0 rows'),
        ({'edges': [0.0], 'variances': [[1.0] * 5 + [0.0]]}, 'above 0'),
        ({'edges': [0.0], 'variances': [[1.0] * 5 + [np.inf]]}, 'finite'),
    ],
)
def test_what_is_no_table_is_refused(values, words):
    with pytest.raises(ValueError, match=words):
        CovarianceTable.from_json(values)


def test_an_error_is_the_truth_seen_from_the_pose():
    turn = Rotation.from_euler('xyz', [0.1, 0.2, 0.3])
    missed = Pose(4.0, 5.0, 6.0, *turn.as_quat())
    poses = [planar(1.0, 2.0, 90.0), planar(7.0, -3.0, 10.0)]
    found = pose_errors(poses, [planar(0.0, 5.0, 100.0), poses[1] @ missed])
    expected = [[3.0, 1.0, 0.0, 0.0, 0.0, np.radians(10)], [4.0, 5.0, 6.0, 0.1, 0.2, 0.3]]
    np.testing.assert_allclose(found, expected, atol=1e-9)
