"""The node's work without ROS: what it lets through, what it counts, what it survives."""

import json
import threading
import time
from types import SimpleNamespace

from builders import BACK, FRONT, planar, START_NS
from husky_placerec.config import make_config
from husky_placerec.data.pairing import FramePairer
from husky_placerec.errors import InputError
from husky_placerec.ros.core import Core
from husky_placerec.ros.frame_gate import FrameGate, TOO_NEAR, TOO_OLD, TOO_SOON
from husky_placerec.ros.initial_pose import InitialPose
from husky_placerec.ros.listening import Listening
from husky_placerec.ros.mailbox import Mailbox
from husky_placerec.ros.travel import Travel
from husky_placerec.types import Frame, Measurement, Recognition, SECOND_NS
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

MS = SECOND_NS // 1000
PIXELS = np.zeros((4, 4, 3), np.uint8)


def frame(stamp_ns=START_NS, images=(FRONT, BACK)):
    return Frame(stamp_ns, dict.fromkeys(images, 'good'), dict.fromkeys(images, stamp_ns))


def recognition(stamp_ns=START_NS, accepted=True, x=0.0, covariance=(1.0,) * 6):
    said = Measurement(accepted, None, planar(x), 0.9, covariance)
    return Recognition(
        *(stamp_ns, {FRONT: stamp_ns}, accepted, None if accepted else 'ambiguous', ()),
        probability=0.9,
        covariance=covariance,
        measurement=said,
        estimate=planar(x),
    )


class FakeRecognizer:
    """Notes what reaches it, in order; fails at the stamps that it is told."""

    calibration = 'own'

    def __init__(self, fails=()):
        self.events, self.fails, self.threads = [], set(fails), set()

    def recognize(self, frame):
        self.threads.add(threading.get_ident())
        if frame.stamp_ns in self.fails:
            raise RuntimeError('broken inside')
        self.events.append(('frame', frame.stamp_ns))
        return recognition(frame.stamp_ns)

    def odometry(self, stamp_ns, pose):
        self.events.append(('odometry', stamp_ns))

    def forget(self):
        self.events.append(('forget', None))

    def configure(self, config):
        self.events.append(('configure', config.min_similarity))


def decode(message):
    if message == 'bad':
        raise InputError('12 bytes that do not decode as an image')
    return PIXELS


class Lines(list):
    write = list.append


@pytest.fixture
def make():
    """Return a function that makes a core around a fake recognizer, and starts it."""
    cores = []

    def making(parameters=None, fails=(), now_ns=lambda: START_NS):
        told, problems, log = [], [], Lines()
        core = Core(
            FakeRecognizer(fails),
            make_config(parameters or {}),
            decode,
            lambda recognition, _: told.append(recognition),
            now_ns=now_ns,
            problem=problems.append,
            log=log,
        )
        core.start()
        cores.append(core)
        return SimpleNamespace(
            core=core, told=told, problems=problems, log=log, events=core.recognizer.events
        )

    yield making
    for core in cores:
        core.stop()


def settle(core):
    """Wait until every frame is accounted for."""
    counters = core.counters
    end = time.monotonic() + 5
    while counters.frames > (
        counters.processed + counters.dropped + sum(counters.held_back.values())
    ):
        assert time.monotonic() < end
        time.sleep(0.001)


def store(core, *frames):
    for each in frames:
        core.store(each)
        settle(core)


def test_a_slow_reader_gets_the_newest_and_is_let_go_at_the_end():
    box = Mailbox()
    assert [box.put(item) for item in 'abc'] == [False, True, True]
    assert box.take() == 'c'
    assert box.close() is False
    assert box.take() is None


def test_an_exception_inside_recognition_costs_one_frame(make):
    made = make(fails={START_NS + 1})
    store(made.core, *(frame(START_NS + i) for i in range(3)))
    assert [r.stamp_ns for r in made.told] == [START_NS, START_NS + 2]
    assert made.core.counters.failures == 1
    assert made.problems == ['a frame failed: RuntimeError: broken inside']


def test_a_broken_image_is_a_camera_that_is_not_there(make):
    made = make()
    half = Frame(START_NS, {FRONT: 'bad', BACK: 'good'}, {FRONT: START_NS, BACK: START_NS + 5})
    none = Frame(START_NS, {FRONT: 'bad'}, {FRONT: START_NS})
    store(made.core, half, none)
    assert [r.stamp_ns for r in made.told] == [START_NS + 5]  # stamped as the one that is there
    assert made.core.counters.undecodable == 2
    assert made.core.counters.processed == 2


def test_a_frame_too_many_is_dropped_and_counted(make):
    made = make()
    with made.core._turn:  # the thread is kept from its work
        for i in range(5):
            made.core.store(frame(START_NS + i))
            time.sleep(0.005)
    settle(made.core)
    counters = made.core.counters
    assert counters.dropped == 3
    assert counters.processed == 2


def test_disabled_it_holds_everything_back_and_enabled_it_goes_on(make):
    made = make()
    made.core.enabled = False
    store(made.core, frame())
    made.core.enabled = True
    store(made.core, frame(START_NS + 1))
    assert [r.stamp_ns for r in made.told] == [START_NS + 1]
    assert made.core.counters.held_back == {'disabled': 1}


def test_what_reaches_the_recognizer_is_in_the_log_in_its_order(make):
    made = make()
    made.core.travel.add(START_NS - 10, planar(0.0))
    store(made.core, frame())
    made.core.forget()
    made.core.travel.add(START_NS + 10, planar(1.0))
    store(made.core, frame(START_NS + 20))
    lines = [json.loads(line) for line in made.log]
    logged = []
    for line in lines:
        logged += [('forget', None)] * line['forgot']
        logged += [('odometry', int(pose[0])) for pose in line['odometry']]
        logged += [('frame', line['stamp_ns'])]
    assert logged == made.events
    assert lines[1]['odometry'] == [[START_NS + 10, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]]


def test_stopped_and_started_it_begins_anew_with_one_thread_at_work(make):
    made = make()
    store(made.core, frame())
    made.core.stop()
    assert not made.core.working
    made.core.start()
    store(made.core, frame(START_NS + 1))
    assert [event for event, _ in made.events] == ['frame', 'forget', 'frame']


def test_a_log_that_cannot_be_written_does_not_cost_a_pose(make):
    made = make()
    made.core._log = SimpleNamespace(write=lambda _: (_ for _ in ()).throw(OSError('disk full')))
    store(made.core, frame())
    assert len(made.told) == 1
    assert 'disk full' in made.problems[0]


# --- which frames are let through -----------------------------------------------------------


def through(gate, stamps_ms, now_ns=START_NS, metres=None):
    metres = metres or [None] * len(stamps_ms)
    stamps = [START_NS + ms * MS for ms in stamps_ms]
    return [gate.refuse(s, max(now_ns, s), m) for s, m in zip(stamps, metres)]


def test_by_default_every_frame_is_let_through():
    assert through(FrameGate(make_config({})), [0, 1, 2, -5000]) == [None] * 4


def test_two_in_a_second_of_their_stamps():
    gate = FrameGate(make_config({'max_rate': 2.0}))
    assert through(gate, [0, 100, 480, 600, 980]) == [None, TOO_SOON, None, TOO_SOON, None]


def test_a_bag_that_loops_is_not_too_soon():
    gate = FrameGate(make_config({'max_rate': 2.0}))
    assert through(gate, [5000, 0, 100]) == [None, None, TOO_SOON]


@pytest.mark.parametrize(
    ('age_s', 'reason'), [(0.5, None), (3, TOO_OLD), (3600, None), (-5, None)]
)
def test_old_frames_are_held_back_but_a_replay_is_not(age_s, reason):
    gate = FrameGate(make_config({'max_age': 1.0}))
    assert gate.refuse(START_NS, START_NS + round(age_s * SECOND_NS), None) == reason


def test_a_robot_that_stands_is_recognised_once():
    gate = FrameGate(make_config({'min_travel': 2.0}))
    metres = [0.0, 0.5, 1.9, 2.1, 2.2, None, 2.3]  # for a moment the odometry is gone
    expected = [None, TOO_NEAR, TOO_NEAR, None, TOO_NEAR, None, None]
    assert through(gate, range(0, 700, 100), metres=metres) == expected


def test_metres_are_summed_a_jump_is_none_and_old_news_is_no_news():
    travel = Travel()
    for i, x in enumerate([0.0, 1.0, 2.0, 102.0, 103.0]):
        assert travel.add(START_NS + i * 100 * MS, planar(x))
    assert travel.metres(START_NS + 400 * MS) == pytest.approx(3.0)
    assert travel.metres(START_NS + 10 * SECOND_NS) is None
    assert len(travel.news()) == 5
    assert travel.news() == []
    assert travel.pose_at(START_NS + 50 * MS).x == pytest.approx(0.5)
    assert travel.pose_at(START_NS - 50 * MS) is None
    assert not travel.add(START_NS + SECOND_NS, planar(float('nan')))


# --- an initial pose ------------------------------------------------------------------------


def given_poses(parameters, recognitions, listeners=1, calibration='own', asks=()):
    initial = InitialPose(make_config(parameters))
    initial.activated()
    poses = []
    for i, each in enumerate(recognitions):
        if i in asks:
            initial.ask()
        pose = initial.take(each, calibration, listeners)
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
    initial = InitialPose(make_config(ONCE))
    initial.activated()
    assert initial.take(recognition(x=0.0), 'own', 0) is None
    assert initial.take(recognition(x=1.0), 'own', 1).x == 1.0
    initial.ask()
    assert initial.take(recognition(x=5.0), 'own', 1) is None
    assert initial.take(recognition(x=12.0), 'own', 1).x == 12.0


# --- what an input says of itself -----------------------------------------------------------


def heard(*ages_s, stamps=None):
    listening = Listening('/front', 'sensor_msgs/msg/Image')
    for i, age_s in enumerate(ages_s):
        stamp_ns = START_NS + i if stamps is None else stamps[i]
        listening.heard(stamp_ns, stamp_ns + round(age_s * SECOND_NS))
    return listening


@pytest.mark.parametrize(
    ('listening', 'words'),
    [
        (lambda: heard(0.1), []),
        (lambda: heard(3.2), ['stamps are 3.2 s old', 'clocks']),
        (lambda: heard(-2.0), ['2.0 s ahead', 'synchronise']),
        (lambda: heard(1e6), ['replay without /clock', 'use_sim_time']),
        (lambda: heard(1e6, stamps=[0]), ['stamps are zero', 'header.stamp']),
        (lambda: heard(*[0.1] * 9, stamps=[START_NS] * 9), ['do not advance']),
    ],
)
def test_odd_stamps_are_named_with_what_to_do(listening, words):
    problem = listening().problem(1, [])
    assert bool(problem) == bool(words)
    assert all(word in problem for word in words), problem


@pytest.mark.parametrize(
    ('publishers', 'kinds', 'incompatible', 'words'),
    [
        (0, [], '', ['publishers seen 0', 'start the driver']),
        (1, [], '', ['publishers seen 1', 'silent']),
        (1, [], 'reliability', ['QoS incompatible', 'qos_overrides./front.subscription']),
        (1, ['sensor_msgs/msg/CompressedImage'], '', ['CompressedImage', 'transport']),
    ],
)
def test_silence_is_explained(publishers, kinds, incompatible, words):
    listening = Listening('/front', 'sensor_msgs/msg/Image', incompatible=incompatible)
    listening._since -= 10
    problem = listening.problem(publishers, kinds)
    assert listening.silent
    assert 'no messages on /front for 10.' in problem
    assert all(word in problem for word in words), problem


# --- random sequences -----------------------------------------------------------------------

# Of the faults that cameras have: (camera, by how much its stamps advance in ms, its image).
FAULT = st.tuples(
    st.sampled_from([FRONT, BACK]),
    st.sampled_from([0, 1, 33, 33, 33, 33, 200, 1500, 3_600_000, -500, -5000]),
    st.sampled_from(['good', 'good', 'good', 'bad']),
)


def recovers(camera_frames, clock_ms):
    """Say whether healthy cameras, later than all before, are paired again."""
    stamps = [START_NS + (clock_ms + 33 * i) * MS for i in range(200)]
    for stamp_ns in stamps:
        for camera in (FRONT, BACK):
            camera_frames(camera, stamp_ns, 'good')
    return stamps[-2]


@settings(max_examples=150, deadline=None)
@given(st.lists(FAULT, max_size=60))
def test_whatever_cameras_do_pairs_come_again_when_they_are_well(faults):
    pairer = FramePairer([FRONT, BACK])
    clocks, frames = {FRONT: 0, BACK: 0}, []

    def add(camera, stamp_ns, image):
        made = pairer.add(camera, stamp_ns, image)
        for each in made:
            spread = max(each.image_stamps_ns.values()) - min(each.image_stamps_ns.values())
            assert spread <= pairer.slop_ns
            assert each.stamp_ns == next(iter(each.image_stamps_ns.values()))
        frames.extend(made)

    for camera, step_ms, image in faults:
        clocks[camera] += step_ms
        add(camera, START_NS + clocks[camera] * MS, image)
    waiting = sum(len(pairer._camera[c].waiting) for c in (FRONT, BACK))
    assert waiting <= 2 * pairer.queue_size
    last = recovers(add, max(clocks.values()) + 10_000)
    pairs = [f for f in frames if f.stamp_ns >= last and len(f.images) == 2]
    assert pairs


@settings(max_examples=40, deadline=None)
@given(
    st.lists(FAULT, max_size=40),
    st.lists(st.sampled_from(['forget', 'enable', 'disable', 'odometry', 'configure', 'restart'])),
    st.sets(st.integers(0, 60)),
)
def test_whatever_happens_every_frame_is_accounted_for_and_the_core_goes_on(faults, calls, fails):
    told = []
    recognizer = FakeRecognizer()
    core = Core(recognizer, make_config({}), decode, lambda r, _: told.append(r))
    core.start()
    pairer, clocks = FramePairer([FRONT, BACK]), {FRONT: 0, BACK: 0}

    def add(camera, stamp_ns, image):
        for each in pairer.add(camera, stamp_ns, image):
            core.store(each)

    act = {
        'forget': core.forget,
        'enable': lambda: setattr(core, 'enabled', True),
        'disable': lambda: setattr(core, 'enabled', False),
        'odometry': lambda: core.travel.add(START_NS + clocks[FRONT] * MS, planar(1.0)),
        'configure': lambda: core.configure(make_config({'max_rate': 5.0})),
        'restart': lambda: (core.stop(), core.start()),
    }
    for i, (camera, step_ms, image) in enumerate(faults):
        clocks[camera] += step_ms
        if i in fails:
            recognizer.fails.add(START_NS + clocks[camera] * MS)
        if i < len(calls):
            act[calls[i]]()
        add(camera, START_NS + clocks[camera] * MS, image)
    core.enabled = True
    core.configure(make_config({}))
    told.clear()
    recovers(add, max(clocks.values()) + 10_000)
    settle(core)
    core.stop()
    assert told
    assert core.counters.processed + core.counters.dropped <= core.counters.frames
