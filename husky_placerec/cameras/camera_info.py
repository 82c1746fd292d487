"""The intrinsics in a `sensor_msgs/CameraInfo`, live or from a bag."""

from __future__ import annotations

from typing import Any

from husky_placerec.cameras.intrinsics import checked, Intrinsics, PLUMB_BOB
from husky_placerec.errors import InputError

INFO_TYPE = 'sensor_msgs/msg/CameraInfo'
INFO_NAME = 'camera_info'
SAME_SHAPE = 0.01  # relative difference of the ratios of width to height


def info_topics(topic: str, transport: str) -> list[str]:
    """
    Return where the CameraInfo of an image topic may be, the most likely first.

    `camera/image_raw` and its transport `camera/image_raw/compressed` have `camera/camera_info`;
    drivers that leave out the name of the image have it beside `compressed`.
    """
    *above, _ = topic.split('/')
    beside = '/'.join([*above, INFO_NAME])
    if transport == 'raw' or not above:
        return [beside]
    higher = '/'.join([*above[:-1], INFO_NAME])
    return [higher, beside] if above[-1].startswith('image') else [beside, higher]


def is_rectified(topic: str) -> bool:
    """Return whether the images of a topic are rectified already, by its name."""
    return any('_rect' in part for part in topic.split('/')[-2:])


def intrinsics_of(info: Any, source: str, *, rectified: bool) -> Intrinsics | None:
    """
    Return the intrinsics of the images that a CameraInfo belongs to; None: not calibrated.

    K, D and P belong to the whole sensor; the images are a window of it (`roi`), reduced by
    `binning`. A rectified image has the intrinsics P and no distortion; R tells how it was turned,
    and needs no undoing.

    :param info: with the fields of sensor_msgs/CameraInfo.
    :param source: topic and camera, for the error.
    :param rectified: the images are rectified.
    :raises InputError: for values that cannot be.
    """
    k, p, d = (
        list(map(float, values))
        for values in (_field(info, 'k'), _field(info, 'p'), _field(info, 'd'))
    )
    if not any(k) and not (rectified and any(p)):
        return None
    if rectified and any(p):
        fx, cx, fy, cy = p[0], p[2], p[5], p[6]
    else:
        fx, cx, fy, cy = k[0], k[2], k[4], k[5]
    model, distortion = info.distortion_model, tuple(d)
    if rectified or (not model and not any(d)):
        model, distortion = PLUMB_BOB, ()
    across, down = max(1, info.binning_x), max(1, info.binning_y)
    roi, width, height, left, top = info.roi, info.width, info.height, 0, 0
    if roi.width and roi.height:
        width, height, left, top = roi.width, roi.height, roi.x_offset, roi.y_offset
    # Half a pixel: ROS counts from the middle of the first pixel, Intrinsics from its edge.
    lens = Intrinsics(
        fx / across,
        fy / down,
        (cx + 0.5 - left) / across,
        (cy + 0.5 - top) / down,
        int(width // across),
        int(height // down),
        model,
        distortion,
    )
    return checked(lens, source)


def fitted(lens: Intrinsics, size: tuple[int, int], source: str) -> tuple[Intrinsics, str]:
    """
    Return intrinsics for images of the size that came, and a note where they had to be resized.

    :param size: width and height of the images, px.
    :raises InputError: for images of another shape, which are no resized ones.
    """
    told = f'{lens.width}x{lens.height}'
    if (lens.width, lens.height) == size:
        return lens, ''
    width, height = size
    if abs(width / height * lens.height / lens.width - 1) > SAME_SHAPE:
        raise InputError(
            f'{source}: it is of images of {told} (by binning and region of interest), but those '
            f'that came are {width}x{height}; expected the same size, or the same shape'
        )
    return (
        lens.scaled(width, height),
        f'{source}: it is of images of {told}; those that came, {width}x{height}, are taken for '
        'the same, resized',
    )


def _field(info: Any, name: str) -> Any:
    """Return a field that ROS 1 and older messages write in capitals."""
    return getattr(info, name) if hasattr(info, name) else getattr(info, name.upper())
