"""
The pose of a frame from landmarks: hypotheses of two matches, the best refined, and a verdict.

Inliers prove little by themselves: a house that repeats has many at a wrong place, nearly all of
them in one camera. So each of two cameras has to have some, and the gate and the sequence stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from husky_placerec.metric.correspondences import Correspondences, FrameKeyPoints
from husky_placerec.metric.hypotheses import Scorer, tilted, two_point_poses
from husky_placerec.metric.landmarks import Landmarks
from husky_placerec.metric.refinement import refine, Refined, Standing
from husky_placerec.types import Floats, Indices, Pose
import numpy as np
from scipy.spatial.transform import Rotation

LEAST_MATCHES = 10
FEW_SCORED = 150  # matches by which all hypotheses are scored first
KEPT, REFINED = 60, 6  # hypotheses that are scored by all matches, and that are refined
WIDE, WIDER = 3.0, 6.0  # tolerances of the scores, as multiples of that of inliers
HEIGHT_M, TILT = 0.3, np.radians(3.0)  # standard deviations where nothing measures them
TILT_DRAWN = np.radians(1.0)  # of the tilts that are drawn
GRAVITY = np.radians(0.3)  # standard deviation of a measured direction of gravity
LEAST_SIGMA_PX = 0.5
USUAL_NOISE_PX = 1.8  # of a map, from which an inlier may be farther off
TURNED_ROUND = np.diag([-1.0, -1.0, 1.0])

FEW_MATCHES, FEW_INLIERS, ONE_CAMERA = 'few_matches', 'few_inliers', 'one_camera'


@dataclass(frozen=True)
class SolverSettings:
    """
    The settings of a solver.

    :param hypotheses: pairs of matches that are tried; the time of a solution grows with them.
    :param least_inliers: different key points that a solution needs.
    :param least_of_camera: of them, in each of two cameras, where two see anything.
    :param tolerance_px: of an inlier.
    """

    hypotheses: int = 1500
    least_inliers: int = 30
    least_of_camera: int = 6
    tolerance_px: float = 3.0


@dataclass(frozen=True, eq=False)
class Solution:
    """
    The best pose of a frame beside a place.

    :param pose: None: there were too few matches.
    :param covariance: [6, 6] in the map frame, of x y z and of rotations about x y z; scaled as
        the map tells.
    :param inliers: [C] different key points of each camera.
    :param reason: why it is not accepted; None where it is.
    """

    pose: Pose | None
    covariance: Floats | None
    inliers: Indices
    matches: int
    reason: str | None

    @property
    def total(self) -> int:
        """The inliers of all cameras."""
        return int(self.inliers.sum())


@dataclass(frozen=True, eq=False)
class Solver:
    """
    Solves frames by the landmarks of a map.

    :param poses: [N, 7] of the places.
    :param opposites: for each camera the one that looks the other way; None: unknown.
    """

    landmarks: Landmarks
    poses: Floats
    opposites: tuple[int, ...] | None
    settings: SolverSettings = SolverSettings()

    def solve(
        self,
        frame: FrameKeyPoints,
        places: Sequence[int],
        reverse: bool,
        seed: int,
        up: Floats | None = None,
    ) -> Solution:
        """
        Return the best pose of a frame near some places.

        :param places: the nearest first; all near each other.
        :param reverse: the robot faces the other way than when they were mapped.
        :param seed: of the draws, so that the same frame gets the same pose each time.
        :param up: [3] the measured direction up in `base_link`; None: the robot is expected to
            stand as at the place.
        """
        cameras = len(frame.rig)
        opposite = self.opposites if reverse else None
        partners = tuple(range(cameras)) if opposite is None else opposite
        matches = frame.matches(self.landmarks, self.poses, places, partners)
        count = len(np.unique(matches.key_points))
        none = np.zeros(cameras, np.int64)
        if count < LEAST_MATCHES:
            return Solution(None, None, none, count, FEW_MATCHES)
        home = Rotation.from_quat(self.poses[places[0], 3:]).as_matrix()
        about, standing, mean = _expected(home, reverse, up)
        spread = GRAVITY if up is not None else TILT_DRAWN
        rng = np.random.default_rng(seed)
        begun = self._hypotheses(matches, about, mean, spread, rng)
        if begun is None:
            return Solution(None, None, none, count, FEW_INLIERS)
        refined = refine(matches, *begun, self._tolerance, standing)
        return self._judged(frame, matches, refined, count, places[0])

    @property
    def _tolerance(self) -> float:
        """Pixels; noisy maps need more."""
        return self.settings.tolerance_px * max(1.0, self.landmarks.spec.noise_px / USUAL_NOISE_PX)

    def _hypotheses(
        self,
        matches: Correspondences,
        about: Floats,
        mean: Floats,
        spread: float,
        rng: np.random.Generator,
    ) -> tuple[Floats, Floats] | None:
        """Return the best poses of pairs of matches; None where there are none."""
        pairs = rng.integers(0, len(matches), (self.settings.hypotheses, 2))
        pairs = pairs[matches.key_points[pairs[:, 0]] != matches.key_points[pairs[:, 1]]]
        tilts = tilted(rng, len(pairs), spread, mean)
        rotations, positions = two_point_poses(matches, pairs, tilts, about)
        if len(rotations) > KEPT and len(matches) > FEW_SCORED:
            few = matches.chosen(rng.permutation(len(matches))[:FEW_SCORED])
            scores = Scorer(few, WIDER * self._tolerance)(rotations, positions)
            best = np.argsort(-scores, kind='stable')[:KEPT]
            rotations, positions = rotations[best], positions[best]
        if not len(rotations):
            return None
        scores = Scorer(matches, WIDE * self._tolerance)(rotations, positions)
        best = np.argsort(-scores, kind='stable')[:REFINED]
        return rotations[best], positions[best]

    def _judged(
        self,
        frame: FrameKeyPoints,
        matches: Correspondences,
        refined: Refined,
        count: int,
        place: int,
    ) -> Solution:
        """Return the refined pose with the most inliers."""
        cameras, good = len(frame.rig), refined.errors < self._tolerance
        counts = np.array([matches.inliers(each, cameras) for each in good])
        best = int(counts.sum(axis=1).argmax())
        errors = refined.errors[best][good[best]]
        sigma = max(float(np.sqrt((errors**2).mean() / 2)) if len(errors) else 0, LEAST_SIGMA_PX)
        home = Pose.from_array(self.poses[place])
        turn = Rotation.from_matrix(refined.rotations[best])
        pose = home @ Pose.from_array([*refined.positions[best], *turn.as_quat()])
        spec = self.landmarks.spec
        formal = np.linalg.inv(refined.information[best]) * (sigma * spec.scale) ** 2
        of_map = np.repeat([spec.map_sigma_m, spec.map_sigma_rad], 3) ** 2
        covariance = _in_map(formal + np.diag(of_map), pose)
        reason = self._refused(counts[best], frame.seen)
        return Solution(pose, covariance, counts[best], count, reason)

    def _refused(self, inliers: Indices, seen: Sequence[int]) -> str | None:
        # A wide tolerance lets more matches agree by chance: as many as its area.
        wide = (self._tolerance / self.settings.tolerance_px) ** 2
        if inliers.sum() < self.settings.least_inliers * wide:
            return FEW_INLIERS
        enough = (inliers >= self.settings.least_of_camera).sum()
        return ONE_CAMERA if enough < min(2, len(seen)) else None


def _expected(home: Floats, reverse: bool, up: Floats | None) -> tuple[Floats, Standing, Floats]:
    """
    Return the frame in which yaw is counted, how the robot stands, and its mean tilt there.

    All are in the frame of the place, in which the landmarks are.
    """
    facing = TURNED_ROUND if reverse else np.eye(3)
    level = np.array([0.0, 0.0, 1.0])
    if up is None:
        return facing, Standing(level, level, HEIGHT_M, TILT), np.eye(3)
    gravity, measured = home[2], np.asarray(up) / np.linalg.norm(up)
    about = _between(level, gravity) @ facing
    standing = Standing(gravity, measured, HEIGHT_M, GRAVITY)
    return about, standing, _between(measured, level)


def _between(one: Floats, other: Floats) -> Floats:
    """Return the least rotation [3, 3] from one unit vector to another, which is near it."""
    axis = np.cross(one, other)
    sine = float(np.linalg.norm(axis))
    if sine < 1e-12:
        return np.eye(3)
    angle = np.arctan2(sine, float(one @ other))
    return np.asarray(Rotation.from_rotvec(axis / sine * angle).as_matrix())


def _in_map(covariance: Floats, pose: Pose) -> Floats:
    """Return a covariance of `base_link` in the axes of the map."""
    turn = np.zeros((6, 6))
    turn[:3, :3] = turn[3:, 3:] = pose.rotation.as_matrix()
    return np.asarray(turn @ covariance @ turn.T)
