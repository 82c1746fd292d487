"""When a localizer is given a pose to start from, and when not."""

from husky_placerec.config import make_config
from husky_placerec.session.initial_pose import InitialPose
import pytest
from support.sessions import recognition


def given_poses(parameters, recognitions, listeners=1, calibration='own', asks=()):
    initial, config = InitialPose(), make_config(parameters)
    initial.activated(config)
    poses = []
    for i, each in enumerate(recognitions):
        if i in asks:
            initial.ask(config)
        pose = initial.take(each, calibration, listeners, config)
        poses.append(None if pose is None else pose.x)
    return poses


ONCE = {'initial_pose': 'once'}


@pytest.mark.parametrize(
    ('mode', 'asks', 'expected'),
    [
        ('off', (), [None, None, None]),
        ('off', (1,), [None, None, None]),
        ('once', (), [0.0, None, None]),
        ('once', (2,), [0.0, None, 100.0]),
        ('relocalize', (), [None, None, None]),
        ('relocalize', (1,), [None, 50.0, None]),
    ],
)
def test_a_pose_is_given_when_it_is_due(mode, asks, expected):
    drive = [recognition(x=x) for x in (0.0, 50.0, 100.0)]
    assert given_poses({'initial_pose': mode}, drive, asks=asks) == expected


@pytest.mark.parametrize(
    'against',
    [
        {'recognitions': [recognition(accepted=False)]},
        {'recognitions': [recognition(covariance=None)]},
        {'recognitions': [recognition(covariance=(100.0,) * 6)]},
        {'recognitions': [recognition()], 'listeners': 0},
        {'recognitions': [recognition()], 'calibration': 'uncalibrated'},
    ],
)
def test_no_pose_is_given_that_something_speaks_against(against):
    assert given_poses(ONCE, **against) == [None]


def test_it_waits_for_a_subscriber_and_never_repeats_itself_within_some_metres():
    initial, config = InitialPose(), make_config(ONCE)
    initial.activated(config)
    assert initial.take(recognition(x=0.0), 'own', 0, config) is None
    assert initial.take(recognition(x=1.0), 'own', 1, config).x == 1.0
    initial.ask(config)
    assert initial.take(recognition(x=5.0), 'own', 1, config) is None
    assert initial.take(recognition(x=12.0), 'own', 1, config).x == 12.0
