"""Bags of two cameras with tiny images, and the poses of a robot that drives straight on."""

from __future__ import annotations

from husky_placerec.config import HUSKY_CAMERAS
from husky_placerec.types import SECOND_NS
from support.builders import (
    BACK,
    compressed,
    encode,
    FRONT,
    MS,
    planar,
    pose_message,
    smooth_image,
    START_NS,
    write_bag,
)

TOPIC = {name: f'/{HUSKY_CAMERAS[name].topic}' for name in (FRONT, BACK)}
PIXELS = '--set', 'extractor=pixels'
TRUTH = '/truth'


def seconds(count, start_ms=0):
    """Return stamps that are a second apart."""
    return [START_NS + start_ms * MS + i * SECOND_NS for i in range(count)]


def picture(seed):
    return encode(smooth_image(seed, 64, 48, 8))


def images(camera, stamps, pictures=None):
    """
    Return image messages.

    :param pictures: bytes of the image at an index; the others are unlike one another.
    """
    first = 0 if camera == FRONT else 500
    return [
        (TOPIC[camera], compressed(ns, (pictures or {}).get(i, picture(first + i))))
        for i, ns in enumerate(stamps)
    ]


def poses(count, topic=TRUTH, kind='PoseStamped'):
    """Return a pose a second and a metre, from before the first image to after the last."""
    return [
        (topic, pose_message(kind, START_NS + i * SECOND_NS, planar(float(i))))
        for i in range(-1, count + 1)
    ]


def in_order(*streams):
    return sorted(
        (message for stream in streams for message in stream),
        key=lambda item: (item[1].header.stamp.sec, item[1].header.stamp.nanosec),
    )


def camera_bag(path, front, back, *others, count=30, **options):
    """Write a bag of image messages of two cameras, with poses and other messages."""
    return write_bag(path, in_order(front, back, poses(count), *others), **options)
