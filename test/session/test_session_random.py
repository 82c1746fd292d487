"""Random sequences of all that cameras and callers do: frames come again, and none is lost."""

from husky_placerec.config import make_config
from husky_placerec.data.pairing import FramePairer
from husky_placerec.session import Observer, Session
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import BACK, FRONT, MS, planar, START_NS
from support.sessions import decode, FakeRecognizer, settle

NEEDS = ('hypothesis',)

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


class Telling(Observer):
    """Keeps the recognitions."""

    def __init__(self, told):
        self.recognized = lambda recognition, _: told.append(recognition)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(FAULT, max_size=40),
    st.lists(st.sampled_from(['forget', 'enable', 'disable', 'odometry', 'configure', 'restart'])),
    st.sets(st.integers(0, 60)),
)
def test_whatever_happens_every_frame_is_accounted_for_and_the_core_goes_on(faults, calls, fails):
    told = []
    recognizer = FakeRecognizer()
    session = Session(recognizer, make_config({}), decode=decode, observer=Telling(told))
    session.start()
    pairer, clocks = FramePairer([FRONT, BACK]), {FRONT: 0, BACK: 0}

    def add(camera, stamp_ns, image):
        for each in pairer.add(camera, stamp_ns, image):
            session.store(each)

    act = {
        'forget': session.begin_anew,
        'enable': lambda: session.enable(True),
        'disable': lambda: session.enable(False),
        'odometry': lambda: session.add_odometry(START_NS + clocks[FRONT] * MS, planar(1.0)),
        'configure': lambda: session.configure(make_config({'max_rate': 5.0})),
        'restart': lambda: (session.stop(), session.start()),
    }
    for i, (camera, step_ms, image) in enumerate(faults):
        clocks[camera] += step_ms
        if i in fails:
            recognizer.fails.add(START_NS + clocks[camera] * MS)
        if i < len(calls):
            act[calls[i]]()
        add(camera, START_NS + clocks[camera] * MS, image)
    session.enable(True)
    session.configure(make_config({}))
    told.clear()
    recovers(add, max(clocks.values()) + 10_000)
    settle(session)
    session.stop()
    assert told
    assert session.counters.processed + session.counters.dropped <= session.counters.frames
