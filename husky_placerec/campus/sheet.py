"""A contact sheet of all conditions: the pictures and masks of both cameras at one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import cv2
from husky_placerec.campus import labels
from husky_placerec.campus.conditions import CONDITIONS
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.photographer import Photographer
from husky_placerec.campus.picture import Mask, Picture
from husky_placerec.campus.signs import sign_font
from husky_placerec.files import write_atomic
from husky_placerec.progress import Passing
from husky_placerec.types import Pixels
import numpy as np
from PIL import Image, ImageDraw

_TITLE_PX, _GAP_PX = 24, 4
_PAPER, _INK = (250, 250, 248), (25, 25, 30)
# Similar to the colours of the classes of Mapillary Vistas.
_MASK_COLOURS = {
    labels.CURB: (196, 196, 196),
    labels.FENCE: (190, 153, 153),
    labels.ROAD: (128, 64, 128),
    labels.SIDEWALK: (244, 35, 232),
    labels.BUILDING: (110, 110, 110),
    labels.PERSON: (220, 20, 60),
    labels.SKY: (70, 130, 180),
    labels.SNOW: (235, 245, 250),
    labels.TERRAIN: (152, 251, 152),
    labels.VEGETATION: (107, 142, 35),
    labels.BILLBOARD: (250, 170, 30),
    labels.STREET_LIGHT: (210, 170, 100),
    labels.POLE: (153, 153, 153),
    labels.CAR: (0, 0, 142),
    labels.TRUCK: (0, 60, 220),
    labels.EGO_VEHICLE: (60, 20, 20),
}


def write_sheet(
    path: Path, config: DriveConfig, size: tuple[int, int], passing: Passing = lambda i, _: i
) -> None:
    """
    Write a PNG with one row per condition: front, its mask, back, its mask.

    :param config: the drive whose first frame is shown; its condition is ignored.
    :param size: width and height of each picture on the sheet, in pixels.
    :param passing: wraps the iteration over the conditions, for example in a progress bar.
    :raises InputError: for an invalid configuration.
    """
    config.check()
    rows = []
    for name in passing(CONDITIONS, len(CONDITIONS)):
        pictures = Photographer(replace(config, condition=name)).pictures(0)
        rows.append(_row(name, pictures, size))
    sheet = cv2.cvtColor(np.concatenate(rows), cv2.COLOR_RGB2BGR)
    write_atomic(path, cv2.imencode('.png', sheet)[1].tobytes())


def coloured(mask: Mask) -> Pixels:
    """Return a mask [H, W] as RGB colours [H, W, 3]."""
    table = np.zeros((256, 3), np.uint8)
    for label, colour in _MASK_COLOURS.items():
        table[label] = colour
    return np.asarray(table[mask])


def _row(name: str, pictures: Mapping[str, Picture], size: tuple[int, int]) -> Pixels:
    cells = []
    for camera, picture in pictures.items():
        image = np.asarray(cv2.resize(picture.image, size, interpolation=cv2.INTER_AREA), np.uint8)
        mask = np.asarray(
            cv2.resize(picture.mask, size, interpolation=cv2.INTER_NEAREST), np.uint8
        )
        cells += [(f'{name}: {camera}', image), ('', coloured(mask))]
    return np.concatenate([_with_title(title, image) for title, image in cells], axis=1)


def _with_title(title: str, image: Pixels) -> Pixels:
    height, width = image.shape[:2]
    page = Image.new('RGB', (width + _GAP_PX, height + _TITLE_PX), _PAPER)
    ImageDraw.Draw(page).text((4, 3), title, _INK, sign_font(15))
    page.paste(Image.fromarray(image), (0, _TITLE_PX))
    return np.array(page)
