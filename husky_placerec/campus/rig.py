"""The cameras of the robot: their poses, their intrinsics, and the bumper that they see."""

from __future__ import annotations

from dataclasses import dataclass, replace

from husky_placerec.types import Pose
from scipy.spatial.transform import Rotation

_REFERENCE_WIDTH_PX = 1280  # picture width that the focal lengths below refer to


@dataclass(frozen=True)
class Bumper:
    """
    The bumper bar of the robot at the bottom of a picture.

    Heights are shares of the picture height. Positions of bolts are shares of the picture width.
    """

    middle_height: float
    side_height: float
    bolts: tuple[float, ...]
    grey: float  # albedo, 0 to 1, linear


@dataclass(frozen=True)
class CameraModel:
    """A pinhole camera that is fixed to `base_link` (x ahead, y to the left, z up)."""

    name: str
    frame_id: str  # optical frame of ROS: x right, y down, z ahead
    focal_px: float  # for a picture of 1280 x 720
    x_m: float  # ahead of base_link
    height_m: float
    pitch_deg: float  # positive is down
    yaw_deg: float  # positive is left
    bumper: Bumper

    def optical_pose(self) -> Pose:
        """Return the pose of the optical frame (x right, y down, z ahead) in `base_link`."""
        turn = Rotation.from_euler('ZY', [self.yaw_deg, self.pitch_deg], degrees=True)
        optical = turn * Rotation.from_matrix([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
        return Pose.from_array([self.x_m, 0.0, self.height_m, *optical.as_quat()])

    def intrinsics(self, width: int, height: int) -> tuple[float, float, float, float]:
        """
        Return fx, fy, cx and cy in pixels for a picture size.

        Integer coordinates are the edges of pixels, so that the centre of the picture is at half
        its size. Subtract 0.5 from cx and cy where integer coordinates are the centres of pixels.
        """
        focal_px = self.focal_px * width / _REFERENCE_WIDTH_PX
        return focal_px, focal_px, width / 2, height / 2


FRONT = CameraModel(
    name='front',
    frame_id='zed_left_camera_optical_frame',
    focal_px=683.0,
    x_m=0.32,
    height_m=0.75,
    pitch_deg=3.0,
    yaw_deg=0.0,
    bumper=Bumper(middle_height=0.075, side_height=0.045, bolts=(0.31, 0.69), grey=0.035),
)
BACK = CameraModel(
    name='back',
    frame_id='realsense_back_color_optical_frame',
    focal_px=910.0,
    x_m=-0.36,
    height_m=0.55,
    pitch_deg=-1.5,
    yaw_deg=180.0,
    bumper=Bumper(middle_height=0.05, side_height=0.07, bolts=(0.5,), grey=0.02),
)

HUSKY_RIG: tuple[CameraModel, ...] = (FRONT, BACK)
IDENTICAL_RIG: tuple[CameraModel, ...] = (
    FRONT,
    replace(FRONT, name=BACK.name, frame_id=BACK.frame_id, x_m=-FRONT.x_m, yaw_deg=180.0),
)
