"""How the body of a simulated robot sways: by how much, how smoothly, and not in the plane."""

from __future__ import annotations

from dataclasses import replace
import math

from husky_placerec.campus.drive_path import drive_poses, DrivePath
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.sway import Sway
from husky_placerec.errors import InputError
import numpy as np
import pytest

NEEDS = ('numba',)

CONFIG = DriveConfig(length_m=200.0, step_m=1.0)


def standings(drive: int, amount: float = 1.0) -> np.ndarray:
    """Return [N, 3] roll and pitch in degrees, and height in m."""
    sway = Sway(np.random.default_rng([3, drive]), amount)
    found = [sway.after(float(metres)) for metres in range(0, 300, 2)]
    return np.array([(math.degrees(s.roll), math.degrees(s.pitch), s.height_m) for s in found])


def test_two_drives_differ_by_a_degree_and_five_centimetres() -> None:
    drives = np.array([standings(drive) for drive in range(40)])
    apart = (drives[::2] - drives[1::2]).reshape(-1, 3)
    assert np.sqrt((apart**2).mean(axis=0)) == pytest.approx([1.0, 1.0, 0.05], rel=0.2)
    # A part stays for a whole drive, and a part changes on the way.
    assert (drives.std(axis=1).mean(axis=0) > [0.3, 0.3, 0.015]).all()
    assert (drives.mean(axis=1).std(axis=0) > [0.3, 0.3, 0.015]).all()


def test_the_sway_is_smooth_deterministic_and_can_be_none() -> None:
    np.testing.assert_array_equal(standings(5), standings(5))
    assert not standings(5, 0.0).any()
    sway = Sway(np.random.default_rng(1), 1.0)
    fine = np.array([sway.after(m).pitch for m in np.arange(0, 50, 0.1)])
    # Poses are sent every 0.2 m: what lies between two is nearly their mean.
    off = fine[1:-1] - (fine[:-2] + fine[2:]) / 2
    assert np.degrees(np.abs(off)).max() < 0.02


def test_a_drive_sways_about_the_ground_and_keeps_its_way() -> None:
    swaying, stiff = (
        drive_poses(CONFIG.campus(), CONFIG),
        drive_poses(CONFIG.campus(), replace(CONFIG, sway=0.0)),
    )
    for one, other in zip(swaying, stiff, strict=True):
        assert one.pose.rotation.as_euler('ZYX')[0] == pytest.approx(
            other.pose.rotation.as_euler('ZYX')[0], abs=math.radians(0.2)
        )
        assert math.hypot(one.pose.x - other.pose.x, one.pose.y - other.pose.y) < 0.01
    heights = [a.pose.z - b.pose.z for a, b in zip(swaying, stiff, strict=True)]
    assert 0.005 < np.std(heights) < 0.1
    path = DrivePath(CONFIG.campus(), CONFIG)
    assert path.after(10.0) == path.after(10.0)


def test_too_much_sway_is_refused() -> None:
    with pytest.raises(InputError, match=r'sway is 9.0; expected 0.0 to 5.0'):
        replace(CONFIG, sway=9.0).check()
