"""The pose of a frame between the places of a map."""

from __future__ import annotations

from collections.abc import Callable

from husky_placerec.cameras.lever_arm import LeverArm
from husky_placerec.recognition.route import Route
from husky_placerec.types import Floats, Indices, Pose
import numpy as np

Similarities = Callable[[Indices], Floats]
STEPS = 2  # that the search for the best place takes along the track
WINDOW_M = 15.0  # before and after the best place
SOFT_M = 1.5  # of driving: a similarity lower by their loss has 1/e of the weight
COMPARED_M = 10.0  # within which compared places give the pose of a place
SOFT_AGREEMENT = 0.04  # a local agreement lower by it has 1/e of the weight


def interpolated_pose(
    poses: Floats,
    route: Route,
    place: int,
    reverse: bool,
    similarities: Similarities,
    arm: LeverArm = LeverArm(),
) -> Pose:
    """
    Return the mean of the poses around the best place, weighted by their similarity.

    `weight = exp((similarity - best) / (SOFT_M * similarity_loss_per_m))`. A frame between two
    equally similar places is thus placed half way. In fog or rain the similarity has a broad
    peak, whose middle is nearer to the truth than its highest place.

    :param poses: [N, 7] of the map's places.
    :param place: where to begin; the best place may be `STEPS` places away.
    :param reverse: the place is passed in reverse: the pose is turned by half a turn.
    :param similarities: returns [K] of places [K] to the frame.
    :param arm: of the robot that asks.
    """
    before, after = route.stretch(place, route.steps(WINDOW_M) + STEPS)
    around = [*before[::-1], place, *after]
    known = dict(zip(around, similarities(np.array(around, np.int64)).tolist()))  # all at once
    for _ in range(STEPS):
        near = [place, *route.neighbours(place).tolist()]
        best = max(near, key=known.__getitem__)
        if best == place:
            break
        place = best
    window = route.window(place, WINDOW_M)
    found = np.array([known[at] for at in window.tolist()])
    weights = np.exp((found - found.max()) / (SOFT_M * route.similarity_loss_per_m))
    return arm.pose(_mean_pose(poses[window], weights), reverse)


def agreed_pose(poses: Floats, agreement: Floats, reverse: bool, arm: LeverArm) -> Pose:
    """
    Return the mean of the poses of compared places, weighted by their local agreement.

    `weight = exp((agreement - best) / SOFT_AGREEMENT)`. Local agreement has a sharper peak along
    the road than the similarity of whole images.

    :param poses: [K, 7] of places that were compared, all of them near one place.
    :param agreement: [K] mutual agreement and agreement by a common shift, added.
    :param reverse: the places are passed in reverse: the pose is turned by half a turn.
    :param arm: of the robot that asks.
    """
    weights = np.exp((agreement - agreement.max()) / SOFT_AGREEMENT)
    return arm.pose(_mean_pose(poses, weights), reverse)


def _mean_pose(poses: Floats, weights: Floats) -> Pose:
    position = weights @ poses[:, :3] / weights.sum()
    # The mean rotation is the first eigenvector of the weighted products of the quaternions
    # (Markley et al., Averaging Quaternions, 2007).
    turns = poses[:, 3:]
    orientation = np.linalg.eigh((weights * turns.T) @ turns)[1][:, -1]
    return Pose(*position.tolist(), *orientation.tolist())
