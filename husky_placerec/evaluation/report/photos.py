"""Small copies of the images of frames, for people."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import cv2
from husky_placerec.config import Config
from husky_placerec.data.source import decode_usable, open_source
from husky_placerec.errors import InputError

WIDTH, QUALITY = 320, 80  # pixels; quality of the JPEG
MOST_HEIGHT = 10 * WIDTH  # of an image that is far higher than wide

Photos = Mapping[tuple[Path, int], Mapping[str, bytes]]


def find_photos(
    wanted: Mapping[Path, Collection[int]], config: Config, kind: str | None = None
) -> dict[tuple[Path, int], dict[str, bytes]]:
    """
    Return JPEGs by source, stamp of the frame, and camera; missing images are left out.

    :param wanted: stamps of frames in ns, by source.
    """
    photos = {}
    for path, stamps in wanted.items():
        try:
            with open_source(path, kind) as source:
                for frame in source.frames(config):
                    if frame.stamp_ns in stamps:
                        decoded = decode_usable(frame, source, config.max_pixels)
                        images = decoded.images if decoded else {}
                        photos[path, frame.stamp_ns] = {
                            camera: _small(image) for camera, image in images.items()
                        }
        except InputError:  # the drive of a map may have been deleted
            continue
    return photos


def _small(image: cv2.typing.MatLike) -> bytes:
    height = min(MOST_HEIGHT, max(1, round(image.shape[0] * WIDTH / image.shape[1])))
    small = cv2.resize(image, (WIDTH, height), interpolation=cv2.INTER_AREA)
    bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    return cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
