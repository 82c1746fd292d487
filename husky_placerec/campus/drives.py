"""The configuration of a drive: everything that its pixels and poses depend on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
import math

from husky_placerec.campus.alterations import Alterations
from husky_placerec.campus.conditions import condition_named
from husky_placerec.campus.faults import fault_named
from husky_placerec.campus.rig import (
    CameraModel,
    changed,
    distorted,
    FOUR_CAMERAS,
    HUSKY_RIG,
    IDENTICAL_RIG,
    upside_down,
)
from husky_placerec.campus.route import USUAL_LENGTH_M
from husky_placerec.campus.world import Campus
from husky_placerec.errors import InputError

_LEAST_STEP_M = 0.02  # 20 ms; leaves time for the delay between two cameras
_RANGES = [
    ('lateral_m', -4.0, 4.0),  # beyond 4 m is the pavement
    ('lane_change_m', -4.0, 4.0),
    ('heading_deg', 0.0, 45.0),
    ('sway', 0.0, 5.0),
    ('traffic', 0.0, 7.0),  # at 7, nearly every bay at the kerb is taken
    ('lorries', 0.0, 1.0),
    ('changed_facades', 0.0, 1.0),
    ('scaffolding', 0.0, 1.0),
    ('snow_banks', 0.0, 1.0),
    ('leaves', 0.0, 1.0),
    ('field_of_view_deg', 0.0, 120.0),
    ('camera_height_m', 0.0, 3.0),
]


@dataclass(frozen=True)
class DriveConfig:
    """The configuration of a drive; equal configurations give equal pixels."""

    # The campus: all drives of one map share these.
    seed: int = 1
    route_m: float = USUAL_LENGTH_M  # least length of the mapped route
    aliasing: float = 0.3  # share of the houses that stand in runs which repeat elsewhere
    style: int = 0  # another style repaints all textures

    # The path.
    drive: int = 0  # varies lateral offset, wander, traffic and phase
    start_m: float = 0.0  # arc length where the drive begins; see DrivePath
    length_m: float = 300.0
    step_m: float = 3.0  # distance between frames
    reverse: bool = False  # drives the same section from its end to its beginning
    detour: bool = False  # about a third of the drive on an unmapped road
    lateral_m: float = 0.0  # added to the usual lateral offset; positive is left
    lane_change_m: float = 0.0  # as `lateral_m`, but on some sections of the path only
    heading_deg: float = 3.0  # greatest deviation of the heading from the road
    sway: float = 1.0  # of the body on its wheels, as a multiple of the usual; 0: none

    # What differs between drives. All numbers but `traffic` are shares, 0 to 1.
    condition: str = 'summer_day'
    traffic: float = 1.0  # number of cars and people, as a multiple of the usual number
    lorries: float = 0.0  # of the bays at the kerb
    changed_facades: float = 0.0  # of the houses; none on drive 0
    scaffolding: float = 0.0  # of the houses; none on drive 0
    snow_banks: float = 0.0  # of the kerb, in winter
    leaves: float = 0.0  # of the kerb, in autumn

    # The cameras.
    width: int = 640
    height: int = 360
    identical_cameras: bool = False  # a back camera like the front camera; else those of the Husky
    four_cameras: bool = False  # front, left, back and right
    distortion: str = ''  # model of the lenses, or of one: 'equidistant:back' (a fisheye)
    upside_down: str = ''  # name of a camera that is mounted so
    field_of_view_deg: float = 0.0  # horizontal, of each camera; 0: those of the Husky
    camera_height_m: float = 0.0  # of each camera; 0: those of the Husky
    fault: str = ''  # of all cameras ('blur') or of one ('black:back')

    @property
    def rig(self) -> tuple[CameraModel, ...]:
        """The cameras of the robot."""
        rig = IDENTICAL_RIG if self.identical_cameras else HUSKY_RIG
        rig = FOUR_CAMERAS if self.four_cameras else rig
        rig = changed(rig, self.field_of_view_deg, self.camera_height_m)
        return upside_down(distorted(rig, self.distortion), self.upside_down)

    @property
    def alterations(self) -> Alterations:
        """The static changes of this drive."""
        return Alterations(self.changed_facades, self.scaffolding, self.snow_banks, self.leaves)

    def campus(self) -> Campus:
        """Return the campus; drives of the same campus share it within a process."""
        return _campus(self.seed, self.aliasing, self.route_m, self.style)

    def whole(self) -> DriveConfig:
        """
        Return the drive at its usual length, in whole metres.

        A drive covers the whole mapped route. With a detour, two thirds of it are on the route.
        """
        network = self.campus().network
        length_m = network.detour_length_m if self.detour else network.route.length_m
        return replace(self, length_m=float(int(length_m)))

    def check(self) -> None:
        """
        Check all values.

        :raises InputError: for an unknown condition or fault, or a number out of range.
        """
        condition_named(self.condition)
        fault_named(self.fault)
        _ = self.rig  # checks the cameras
        if self.four_cameras and self.identical_cameras:
            raise InputError('four_cameras and identical_cameras exclude each other')
        for name, least in (('seed', 0), ('drive', 0), ('width', 16), ('height', 16)):
            value = getattr(self, name)
            if value < least:
                raise InputError(f'{name} is {value}; expected at least {least}')
        for name in ('step_m', 'length_m'):
            value = getattr(self, name)
            if not (_LEAST_STEP_M <= value < math.inf):
                raise InputError(f'{name} is {value}; expected at least {_LEAST_STEP_M} (metres)')
        if not math.isfinite(self.start_m):
            raise InputError(f'start_m is {self.start_m}; expected a number of metres')
        for name, least_real, most in _RANGES:
            if not least_real <= getattr(self, name) <= most:
                raise InputError(
                    f'{name} is {getattr(self, name)}; expected {least_real} to {most}'
                )
        self.campus()  # checks the numbers of the campus


@lru_cache(maxsize=2)
def _campus(seed: int, aliasing: float, route_m: float, style: int) -> Campus:
    return Campus(seed, aliasing=aliasing, route_m=route_m, style=style)
