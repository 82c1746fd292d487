"""Headings against the motion: those that no robot has are doubted, and no others."""

from __future__ import annotations

from husky_placerec.data.soundness.headings import doubts_of_headings, needs_odometry
import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from support.trajectories import directions, odometry_of, places, trajectory, turned

TURNING = pytest.mark.parametrize('route', ['loop', 'corner', 'block', 'slalom'])
ALL = pytest.mark.parametrize('route', ['straight', 'loop', 'corner', 'block', 'slalom'])
WITNESS = pytest.mark.parametrize('with_odometry', [False, True])
AHEAD = np.linspace(0, 1, 600)


def doubts(route, yaws, with_odometry=False, driven=None, **options):
    """Return kind and gravity of the doubts about headings on a route."""
    found = trajectory(places(route), yaws, **options)
    odometry = odometry_of(route, driven) if with_odometry else None
    return [(doubt.kind, doubt.grave) for doubt in doubts_of_headings(found, odometry)]


@TURNING
@WITNESS
def test_a_heading_that_never_turns_is_grave(route, with_odometry):
    assert doubts(route, np.zeros(600), with_odometry) == [('constant', True)]


@ALL
@WITNESS
@pytest.mark.parametrize('degrees', [90, -90, 120, 60])
def test_a_heading_at_one_angle_to_the_motion_is_grave(route, with_odometry, degrees):
    yaws = directions(route) + np.radians(degrees)
    assert doubts(route, yaws, with_odometry, noise_deg=5) == [('offset', True)]


def test_the_angle_and_its_side_are_named():
    yaws = directions('loop') + np.pi / 2
    (doubt,) = doubts_of_headings(trajectory(places('loop'), yaws), None)
    assert '90 degrees to the left of the direction of motion' in doubt.what
    assert '--heading motion' in doubt.remedy
    (doubt,) = doubts_of_headings(trajectory(places('loop'), yaws - np.pi), None)
    assert '90 degrees to the right' in doubt.what


@ALL
def test_a_smaller_angle_is_a_warning_and_a_slight_one_is_nothing(route):
    assert doubts(route, directions(route) + np.radians(30), noise_deg=5) == [('offset', False)]
    assert doubts(route, directions(route) + np.radians(12), noise_deg=5) == []


@TURNING
@WITNESS
def test_a_compass_course_is_mirrored(route, with_odometry):
    compass = np.pi / 2 - directions(route)
    assert doubts(route, compass, with_odometry, noise_deg=5) == [('mirrored', True)]


@pytest.mark.parametrize('route', ['loop', 'block', 'slalom'])
def test_headings_of_the_other_sign_are_mirrored(route):
    assert doubts(route, -directions(route), noise_deg=5) == [('mirrored', True)]


@ALL
def test_half_a_turn_all_the_way_is_a_warning_and_by_the_odometry_grave(route):
    yaws = directions(route) + np.pi
    assert doubts(route, yaws) == [('backwards', False)]
    assert doubts(route, yaws, with_odometry=True) == [('offset', True)]


@ALL
def test_a_robot_that_backs_all_the_way_is_believed_by_its_odometry(route):
    yaws = directions(route) + np.pi
    assert doubts(route, yaws, with_odometry=True, driven=yaws) == []


@ALL
@pytest.mark.parametrize('share', [0.1, 0.3, 0.5])
def test_a_robot_that_backs_now_and_then_is_not_doubted(route, share):
    backs = directions(route) + np.where(abs(AHEAD - 0.5) < share / 2, np.pi, 0)
    assert doubts(route, backs, noise_m=0.02, noise_deg=3) == []
    assert doubts(route, backs, True, backs, noise_m=0.02, noise_deg=3) == []


def test_a_corner_that_is_taken_backwards_is_not_mirrored():
    backs = directions('corner') + np.where(AHEAD > 0.5, np.pi, 0)
    assert doubts('corner', backs) == []


@ALL
@WITNESS
def test_the_direction_of_motion_of_a_robot_that_backed_is_doubted_by_its_odometry(
    route, with_odometry
):
    truly = directions(route) + np.where(abs(AHEAD - 0.5) < 0.15, np.pi, 0)
    found = doubts(route, directions(route), with_odometry, truly)
    assert found == ([('turned', False)] if with_odometry else [])


@ALL
@WITNESS
@pytest.mark.parametrize(
    'yaws',
    [0.8 * np.sin(9 * AHEAD), np.zeros(600), 18 * AHEAD],
    ids=['swings', 'holds its heading', 'spins'],
)
def test_a_robot_that_drives_sideways_is_not_doubted(route, with_odometry, yaws):
    """But for a straight drive all the way sideways, which nothing tells from a wrong angle."""
    if route == 'straight':
        yaws = yaws + 0.6
    noisy = yaws + np.radians(np.random.default_rng(1).normal(0, 1, 600))
    assert doubts(route, noisy, with_odometry, yaws + 0.001 * noisy, noise_m=0.02) == []


@ALL
@WITNESS
def test_noisy_fixes_and_headings_are_not_doubted(route, with_odometry):
    yaws = directions(route)
    assert doubts(route, yaws, with_odometry, noise_m=0.7, noise_deg=20) == []


def test_a_robot_that_stands_or_turns_on_the_spot_is_not_doubted():
    rng = np.random.default_rng(3)
    wander = np.cumsum(rng.normal(0, 0.02, (3000, 2)), axis=0)  # of fixes over ten minutes
    assert doubts_of_headings(trajectory(wander, np.zeros(3000), rate_hz=5), None) == []
    spot = rng.normal(0, 0.02, (600, 2))
    assert doubts_of_headings(trajectory(spot, 30 * AHEAD), None) == []


def test_a_short_drive_tells_nothing():
    short = trajectory(places('loop')[:40], directions('loop')[:40] + 2)
    assert doubts_of_headings(short, None) == []


def test_a_robot_that_goes_to_and_fro_on_a_line_is_not_doubted():
    along = 10 * abs((4 * AHEAD) % 2 - 1)
    flat = np.stack([along, np.zeros(600)], axis=1)
    assert doubts_of_headings(trajectory(flat, np.zeros(600)), None) == []


def test_places_five_metres_apart_are_judged_as_a_dense_drive():
    """A track of ITLP-Campus has a pose every 5 s and 5 m, with streets at right angles."""
    rng = np.random.default_rng(5)
    yaws = np.cumsum(rng.choice([0, 0, 0, 0.1, -0.1, np.pi / 2, -np.pi / 2], 600))
    flat = np.cumsum(5 * np.stack([np.cos(yaws), np.sin(yaws)], axis=1), axis=0)
    sparse = {'noise_m': 0.1, 'noise_deg': 5, 'rate_hz': 0.2}
    assert doubts_of_headings(trajectory(flat, yaws, **sparse), None) == []
    for wrong, kind in ((np.pi / 2 - yaws, 'mirrored'), (yaws + 2, 'offset')):
        (doubt,) = doubts_of_headings(trajectory(flat, wrong, **sparse), None)
        assert (doubt.kind, doubt.grave) == (kind, True)


def test_headings_of_noise_are_a_warning():
    yaws = np.random.default_rng(2).uniform(-np.pi, np.pi, 600)
    assert doubts('loop', yaws) == [('noisy', False)]


def test_headings_that_have_nothing_to_do_with_the_odometry_are_grave():
    yaws = 18 * AHEAD
    assert doubts('slalom', yaws) == []  # as of a robot that drives sideways
    assert doubts('slalom', yaws, with_odometry=True) == [('unrelated', True)]


YAWED = Rotation.from_euler('z', directions('loop')[:, None])
OPTICAL = Rotation.from_matrix([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])


@pytest.mark.parametrize(
    ('turns', 'word'),
    [
        (np.tile([1.0, 0.0, 0.0, 0.0], (600, 1)), 'begin with w'),
        (YAWED.as_quat()[:, [3, 0, 1, 2]], 'begin with w'),
        ((Rotation.from_euler('x', np.pi) * YAWED).as_quat(), 'north-east-down'),
        ((YAWED * OPTICAL).as_quat(), 'optical axes'),
    ],
    ids=['1 0 0 0', 'w x y z', 'z down', 'optical'],
)
def test_a_robot_that_does_not_stand_upright_is_grave(turns, word):
    (doubt,) = doubts_of_headings(turned(places('loop'), turns), None)
    assert (doubt.kind, doubt.grave) == ('lying', True)
    assert word in doubt.what


def test_a_hill_is_not_doubted():
    pitched = (YAWED * Rotation.from_euler('y', np.radians(25))).as_quat()
    assert doubts_of_headings(turned(places('loop'), pitched), None) == []


def test_the_odometry_is_read_only_where_it_can_tell_more():
    flat, yaws = places('loop'), directions('loop')
    assert not needs_odometry(trajectory(flat, yaws, noise_m=0.02, noise_deg=3))
    assert not needs_odometry(trajectory(flat[:20], yaws[:20] + 2))
    assert needs_odometry(trajectory(flat, yaws + 2))
    assert needs_odometry(trajectory(flat, 18 * AHEAD))


@pytest.mark.parametrize('what', ['constant', 'short', 'same topic'])
def test_an_odometry_that_cannot_tell_is_not_asked(what):
    yaws = directions('loop') + np.pi
    found = trajectory(places('loop'), yaws)
    odometry = odometry_of('loop')
    if what == 'constant':
        odometry = trajectory(places('loop'), np.zeros(600), source='wheels')
    elif what == 'short':
        odometry = odometry.kept(np.arange(600) < 30)
    else:
        odometry = found
    assert [doubt.kind for doubt in doubts_of_headings(found, odometry)] == ['backwards']
