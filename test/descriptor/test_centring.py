"""Centring by session: the means of tracks, and the running mean of queries."""

from husky_placerec.descriptor.centring import (
    Centring,
    LEAST_CHANGE,
    MEMORY,
    PRIOR,
    RunningMean,
)
import numpy as np
import pytest

PLACES = 60


def unit(vectors):
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.where(norms > 0, norms, 1)).astype(np.float32)


def views(seed=0, count=PLACES, common=1.0):
    """Make [N, 2, 8] unit vectors around a direction that all share."""
    rng = np.random.default_rng(seed)
    return unit(rng.normal(size=(count, 2, 8)) + common * np.arange(16).reshape(2, 8) / 4)


def fitted(seen, tracks=None):
    return Centring.fit(seen, seen.any(axis=2), tracks or ['day'] * len(seen))


def test_the_mean_of_each_track_and_camera_is_subtracted():
    seen = np.concatenate([views(1), views(2, common=-1.0)])
    made = fitted(seen, ['a'] * PLACES + ['b'] * PLACES)
    centred = made.centre(np.arange(len(seen)), seen)
    assert np.abs(seen[:PLACES].mean(axis=0)).max() > 0.4
    # The prior of PRIOR places of all tracks is all that remains of the mean.
    expected = seen[:PLACES] - (PLACES * seen[:PLACES].mean(0) + PRIOR * seen.mean(0)) / (
        PLACES + PRIOR
    )
    assert np.allclose(centred[:PLACES], unit(expected), atol=1e-5)
    assert np.allclose(np.linalg.norm(centred, axis=2), 1, atol=1e-5)


def test_an_absent_camera_stays_zero_and_does_not_count():
    seen = views()
    whole = fitted(seen)
    seen[::2, 1] = 0
    part = fitted(seen)
    assert not part.centre(np.arange(PLACES), seen)[::2, 1].any()
    assert np.allclose(part.means[0, 0], whole.means[0, 0])
    assert np.allclose(part.start[1], seen[1::2, 1].mean(axis=0), atol=1e-5)


def test_products_with_the_means_follow_places_and_queries():
    seen = np.concatenate([views(1), views(2)])
    made = fitted(seen, ['a'] * PLACES + ['b'] * PLACES)
    places, queries = np.array([3, PLACES + 4, 5]), views(3, 2)[:, 0]
    expected = np.einsum('ad,kcd->akc', queries, made.means[made.track[places]])
    assert np.allclose(made.offsets(places, queries), expected.reshape(2, -1), atol=1e-5)


@pytest.mark.parametrize(('common', 'least', 'most'), [(3.0, 0.8, 1.0), (0.0, 0.0, 0.1)])
def test_the_common_share_tells_centred_descriptors_from_others(common, least, most):
    assert least <= fitted(views(common=common)).common <= most


def test_a_session_in_the_light_of_the_map_stays_at_its_mean():
    made = fitted(views())
    session, same = RunningMean(made), views(5)
    assert np.allclose(session.centre(same[0]), unit(same[0] - made.start), atol=1e-5)
    for frame in same[1:]:
        last = session.centre(frame)
    assert np.abs(last - unit(frame - made.start)).max() < 0.1


def test_a_session_in_another_light_leaves_the_mean_of_the_map():
    made, dusk = fitted(views(common=1.0)), views(7, 400, common=-2.0)
    session = RunningMean(made)
    found = np.array([session.centre(frame) for frame in dusk])
    far, near = np.linalg.norm(found[:2].mean(axis=0), axis=1), found[20:].mean(axis=0)
    assert far.min() > 0.8
    assert np.linalg.norm(near, axis=1).max() < 0.3


def test_it_follows_the_light_of_a_long_drive():
    session = RunningMean(fitted(views()))
    for light in (1.0, -1.0, 1.0):
        found = [session.centre(frame) for frame in views(3, 4 * MEMORY, common=light)]
        assert np.linalg.norm(np.mean(found[-MEMORY:], axis=0), axis=1).max() < 0.3


def test_a_standing_robot_does_not_move_the_mean():
    made = fitted(views())
    first, second = views(8, 2)
    moving, standing = RunningMean(made), RunningMean(made)
    moving.centre(first)
    for noise in range(500):
        jitter = 1e-3 * np.random.default_rng(noise).normal(size=first.shape)
        standing.centre(unit(first + jitter) if noise else first)
    assert np.allclose(moving.centre(second), standing.centre(second), atol=1e-5)


def test_the_change_of_view_that_counts_is_a_share_of_what_neighbours_differ():
    seen = views()
    cosines = (seen[1:] * seen[:-1]).sum(axis=2)
    made = fitted(seen)
    assert made.change == pytest.approx(float(np.median(1 - cosines)), abs=1e-6)

    def counted(angle):
        """Return whether a frame that is turned by an angle from the last one counts."""
        first = np.zeros((2, 8), np.float32)
        first[:, 0] = 1
        second = np.cos(angle) * first
        second[:, 1] = np.sin(angle)
        session, anew = RunningMean(made), RunningMean(made)
        for frame in (first, second, first):
            last = session.centre(frame)
        anew.centre(first)
        return not np.allclose(last, anew.centre(first), atol=1e-6)

    least = float(np.arccos(1 - LEAST_CHANGE * made.change))
    assert counted(least + 0.01)
    assert not counted(least - 0.01)


def test_a_frame_without_images_changes_nothing():
    session, other = RunningMean(fitted(views())), RunningMean(fitted(views()))
    blank, frame = np.zeros((2, 8), np.float32), views(9, 1)[0]
    assert not session.centre(blank).any()
    assert np.array_equal(session.centre(frame), other.centre(frame))
