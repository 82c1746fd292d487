"""Rigid motions of a map: by given values, or onto a trajectory in another frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from husky_placerec.data.trajectory import Trajectory
from husky_placerec.errors import InputError
from husky_placerec.placemap.building import now
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.types import Pose, SECOND_NS
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

LEAST_PAIRS = 3
# A drive that is narrower than this share of its length fixes no rotation about its line.
LEAST_WIDTH = 0.01
LEAST_WIDTH_M = 0.5


def transform(place_map: PlaceMap, motion: Pose, frame_id: str | None = None) -> PlaceMap:
    """
    Return the map in another frame.

    A map that moves loses its geographic origin.

    :param motion: pose of the present frame in the new one.
    :param frame_id: name of the new frame; None: the present name.
    """
    poses = place_map.places.poses
    position = motion.rotation.apply(poses[:, :3]) + motion.as_array()[:3]
    orientation = (motion.rotation * Rotation.from_quat(poses[:, 3:])).as_quat()
    still = np.allclose(motion.as_array(), Pose.planar(0.0, 0.0, 0.0).as_array())
    return place_map.with_poses(
        np.hstack([position, orientation]),
        (frame_id or place_map.frame_id).lstrip('/'),  # tf2 refuses names that begin with one
        place_map.origin if still else None,
        now(),
    )


def motion_of(xyz: Sequence[float], rpy: Sequence[float]) -> Pose:
    """
    Return the pose of a position in metres and of roll, pitch and yaw in radians (REP 103).

    :raises InputError: for numbers that are not finite, or angles that must be degrees.
    """
    if not np.isfinite([*xyz, *rpy]).all():
        raise InputError(f'--xyz {_text(xyz)} --rpy {_text(rpy)}: expected finite numbers')
    if np.abs(rpy).max() > 2 * np.pi:
        raise InputError(f'--rpy {_text(rpy)}: expected radians, at most 2 pi (6.28)')
    rotation = Rotation.from_euler('xyz', rpy)
    return Pose.from_array([*xyz, *rotation.as_quat()])


def _text(values: Sequence[float]) -> str:
    return ' '.join(f'{value:g}' for value in values)


@dataclass(frozen=True)
class Alignment:
    """
    The alignment of a map with a trajectory.

    :param motion: pose of the map's frame in the frame of the trajectory.
    :param pairs: number of places whose stamps the trajectory covers.
    :param residuals_m: [pairs] remaining distances.
    :param turned_deg: median remaining angle between the orientations.
    """

    motion: Pose
    pairs: int
    residuals_m: NDArray[np.float64]
    turned_deg: float


def align(place_map: PlaceMap, trajectory: Trajectory, max_gap_s: float) -> Alignment:
    """
    Find the rigid motion of the places onto the poses of a trajectory at their stamps.

    It is the least-squares motion without scale (Umeyama 1991; Kabsch 1976).

    :param trajectory: of the same drives, in the wanted frame.
    :param max_gap_s: longest time between two of its poses that are interpolated.
    :raises InputError: where the trajectory covers too few places, or the places do not determine
        the motion because they lie on one spot or on a line.
    """
    stamps = place_map.places.stamps_ns
    covered = np.flatnonzero(trajectory.covers(stamps, round(max_gap_s * SECOND_NS)))
    if len(covered) < LEAST_PAIRS:
        raise InputError(
            f'{trajectory.source}: covers {len(covered)} of {len(stamps)} places of '
            f'{place_map.name}; expected at least {LEAST_PAIRS}. The poses span '
            f'{trajectory.stamps_ns[0]} to {trajectory.stamps_ns[-1]}, the places '
            f'{stamps.min()} to {stamps.max()}'
        )
    poses, wanted = place_map.places.poses[covered], trajectory.at(stamps[covered])
    for name, values in ((place_map.name, poses), (trajectory.source, wanted)):
        _refuse_degenerate(values[:, :3], name)
    centre, centre_wanted = poses[:, :3].mean(axis=0), wanted[:, :3].mean(axis=0)
    rotation, _ = Rotation.align_vectors(wanted[:, :3] - centre_wanted, poses[:, :3] - centre)
    motion = Pose.from_array([*(centre_wanted - rotation.apply(centre)), *rotation.as_quat()])
    part = place_map.with_places(place_map.places.chosen(covered), place_map.descriptors[covered])
    moved = transform(part, motion)
    found = moved.places.poses
    left = Rotation.from_quat(found[:, 3:]).inv() * Rotation.from_quat(wanted[:, 3:])
    return Alignment(
        motion,
        len(covered),
        np.linalg.norm(found[:, :3] - wanted[:, :3], axis=1),
        float(np.degrees(np.median(left.magnitude()))),
    )


def _refuse_degenerate(positions: NDArray[np.float64], name: str) -> None:
    spread = np.linalg.svd(positions - positions.mean(axis=0), compute_uv=False)
    length, width = spread[:2] / np.sqrt(len(positions))
    if width < max(LEAST_WIDTH_M, LEAST_WIDTH * length):
        raise InputError(
            f'{name}: its {len(positions)} places are spread {length:.1f} m along and '
            f'{width:.2f} m across a line; that does not fix the rotation about it. Drive a '
            f'curve: at least {max(LEAST_WIDTH_M, LEAST_WIDTH * length):.1f} m across'
        )
