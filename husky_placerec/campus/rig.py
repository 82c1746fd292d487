"""The cameras of the robot: their poses, their intrinsics, and the bumper that they see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
import math

from husky_placerec.cameras.intrinsics import EQUIDISTANT, Intrinsics, PLUMB_BOB, RATIONAL
from husky_placerec.cameras.known import KnownCamera
from husky_placerec.errors import InputError
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
    y_m: float = 0.0  # to the left of base_link
    upside_down: bool = False
    distortion_model: str = ''  # empty: a pinhole
    distortion: tuple[float, ...] = ()
    topic: str = ''  # of the images, without `/compressed`

    def optical_pose(self) -> Pose:
        """Return the pose of the optical frame (x right, y down, z ahead) in `base_link`."""
        angles = [self.yaw_deg, self.pitch_deg, 180.0 * self.upside_down]
        turn = Rotation.from_euler('ZYX', angles, degrees=True)
        optical = turn * Rotation.from_matrix([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
        return Pose.from_array([self.x_m, self.y_m, self.height_m, *optical.as_quat()])

    def lens(self, width: int, height: int) -> Intrinsics:
        """Return the intrinsics of the pictures of a size, as they are sent."""
        model = self.distortion_model or PLUMB_BOB
        return Intrinsics(*self.intrinsics(width, height), width, height, model, self.distortion)

    def upright_lens(self, width: int, height: int) -> Intrinsics:
        """Return the intrinsics of the upright pictures, before they are turned upside down."""
        lens = self.lens(width, height)
        if not self.upside_down or lens.model == EQUIDISTANT or not lens.distortion:
            return lens
        k1, k2, p1, p2, *others = lens.distortion
        return replace(lens, distortion=(k1, k2, -p1, -p2, *others))

    def known(self, width: int, height: int) -> KnownCamera:
        """Return all that is known of the camera, for pictures of a size."""
        return KnownCamera(self.lens(width, height), self.optical_pose(), self.frame_id)

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
    topic='/zed_node/left/image_rect_color',
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
    topic='/realsense_back/color/image_raw',
)
LEFT = CameraModel(
    name='left',
    frame_id='realsense_left_color_optical_frame',
    focal_px=910.0,
    x_m=0.05,
    height_m=0.6,
    pitch_deg=0.0,
    yaw_deg=90.0,
    bumper=Bumper(middle_height=0.02, side_height=0.02, bolts=(), grey=0.02),
    y_m=0.3,
    topic='/realsense_left/color/image_raw',
)
RIGHT = replace(
    LEFT,
    name='right',
    frame_id='realsense_right_color_optical_frame',
    yaw_deg=-90.0,
    y_m=-0.3,
    topic='/realsense_right/color/image_raw',
)

HUSKY_RIG: tuple[CameraModel, ...] = (FRONT, BACK)
IDENTICAL_RIG: tuple[CameraModel, ...] = (
    FRONT,
    replace(
        FRONT,
        name=BACK.name,
        frame_id=BACK.frame_id,
        x_m=-FRONT.x_m,
        yaw_deg=180.0,
        topic=BACK.topic,
    ),
)
FOUR_CAMERAS: tuple[CameraModel, ...] = (FRONT, LEFT, BACK, RIGHT)

# Typical coefficients of each model; the fisheye is one of 150 degrees.
DISTORTIONS = {
    PLUMB_BOB: (-0.28, 0.07, 0.0008, -0.0005, 0.0),
    RATIONAL: (0.3, 0.02, 0.0008, -0.0005, 0.0, 0.5, 0.05, 0.0),
    EQUIDISTANT: (-0.005, 0.002, 0.0, 0.0),
}
FISHEYE_DEG = 150.0
RECTIFIED, RAW = 'image_rect_color', 'image_raw_color'  # names of the pictures of a ZED


def distorted(rig: Sequence[CameraModel], distortion: str) -> tuple[CameraModel, ...]:
    """
    Return cameras with lenses that distort.

    :param distortion: a model, for all cameras whose driver does not rectify, or a model and a
        camera such as `equidistant:back`; empty: none.
    :raises InputError: for an unknown model or camera.
    """
    if not distortion:
        return tuple(rig)
    model, colon, chosen = distortion.partition(':')
    names = [camera.name for camera in rig]
    if model not in DISTORTIONS or (colon and chosen not in names):
        raise InputError(
            f'distortion is {distortion!r}; expected one of {", ".join(DISTORTIONS)}, alone or '
            f'with one of the cameras {", ".join(names)}, as in {EQUIDISTANT}:back'
        )
    return tuple(
        _bent(camera, model)
        if camera.name == chosen or (not colon and RECTIFIED not in camera.topic)
        else camera
        for camera in rig
    )


def _bent(camera: CameraModel, model: str) -> CameraModel:
    focal_px = camera.focal_px
    if model == EQUIDISTANT:
        focal_px = _REFERENCE_WIDTH_PX / math.radians(FISHEYE_DEG)
    return replace(
        camera,
        focal_px=focal_px,
        distortion_model=model,
        distortion=DISTORTIONS[model],
        topic=camera.topic.replace(RECTIFIED, RAW),
    )


def upside_down(rig: Sequence[CameraModel], name: str) -> tuple[CameraModel, ...]:
    """
    Return cameras of which one is mounted upside down.

    :param name: that camera; empty: none.
    :raises InputError: for an unknown camera.
    """
    names = [camera.name for camera in rig]
    if name and name not in names:
        raise InputError(f'upside_down is {name!r}; expected one of {", ".join(names)}')
    return tuple(replace(each, upside_down=each.name == name) for each in rig)


def changed(
    rig: Sequence[CameraModel], field_of_view_deg: float, height_m: float
) -> tuple[CameraModel, ...]:
    """
    Return the cameras of another robot.

    :param field_of_view_deg: horizontal, of each camera; 0: as they are.
    :param height_m: of each camera above the ground; 0: as they are.
    """
    focal_px = 0.0
    if field_of_view_deg:
        focal_px = _REFERENCE_WIDTH_PX / 2 / math.tan(math.radians(field_of_view_deg / 2))
    return tuple(
        replace(
            each,
            focal_px=focal_px or each.focal_px,
            height_m=height_m or each.height_m,
        )
        for each in rig
    )
