"""A picture of the query beside the recognised place, for a person to judge."""

from __future__ import annotations

import cv2
from husky_placerec.data.images import decode_file
from husky_placerec.errors import InputError
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.thumbnails import WIDTH
from husky_placerec.types import Frame, Pixels, Recognition
import numpy as np

HEIGHT = WIDTH * 9 // 16
BAR = 20  # px, for the words
GREEN, RED = (40, 200, 60), (220, 60, 40)


def match_image(recognition: Recognition, frame: Frame[Pixels], place_map: PlaceMap) -> Pixels:
    """
    Return an RGB picture: a column a camera, the query above, the map's picture below.

    A place passed in reverse shows the picture of the camera that looked the same way then.
    """
    cameras = place_map.spec.cameras
    columns = [
        np.vstack(
            [_small(frame.images.get(camera)), _small(_stored(recognition, camera, place_map))]
        )
        for camera in cameras
    ]
    colour = GREEN if recognition.accepted else RED
    bar = np.full((BAR, WIDTH * len(cameras), 3), colour, np.uint8)
    best = recognition.best
    similarity = f' {best.similarity:.3f}' if best else ''
    words = f'{recognition.reason or "recognised"}{similarity}'
    if place_map.thumbnails is None:
        words += ' (the map has no thumbnails)'
    cv2.putText(bar, words, (4, BAR - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1)
    return np.vstack([np.hstack(columns), bar])


def _stored(recognition: Recognition, camera: str, place_map: PlaceMap) -> Pixels | None:
    best, thumbnails = recognition.best, place_map.thumbnails
    if best is None or thumbnails is None:
        return None
    cameras = place_map.spec.cameras
    if best.reversed and place_map.opposites is not None:
        camera = cameras[place_map.opposites[cameras.index(camera)]]
    try:
        jpeg = thumbnails.jpeg(best.place, camera)
        return None if jpeg is None else decode_file(jpeg, 'thumbnail')
    except InputError:  # a map from elsewhere may hold anything
        return None


def _small(picture: Pixels | None) -> Pixels:
    """Return the picture at the size of a column's cell, black where there is none."""
    if picture is None:
        return np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    small = cv2.resize(
        np.ascontiguousarray(picture), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA
    )
    return np.asarray(small, np.uint8)
