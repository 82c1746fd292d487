"""Drives of robots with other cameras past the same scenes, as bags."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.cameras.intrinsics import Intrinsics, turned
from husky_placerec.campus.lens import pixel_rays
from husky_placerec.types import Pose
import numpy as np
from support.builders import compressed, encode, MS, pose_message, START_NS
from support.camera_messages import camera_info, mounted, write_camera_bag

FRONT_TOPIC = '/zed_node/left/image_rect_color/compressed'
BACK_TOPIC = '/realsense_back/color/image_raw/compressed'
IMAGE_TOPICS = {'front': FRONT_TOPIC, 'back': BACK_TOPIC}
INFO_TOPICS = {'front': '/zed_node/left/camera_info', 'back': '/realsense_back/color/camera_info'}
FRONT = Intrinsics(128.0, 128.0, 120.0, 67.5, 240, 135)
BACK = replace(FRONT, fx=170.6, fy=170.6)
HUSKY = {'front': FRONT, 'back': BACK}


def scene(place, rays):
    """Return [H, W, 3] smooth grey values of rays; each place has its own."""
    x, y, z = np.moveaxis(rays, -1, 0)
    right, down = np.arctan2(x, z), np.arctan2(y, np.hypot(x, z))
    phase = np.random.default_rng(place).uniform(0, 6, 4)
    grey = 128 + 40 * np.sin(9 * right + phase[0]) + 40 * np.cos(11 * down + 3 * right + phase[1])
    grey += 40 * np.sin(14 * right - 8 * down + phase[2])
    return np.repeat(grey.clip(0, 255)[..., None], 3, 2).round().astype(np.uint8)


def photo(place, lens):
    """Return the image that a camera takes of a place, as it comes from the camera."""
    return scene(place, pixel_rays(replace(lens, turns=0)) @ turned(lens.turns).T)


def write_drive(path, lenses=HUSKY, places=range(6), *, told=True, size=None):
    """
    Write a bag with a frame of each camera at each place, 5 m apart, and their poses.

    The back camera sees the place 100 later.

    :param told: with CameraInfo and static TF.
    """
    sent, transforms = [], []
    for number, place in enumerate(places):
        stamp_ns = START_NS + number * 1000 * MS
        for camera, lens in lenses.items():
            image = encode(photo(place + 100 * (camera == 'back'), lens))
            sent.append((IMAGE_TOPICS[camera], compressed(stamp_ns, image)))
            if told:
                info = camera_info(
                    stamp_ns,
                    f'{camera}_eye',
                    size=(lens.width, lens.height),
                    distortion_model=lens.model,
                    d=np.array(lens.distortion or (0.0,) * 5),
                    k=np.array([lens.fx, 0, lens.cx - 0.5, 0, lens.fy, lens.cy - 0.5, 0, 0, 1.0]),
                    p=np.zeros(12),
                )
                sent.append((INFO_TOPICS[camera], info))
        pose = pose_message('PoseStamped', stamp_ns, Pose.planar(5.0 * place, 0.0, 0.0))
        sent.append(('/pose', pose))
    if told:
        transforms = [
            ('base_link', f'{camera}_eye', mounted(180 * (camera == 'back'), 90 * -lens.turns))
            for camera, lens in lenses.items()
        ]
    return write_camera_bag(path, sent, *transforms)
