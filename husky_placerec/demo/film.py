"""The film of the demo: each frame beside the place that it was recognised as, or its refusal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
import io
import json
from pathlib import Path
from typing import Any

import cv2
from husky_placerec.config import Config
from husky_placerec.data.bag import Bag
from husky_placerec.data.source import decoded_frames, find_trajectory
from husky_placerec.errors import InputError
from husky_placerec.files import write_atomic
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.types import Pixels
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SIZE = 320, 180  # of a picture; the film is twice as wide and twice as high
FORMATS = {'.gif': 'GIF', '.webp': 'WEBP'}
EVERY = 2  # frames of the drive
SHOWN_MS = 180
GREEN, BLUE, GREY, BLACK = '#2a9d4a', '#3b6fb6', '#b4b4b4', '#202020'

Floats = NDArray[np.float64]
Pictures = Mapping[tuple[int, str], Pixels]


def check_film(path: Path) -> None:
    """Check the name of a film before the work begins; raises InputError."""
    if path.suffix.lower() not in FORMATS:
        raise InputError(f'--record {path}: expected a name that ends in .gif or .webp')


def write_film(
    path: Path, mapped: Path, driven: Path, log: Path, place_map: PlaceMap, config: Config
) -> None:
    """
    Write a film of a drive by the log of the node.

    :param mapped: bag of the drive that the map was made of.
    :param log: `recognitions_file` of the node that recognised `driven`.
    """
    check_film(path)
    lines = [json.loads(line) for line in log.read_text(encoding='utf-8').splitlines()][::EVERY]
    with Bag(driven) as bag:
        truths = find_trajectory(bag, None).at(np.array([line['stamp_ns'] for line in lines]))
    seen, places = _pictures(driven, config), _pictures(mapped, config)
    scenes = list(_scenes(lines, truths, seen, places, place_map))
    film = io.BytesIO()
    kind = FORMATS[path.suffix.lower()]
    scenes[0].save(
        film, kind, save_all=True, append_images=scenes[1:], duration=SHOWN_MS, loop=0, quality=60
    )
    write_atomic(path, film.getvalue())


def _pictures(path: Path, config: Config) -> Pictures:
    """Return small images by the stamp of their frame and the camera."""
    with Bag(path) as bag:
        return {
            (frame.stamp_ns, camera): np.asarray(
                cv2.resize(image, SIZE, interpolation=cv2.INTER_AREA), np.uint8
            )
            for frame in decoded_frames(bag, bag.frames(config))
            for camera, image in frame.images.items()
        }


def _scenes(
    lines: Sequence[Mapping[str, Any]],
    truths: Floats,
    seen: Pictures,
    places: Pictures,
    place_map: PlaceMap,
) -> Iterator[Image.Image]:
    width, height = SIZE
    cameras = place_map.spec.cameras
    font = ImageFont.load_default(15)
    route = _Route(place_map.places.poses[:, :2], truths[:, :2])
    for line, truth in zip(lines, truths):
        scene = Image.new('RGB', (2 * width, 2 * height), 'white')
        _put(scene, (0, 0), seen.get((line['stamp_ns'], cameras[0])))
        if line['accepted']:
            opposites = place_map.opposites
            camera = cameras[opposites[0]] if line['reversed'] and opposites else cameras[0]
            stamp_ns = int(place_map.places.stamps_ns[line['place']])
            _put(scene, (width, 0), places.get((stamp_ns, camera)))
        draw = ImageDraw.Draw(scene)
        route.draw(draw, truth, line)
        colour = GREEN if line['accepted'] else BLUE
        for row, words in enumerate(_words(line)):
            draw.text((width + 16, height + 16 + 26 * row), words, colour if row else BLACK, font)
        yield scene


def _words(line: Mapping[str, Any]) -> tuple[str, ...]:
    if not line['accepted']:
        return 'left: the camera', 'refused: no pose', str(line['reason']).replace('_', ' ')
    known = 'probability' if line['probability'] is not None else 'similarity'
    return (
        'left: the camera, right: the map',
        f'recognised, place {line["place"]}',
        f'{known} {line[known]:.3f}',
    )


def _put(scene: Image.Image, corner: tuple[int, int], picture: Pixels | None) -> None:
    if picture is not None:
        scene.paste(Image.fromarray(picture), corner)


class _Route:
    """The places, and the robot among them, in the lower left of a scene."""

    def __init__(self, places: Floats, truths: Floats) -> None:
        everything = np.vstack([places, truths])
        self._least, most = everything.min(axis=0), everything.max(axis=0)
        self._scale = float(np.min((np.array(SIZE) - 24) / (most - self._least)))
        self._places = places
        self._way: list[tuple[tuple[float, float], str]] = []

    def draw(self, draw: ImageDraw.ImageDraw, truth: Floats, line: Mapping[str, Any]) -> None:
        """Draw the places, the way until now, and the published pose as a ring."""
        for place in self._places:
            _dot(draw, self._at(place), 1, GREY)
        self._way.append((self._at(truth), GREEN if line['accepted'] else BLUE))
        for at, colour in self._way:
            _dot(draw, at, 2, colour)
        _dot(draw, self._way[-1][0], 5, self._way[-1][1])
        if line['accepted']:
            x, y = self._at(np.array([line['pose']['x'], line['pose']['y']]))
            draw.ellipse((x - 8, y - 8, x + 8, y + 8), outline=BLACK)

    def _at(self, position: Floats) -> tuple[float, float]:
        x, y = (position[:2] - self._least) * self._scale + 12
        return float(x), float(2 * SIZE[1] - y)


def _dot(draw: ImageDraw.ImageDraw, at: tuple[float, float], radius: int, colour: str) -> None:
    x, y = at
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
