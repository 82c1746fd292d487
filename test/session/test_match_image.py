"""The picture of the query beside the recognised place."""

from __future__ import annotations

from dataclasses import replace
import struct
import zipfile

from husky_placerec.placemap.thumbnails import ThumbnailFile, WIDTH
from husky_placerec.session.match_image import BAR, GREEN, HEIGHT, match_image, RED
from husky_placerec.types import Candidate
import numpy as np
import pytest
from support.builders import BACK, encode, frame, FRONT, planar, random_map, thumbnails_of
from support.sessions import recognition

QUERY = {FRONT: (200, 10, 10), BACK: (10, 200, 10)}
STORED = {FRONT: (10, 10, 200), BACK: (200, 200, 10)}


def plain(colour):
    return np.full((90, 160, 3), colour, np.uint8)


@pytest.fixture(scope='module')
def place_map():
    pictures = {camera: encode(plain(colour)) for camera, colour in STORED.items()}
    return replace(random_map(), thumbnails=thumbnails_of([{}, pictures, {FRONT: b'broken'}]))


def picture(place_map, place=1, reverse=False, accepted=True, query=QUERY):
    best = () if place is None else (Candidate(place, 0.875, reverse, planar(0.0)),)
    said = replace(recognition(accepted=accepted), candidates=best)
    return match_image(said, frame(**{c: plain(v) for c, v in query.items()}), place_map)


def cells(image):
    """Return the colours in the middle of the cells, row by row."""
    middles = [
        image[row * HEIGHT + HEIGHT // 2, column * WIDTH + WIDTH // 2]
        for row in range(2)
        for column in range(2)
    ]
    return [tuple(middle.tolist()) for middle in middles]


def test_the_query_is_above_the_place_a_column_a_camera(place_map):
    image = picture(place_map)
    assert image.shape == (2 * HEIGHT + BAR, 2 * WIDTH, 3)
    assert image.dtype == np.uint8
    assert HEIGHT / WIDTH == 9 / 16
    assert cells(image) == [QUERY[FRONT], QUERY[BACK], STORED[FRONT], STORED[BACK]]


def test_a_place_passed_in_reverse_shows_the_camera_that_looked_the_same_way(place_map):
    assert cells(picture(place_map, reverse=True))[2:] == [STORED[BACK], STORED[FRONT]]
    one_way = replace(place_map, opposites=None)
    assert cells(picture(one_way, reverse=True))[2:] == [STORED[FRONT], STORED[BACK]]


@pytest.mark.parametrize('place', [None, 0, 2])
def test_what_is_not_there_is_black(place_map, place):
    image = picture(place_map, place, query={BACK: QUERY[BACK]})
    assert cells(image) == [(0, 0, 0), QUERY[BACK], (0, 0, 0), (0, 0, 0)]


def test_a_picture_that_a_map_from_elsewhere_packs_or_makes_huge_is_black(tmp_path, place_map):
    with zipfile.ZipFile(tmp_path / 'pictures.zip', 'w') as archive:
        packed = encode(plain(STORED[FRONT]))
        archive.writestr('0000001_front.jpg', packed, zipfile.ZIP_DEFLATED)
        huge = bytearray(packed)
        huge[16:24] = struct.pack('>II', 20000, 20032)
        archive.writestr('0000001_back.jpg', bytes(huge))
    foreign = replace(place_map, thumbnails=ThumbnailFile(tmp_path / 'pictures.zip'))
    assert cells(picture(foreign))[2:] == [(0, 0, 0)] * 2


def test_the_bar_tells_whether_the_place_is_accepted(place_map):
    assert tuple(picture(place_map)[-1, -1].tolist()) == GREEN
    assert tuple(picture(place_map, accepted=False)[-1, -1].tolist()) == RED


def bar(*arguments, **options):
    return picture(*arguments, **options)[2 * HEIGHT :]


def test_the_bar_has_the_similarity_and_says_when_there_are_no_pictures(place_map):
    bare = replace(place_map, thumbnails=None)
    assert (bar(place_map) == (255, 255, 255)).all(axis=-1).any()
    assert (bar(place_map) != bar(place_map, None)).any()
    assert (bar(place_map) != bar(bare)).any()
    assert cells(picture(bare))[2:] == [(0, 0, 0)] * 2
