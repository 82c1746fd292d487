"""The decision by all frames: what a frame has to say, and by which errors a pose is known."""

from __future__ import annotations

from types import SimpleNamespace

from husky_placerec.config import make_config
from husky_placerec.recognition.evidence import ALL_EVIDENCE, EVIDENCE
from husky_placerec.recognition.odometry import Odometry
from husky_placerec.recognition.route import Route
from husky_placerec.recognition.route_filter import CAMERA_PROOF, RouteFilterSettings
from husky_placerec.recognition.sequence_estimator import SequenceEstimator
from husky_placerec.types import Candidate, Recognition, SECOND_NS
import numpy as np
import pytest
from support.builders import planar, SPACING_M, straight_map
from support.calibrations import calibration, evidence_of, model, table

RIGHT, STRANGE = 5.0, -3.0
FIRST = 50  # place where the drives begin
BOTH = np.eye(2, 16, dtype=np.float32)
FRONT_ALONE = BOTH * np.array([[1], [0]], np.float32)
NOTHING = np.zeros_like(BOTH)
# Without factors that a test does not ask about: one frame a step, no proof needed.
PLAIN = {'leave_after': 1e6, 'jump_after': 1e6}


@pytest.fixture(scope='module')
def route():
    return Route(straight_map())


def seen_at(place, ratio=RIGHT, query=BOTH, reverse=False, others=STRANGE, pose=None):
    """Make the search result of a frame that looks like one place."""

    def evidence(places, ways):
        near = (np.abs(np.asarray(places) - place) <= 1) & (np.asarray(ways) == reverse)
        return np.array([evidence_of(ratio if each else others) for each in near])

    def posed(at, way):
        return planar(SPACING_M * at, 0.0, 180.0 * way) if pose is None else pose

    return SimpleNamespace(
        query=query,
        best=Candidate(place, 0.9, reverse, planar(SPACING_M * place)),
        states=(np.array([place]), np.array([reverse])),
        evidence=evidence,
        evidence_of=lambda at, way: evidence([at], [way])[0],
        pose=posed,
        candidate=lambda at, way: Candidate(at, 0.8, way, planar(SPACING_M * at)),
        compare=lambda states: None,
        metric_near=lambda at, way: None,
    )


class Drive:
    """A robot that drives along the straight map, a place a second, and says what it thinks."""

    def __init__(self, route, parameters=None, by_odometry=True, **changes):
        self.odometry, self.second, self.x = Odometry(), 0, SPACING_M * FIRST
        self.by_odometry = by_odometry
        self.config = make_config({**PLAIN, **(parameters or {})})
        made = calibration(**changes)
        self.estimator = SequenceEstimator(route, made, self.config, self.odometry)

    def step(self, place, metres=SPACING_M, reason=None, **seen):
        """Drive on and see what looks like a place."""
        if self.second:
            self.x += metres
        stamp_ns = self.second * SECOND_NS
        if self.by_odometry:
            self.odometry.add(stamp_ns, planar(self.x))
            self.odometry.take_new()
        self.second += 1
        single = Recognition(stamp_ns, {}, reason is None, reason, (), probability=0.5)
        return self.estimator.update(single, seen_at(place, **seen))

    def along(self, count=8, **seen):
        """Drive along the map; return the last decision."""
        for number in range(count):
            said = self.step(FIRST + number, **seen)
        return said


def test_a_drive_along_the_map_is_accepted_with_all_of_the_estimate(route):
    said = Drive(route).along()
    assert said.accepted and said.reason is None
    assert said.state == 'LOCALIZED'
    assert said.probability > 0.98
    assert said.proof > 15
    assert said.chosen.place == FIRST + 7 and said.chosen.reversed is False
    assert said.estimate.x == pytest.approx(SPACING_M * (FIRST + 7))


@pytest.mark.parametrize('contradiction', [0.0, 2.0, 3.0])
def test_a_frame_that_speaks_against_the_pose_gives_none(route, contradiction):
    for ratio, accepted in ((-contradiction + 1e-3, True), (-contradiction - 1e-3, False)):
        drive = Drive(route, {'contradiction': contradiction})
        drive.along()
        said = drive.step(FIRST + 8, ratio=ratio)
        assert said.state == 'LOCALIZED'
        assert said.accepted == accepted
        assert said.reason == (None if accepted else 'waiting_for_sequence')


@pytest.mark.parametrize(('ratio', 'accepted'), [(1e-3, True), (0.0, False), (-1e-3, False)])
def test_without_odometry_the_frame_has_to_support_the_pose(route, ratio, accepted):
    drive = Drive(route, {'usual_speed': SPACING_M}, by_odometry=False)
    for number in range(8):  # an opposed view has changed by more than the time allows
        drive.step(FIRST + number, query=BOTH * (-1) ** number)
    said = drive.step(FIRST + 8, ratio=ratio)
    assert said.state == 'LOCALIZED'
    assert said.accepted == accepted


@pytest.mark.parametrize(('query', 'share'), [(BOTH, 1.0), (FRONT_ALONE, 0.5**0.75)])
def test_one_camera_of_two_supports_a_place_less(route, query, share):
    said = Drive(route).step(FIRST, ratio=2.0, query=query)
    assert said.proof == pytest.approx(share * 2.0)


def test_one_camera_of_two_speaks_against_a_place_as_much(route):
    proofs = []
    for query in (BOTH, FRONT_ALONE):
        drive = Drive(route, {'contradiction': 100.0})
        drive.along()
        proofs.append(drive.step(FIRST + 8, ratio=-1.0, query=query).proof)
    assert proofs[0] == pytest.approx(proofs[1])


@pytest.mark.parametrize(('query', 'ratio'), [(BOTH, 3.0), (FRONT_ALONE, 1.0)])
def test_a_state_is_born_by_the_gate_of_the_cameras_that_are_there(route, query, ratio):
    """The prior is 0.5 off the map; the best candidate receives 0.8 of the rest."""
    drive = Drive(route, partial=model(bias=-2.0))
    said = drive.step(FIRST, ratio=3.0, query=query)
    born = 0.5 * 0.8 * np.exp(ratio)
    assert said.probability == pytest.approx(born / (born + 0.5 * 0.2 + 0.5))


def test_a_frame_without_candidates_bears_no_state(route):
    drive = Drive(route)
    nothing = seen_at(FIRST)
    nothing.best, nothing.states = None, (np.zeros(0, np.int64), np.zeros(0, bool))
    nothing.evidence = lambda places, ways: np.zeros((0, len(ALL_EVIDENCE)))
    single = Recognition(0, {}, True, None, ())
    said = drive.estimator.update(single, nothing)
    assert (said.accepted, said.estimate, said.state) == (False, None, 'LOST')
    assert said.reason == 'waiting_for_sequence'


def test_without_an_image_only_the_motion_is_known(route):
    drive = Drive(route)
    drive.along()
    blind = drive.step(FIRST + 8, query=NOTHING, reason='image_unusable')
    assert (blind.accepted, blind.reason, blind.state) == (False, 'image_unusable', 'LOCALIZED')
    assert blind.probability is None and blind.covariance is None and blind.covariance_xy is None
    assert blind.chosen is None
    said = drive.step(FIRST + 9)
    assert said.accepted
    assert said.chosen.place == FIRST + 9


def test_a_robot_that_stands_keeps_its_pose_and_gains_no_proof(route):
    drive = Drive(route)
    proof = drive.along().proof
    for metres in (0.3, 0.3):
        said = drive.step(FIRST + 7, metres=metres)
    assert said.accepted
    assert said.proof == proof
    assert said.estimate.x == pytest.approx(SPACING_M * (FIRST + 7) + 0.6)
    after = drive.step(FIRST + 8, metres=SPACING_M - 0.6)
    assert after.proof > proof
    assert after.estimate.x == pytest.approx(SPACING_M * (FIRST + 8))


@pytest.mark.parametrize(
    ('by_odometry', 'reverse', 'along'),
    [(True, False, 30.0), (False, False, 40.0), (True, True, 60.0), (False, True, 50.0)],
)
def test_each_kind_of_pose_has_errors_of_its_own(route, by_odometry, reverse, along):
    drive = Drive(
        route,
        by_odometry=by_odometry,
        single_errors=table(20.0),
        sequence_errors=table(30.0),
        guessed_errors=table(40.0),
        reversed_errors=table(50.0),
        reversed_sequence_errors=table(60.0),
    )
    drive.step(FIRST, reverse=reverse)
    said = drive.step(FIRST - 1 if reverse else FIRST + 1, reverse=reverse, query=-BOTH)
    assert said.chosen.reversed is reverse
    assert said.covariance[0] == pytest.approx(along)
    assert said.covariance_xy[0] == pytest.approx(along)


def test_the_first_pose_has_the_errors_of_a_pose_without_odometry(route):
    drive = Drive(route, sequence_errors=table(30.0), guessed_errors=table(40.0))
    assert drive.step(FIRST).covariance[0] == pytest.approx(40.0)


def test_the_error_along_the_road_is_at_least_that_of_the_spacing(route):
    drive = Drive(route, guessed_errors=table(along=0.1))
    assert drive.step(FIRST).covariance[0] == pytest.approx(SPACING_M**2 / 12)


def test_a_pose_to_which_the_robot_cannot_have_driven_is_refused(route):
    drive = Drive(route)
    drive.along()
    far = planar(SPACING_M * FIRST - 100.0)
    said = drive.step(FIRST + 8, pose=far)
    assert (said.accepted, said.reason) == (False, 'motion_disagrees')
    assert said.state == 'LOCALIZED'
    standing = drive.step(FIRST + 8, metres=0.1)
    assert (standing.accepted, standing.reason) == (False, 'motion_disagrees')


def test_a_lost_robot_is_not_held_to_the_pose_that_it_had(route):
    drive = Drive(route, {'leave_after': 100.0})
    drive.along()
    said = [drive.step(150, ratio=STRANGE) for _ in range(8)]
    lost = [each for each in said if each.state == 'LOST']
    assert {63, 152} <= {each.chosen.place for each in lost}
    for each in lost:
        assert each.estimate.x == pytest.approx(SPACING_M * each.chosen.place)


def test_off_the_map_the_place_is_unknown(route):
    drive = Drive(route, {'leave_after': 100.0})
    drive.along()
    for _ in range(5):
        said = drive.step(150, ratio=STRANGE, reason='low_similarity')
    assert (said.state, said.reason) == ('LOST', 'unknown_place')


@pytest.mark.parametrize(
    ('reason', 'expected'), [('ambiguous', 'ambiguous'), (None, 'waiting_for_sequence')]
)
def test_a_robot_lost_on_the_map_has_the_reason_of_the_frame(route, reason, expected):
    """With evidence of 0 the weights are 0.4 of a place, 0.1 elsewhere and 0.5 off the map."""
    said = Drive(route).step(FIRST, ratio=1e-9, reason=reason)
    assert said.state == 'LOST'
    assert (said.accepted, said.reason) == (False, expected)
    assert said.probability == pytest.approx(0.4)


def test_a_pose_that_lacks_proof_waits_for_the_sequence(route):
    said = Drive(route, proof=10.0).step(FIRST, reason='ambiguous')
    assert (said.state, said.accepted) == ('TENTATIVE', False)
    assert said.reason == 'waiting_for_sequence'


@pytest.mark.parametrize(
    ('by_odometry', 'proof', 'guessed_proof', 'state'),
    [
        (True, 1.0, 1e3, 'LOCALIZED'),
        (False, 1.0, 1e3, 'TENTATIVE'),
        (True, 1e3, 1.0, 'TENTATIVE'),
        (False, 1e3, 1.0, 'LOCALIZED'),
    ],
)
def test_the_proof_is_that_of_what_tells_the_motion(
    route, by_odometry, proof, guessed_proof, state
):
    drive = Drive(
        route,
        {'usual_speed': SPACING_M},
        by_odometry=by_odometry,
        proof=proof,
        guessed_proof=guessed_proof,
    )
    for number in range(8):  # an opposed view has changed by more than the time allows
        said = drive.step(FIRST + number, query=BOTH * (-1) ** number)
    assert said.state == state


def test_the_required_proof_fades_where_a_camera_falls_out(route):
    drive = Drive(route, proof=8.0, guessed_proof=8.0)
    for number in range(3):
        drive.step(FIRST + number)
    assert drive.estimator.required_proof == 8.0
    asked = []
    for number in range(3, 30):
        drive.step(FIRST + number, query=FRONT_ALONE)
        asked.append(drive.estimator.required_proof)
    fades = np.exp(-SPACING_M / RouteFilterSettings().proof_m)
    shares = 0.5 + 0.5 * fades ** np.arange(1, 28)
    assert asked == pytest.approx((8.0 * shares**CAMERA_PROOF).tolist())
    assert 5.6 < asked[-1] < 6.2
    drive.step(FIRST + 30)
    assert drive.estimator.required_proof == 8.0


@pytest.mark.parametrize('by_odometry', [True, False])
def test_a_map_that_is_unfit_gives_no_pose(route, by_odometry):
    drive = Drive(
        route, {'usual_speed': SPACING_M, 'proof': 0.0}, by_odometry=by_odometry, grade='unfit'
    )
    for number in range(8):
        said = drive.step(FIRST + number, query=BOTH * (-1) ** number)
        assert (said.state == 'LOCALIZED', said.accepted) == (False, False)


def test_the_estimate_is_compared_locally_before_it_is_judged(route):
    drive = Drive(route, place=model(local={'bias': -9.0}))
    drive.along()
    result = seen_at(FIRST + 8)
    compared = []
    plain, result.compare = result.evidence, compared.extend

    def evidence(places, ways):
        rows = plain(places, ways)
        for row, state in zip(rows, zip(places, ways)):
            row[len(EVIDENCE) : len(ALL_EVIDENCE)] = 0.0 if state in compared else np.nan
        return rows

    result.evidence = evidence
    result.evidence_of = lambda place, way: evidence([place], [way])[0]
    drive.odometry.add(8 * SECOND_NS, planar(SPACING_M * (FIRST + 8)))
    drive.odometry.take_new()
    said = drive.estimator.update(Recognition(8 * SECOND_NS, {}, True, None, ()), result)
    assert compared == [(FIRST + 8, False)]
    assert said.state == 'LOCALIZED' and not said.accepted


def test_parameters_change_from_the_next_frame_on_and_the_belief_stays(route):
    drive = Drive(route, {'contradiction': 0.0})
    before = drive.along()
    drive.estimator.configure(make_config({**PLAIN, 'contradiction': 3.0, 'proof': 2.0}))
    said = drive.step(FIRST + 8, ratio=-1.0)
    assert said.accepted
    assert before.state == said.state == 'LOCALIZED'
    drive.estimator.configure(make_config({**PLAIN, 'localized_from': 1.0, 'lost_below': 1.0}))
    assert drive.step(FIRST + 9).state == 'TENTATIVE'


def test_the_usual_speed_is_a_parameter(route):
    distances = []
    for speed in (1.0, 2.0):
        drive = Drive(route, by_odometry=False)
        drive.estimator.configure(make_config({**PLAIN, 'usual_speed': speed}))
        drive.step(FIRST)
        drive.step(FIRST, metres=0.0, query=-BOTH)
        distances.append(drive.step(FIRST, ratio=1.0, query=-BOTH).estimate.x)
    assert distances[0] < distances[1]


def test_a_stamp_that_steps_back_is_told(route):
    drive = Drive(route)
    drive.along()
    assert drive.estimator.steps_back(5 * SECOND_NS)
    assert not drive.estimator.steps_back(6 * SECOND_NS)


def test_a_robot_that_is_found_again_is_not_held_to_a_pose_that_it_had_while_lost(route):
    drive = Drive(route, {'leave_after': 100.0})
    drive.along()
    for _ in range(15):
        lost = drive.step(150, ratio=STRANGE)
    assert lost.state == 'LOST'
    said = [drive.step(100 + number) for number in range(6)]
    assert said[0].estimate.x == pytest.approx(SPACING_M * said[0].chosen.place, abs=1.0)
    assert 'motion_disagrees' not in [each.reason for each in said]
