"""Drives of tiny images in a folder with a table, and drives copied out of a bag."""

from __future__ import annotations

from husky_placerec.config import make_config
from husky_placerec.data.bag import Bag
from husky_placerec.data.source import find_trajectory
import numpy as np
from support.builders import encode, smooth_image

BLACK = encode(np.zeros((48, 64, 3), np.uint8))


def folder_drive(path, x, stamps=range(6), picture=0):
    """
    Write a drive eastwards from x, a frame a second and a metre.

    :param picture: seed of the first frame's images; the next frames have the next seeds.
    """
    path.mkdir()
    lines = ['stamp,front,back,x,y,z,yaw']
    for i, stamp in enumerate(stamps):
        for camera, seed in (('front', picture + i), ('back', picture + 50 + i)):
            (path / f'{camera}_{i}.png').write_bytes(encode(smooth_image(seed, 64, 48)))
        row = f'front_{i}.png,back_{i}.png,{x + i},0,0,0'
        lines.append(f'{1_700_000_000 + stamp},{row}')
    (path / 'frames.csv').write_text('\n'.join(lines))
    return path


def folder_of_bag(bag_path, path, black=()):
    """
    Copy the frames of a bag into a folder of images with their poses.

    :param black: (frame, camera) of images that are replaced by black ones.
    """
    path.mkdir()
    config = make_config({})
    lines = ['stamp,front,back,x,y,z,qx,qy,qz,qw']
    with Bag(bag_path) as bag:
        trajectory = find_trajectory(bag, None)
        for number, frame in enumerate(bag.frames(config)):
            names = []
            for camera, message in frame.images.items():
                name = f'{camera}_{number}.png'
                data = BLACK if (number, camera) in black else bytes(message.data)
                (path / name).write_bytes(data)
                names.append(name)
            (pose,) = trajectory.at(np.array([frame.stamp_ns]))
            lines.append(','.join([str(frame.stamp_ns), *names, *map(str, pose.tolist())]))
    (path / 'frames.csv').write_text('\n'.join(lines))
    return path
