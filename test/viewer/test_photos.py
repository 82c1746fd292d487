"""The images of frames and places: from their drive, else from the map, else a sentence."""

from __future__ import annotations

from dataclasses import replace
import shutil

import cv2
from husky_placerec.config import make_config
from husky_placerec.placemap.loading import load_map
from husky_placerec.viewer.finding import Finder
from husky_placerec.viewer.photos import Album, jpeg_of, MOST_OPEN, WIDTH
from husky_placerec.viewer.places import ShownPlaces
from husky_placerec.viewer.results import read_results
import numpy as np
import pytest
from support.builders import smooth_image, START_NS, track_rows, write_csv, write_track_folder
from support.shown_drives import images_of

NEEDS = 'sklearn', 'matplotlib', 'jinja2'


def pixels(jpeg):
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(float)


def is_like(photo, image):
    """Return whether a photo shows an image, by and large."""
    shown = pixels(photo.jpeg)
    scaled = cv2.resize(image, shown.shape[1::-1], interpolation=cv2.INTER_AREA)
    return np.abs(shown - scaled).mean() < 12


@pytest.fixture
def album():
    return Album(make_config({}), Finder())


def test_a_frame_has_the_images_of_its_drive(world, album):
    (run,) = read_results(world / 'replayed', Finder()).runs
    stamps = run.recognition(4).image_stamps_ns
    found = album.of_frame(run.source, run.recognition(4).stamp_ns, stamps, True)
    assert found.note == ''
    for camera, image in images_of(4, 1004).items():
        assert is_like(found.by_camera[camera], image)
        assert not is_like(found.by_camera[camera], images_of(5)[camera])


def test_a_place_has_the_images_of_the_mapped_drive(world, album):
    places = ShownPlaces.of_map(load_map(world / 'tiny.map'))
    found = album.of_place(places, 7, True)
    assert all(is_like(found.by_camera[camera], image) for camera, image in images_of(7).items())
    assert not any(photo.small for photo in found.by_camera.values())


def test_where_the_drive_has_moved_the_thumbnails_are_shown_and_it_is_said(world, album):
    places = ShownPlaces.of_map(load_map(world / 'tiny.map'))
    places = replace(places, sources={'mapped': '/no/such/drive'})
    found = album.of_place(places, 7, True)
    assert found.note == '/no/such/drive: this drive is not there'
    assert all(photo.small for photo in found.by_camera.values())
    assert all(is_like(found.by_camera[camera], image) for camera, image in images_of(7).items())
    bare = album.of_place(replace(places, thumbnails=None), 7, True)
    assert (dict(bare.by_camera), bare.note) == ({}, found.note)


def test_images_outside_of_the_folder_of_their_table_are_not_shown(world, tmp_path, album):
    drive = shutil.copytree(world / 'mapped', tmp_path / 'drive')
    table = (drive / 'frames.csv').read_text()
    outside = world / 'mapped' / 'front_0.png'
    (drive / 'frames.csv').write_text(table.replace('front_0.png', str(outside)))
    found = album.of_frame(str(drive), 1_700_000_000 * 10**9, {}, True)
    assert 'outside' in found.note and not found.by_camera


def test_a_frame_that_is_not_in_the_drive_is_told(world, album):
    found = album.of_frame(str(world / 'mapped'), 5, {}, True)
    assert 'no frame at 5' in found.note


def test_a_broken_image_is_told(tmp_path, world, album):
    drive = shutil.copytree(world / 'mapped', tmp_path / 'drive')
    (drive / 'back_0.png').write_bytes(b'<script>')
    found = album.of_frame(str(drive), 1_700_000_000 * 10**9, {}, True)
    assert 'back image' in found.note and not found.by_camera


def test_masks_and_texts_of_a_track_are_drawn_over_its_images(tmp_path, album):
    track = write_track_folder(tmp_path / 'track', track_rows(2))
    stamp_ns = track_rows(2)[0][1]
    mask = np.zeros((48, 64), np.uint8)
    mask[:, 32:] = 30
    (track / 'masks' / 'front_cam').mkdir(parents=True)
    cv2.imwrite(str(track / 'masks' / 'front_cam' / f'{stamp_ns}.png'), mask)
    row = [f'front_cam/{stamp_ns}.png', 'аптека', 4, 5, 20, 30]
    write_csv(
        track / 'text_labels' / 'front_cam_text_labels.csv',
        ['path', 'text', 'x0', 'y0', 'x1', 'y1'],
        [row],
    )
    plain, drawn = (
        album.of_frame(str(track), START_NS, {}, annotated).by_camera['front']
        for annotated in (False, True)
    )
    assert (plain.texts, drawn.texts) == ((), ('аптека',))
    changed = np.abs(pixels(drawn.jpeg) - pixels(plain.jpeg)).mean(axis=2)
    assert changed[:, 36:].mean() > 20
    assert changed[10:25, 4].mean() > 20  # the box of the text


def test_an_album_keeps_few_drives_open(tmp_path, album):
    drives = [write_track_folder(tmp_path / f'{n}', track_rows(1)) for n in range(MOST_OPEN + 2)]
    for drive in [*drives, drives[0]]:
        assert album.of_frame(str(drive), START_NS, {}, False).note == ''
    assert len(album._open) == MOST_OPEN


def test_a_photo_is_small_whatever_the_image_is():
    wide, high = smooth_image(1, 1280, 100, 40), np.zeros((9000, 30, 3), np.uint8)
    assert pixels(jpeg_of(wide)).shape[1] == WIDTH
    assert pixels(jpeg_of(high)).shape[0] <= 5 * WIDTH
