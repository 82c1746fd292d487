"""Drives of a robot as trajectories: along a route, with headings of any kind."""

from __future__ import annotations

from husky_placerec.data.trajectory import Trajectory
from husky_placerec.types import SECOND_NS
import numpy as np
from scipy.spatial.transform import Rotation
from support.builders import START_NS

RATE_HZ = 10
SPEED_M_PER_S = 1.0
SECONDS = 60


def directions(route):
    """Return the direction of motion [N] at each tenth of a second of a minute at 1 m/s."""
    share = np.arange(SECONDS * RATE_HZ) / (SECONDS * RATE_HZ)
    return {
        'straight': np.full(len(share), 0.6),
        'corner': np.where(share < 0.5, 0.0, np.pi / 2),
        'loop': 2 * np.pi * share,
        'block': np.pi / 2 * np.floor(4 * share),
        'slalom': 0.8 * np.sin(12 * share),
    }[route]


def places(route):
    """Return the positions [N, 2] of such a drive."""
    angles = directions(route)
    steps = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return np.cumsum(steps, axis=0) * SPEED_M_PER_S / RATE_HZ


def trajectory(flat, yaws, *, noise_m=0.0, noise_deg=0.0, rate_hz=RATE_HZ, source='drive', z=0.0):
    """Make a level trajectory of positions [N, 2] and headings [N] in radians."""
    rng = np.random.default_rng(7)
    flat = flat + rng.normal(0, noise_m, flat.shape)
    yaws = yaws + np.radians(rng.normal(0, noise_deg, len(flat)))
    turns = Rotation.from_euler('z', yaws[:, None]).as_quat()
    return turned(flat, turns, rate_hz=rate_hz, source=source, z=z)


def turned(flat, turns, *, rate_hz=RATE_HZ, source='drive', z=0.0):
    """Make a trajectory of positions [N, 2] and quaternions [N, 4]."""
    stamps = [START_NS + round(i * SECOND_NS / rate_hz) for i in range(len(flat))]
    poses = np.hstack([flat, np.full((len(flat), 1), z), turns])
    return Trajectory.make(stamps, poses.tolist(), source, 'map')


def odometry_of(route, yaws=None):
    """Return the odometry of a drive: begun elsewhere, and turned by 40 degrees."""
    turn = np.radians(40)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    yaws = directions(route) if yaws is None else yaws
    flat = places(route) @ rotation.T - 30
    return trajectory(flat, yaws + turn, noise_m=0.003, noise_deg=0.5, source='wheels')
