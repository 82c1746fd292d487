"""Masks of drives: those of a track and of a bag come with their images, bad ones are refused."""

from __future__ import annotations

import cv2
from husky_placerec.config import make_config
from husky_placerec.data.source import decoded_frames, open_source
from husky_placerec.semantics.checking import MaskError
from husky_placerec.semantics.tables import tables
import numpy as np
import pytest
from support.builders import (
    BACK,
    compressed,
    encode,
    FRONT,
    MS,
    raw,
    START_NS,
    track_rows,
    write_bag,
    write_track_folder,
)
from support.camera_bags import images, in_order, seconds

ON = make_config({'masks': True})
SHAPE = 48, 64  # of the images of small tracks and bags
COUNT = 4


def classes(number):
    return np.full(SHAPE, number, np.uint8)


def png(mask):
    return cv2.imencode('.png', mask)[1].tobytes()


def write_masks(folder, content, camera='front'):
    """Write a mask for each image of a camera; return the folder."""
    column = {'front': 1, 'back': 2}[camera]
    (folder / 'masks' / f'{camera}_cam').mkdir(parents=True)
    for row in track_rows(COUNT):
        (folder / 'masks' / f'{camera}_cam' / f'{row[column] // 1000}.png').write_bytes(content)
    return folder


def frames_of(path, config=ON):
    with open_source(path) as source:
        frames = list(decoded_frames(source, source.frames(config)))
        return frames, source.problems.lines()


@pytest.fixture
def folder(tmp_path):
    return write_track_folder(tmp_path / 'track', track_rows(COUNT))


def test_the_masks_of_a_track_come_where_masks_are_on(folder):
    write_masks(folder, png(classes(55)))
    frames, problems = frames_of(folder)
    assert all(list(frame.masks) == [FRONT] for frame in frames)
    assert all((frame.masks[FRONT] == 55).all() for frame in frames)
    assert [line for line in problems if 'missing mask' in line] == [
        f'{COUNT} x missing mask: '
        + ', '.join(f'masks/back_cam/{row[2]}.png' for row in track_rows(COUNT)[:3])
        + ', ...'
    ]
    assert not any(frame.masks for frame in frames_of(folder, make_config({}))[0])


def test_a_fingerprint_knows_of_masks(folder):
    def fingerprint(config):
        with open_source(folder) as source:
            return source.fingerprint(config)

    without = fingerprint(make_config({}))
    before = fingerprint(ON)
    write_masks(folder, png(classes(55)))
    assert len({without, before, fingerprint(ON)}) == 3
    assert fingerprint(make_config({})) == without
    assert fingerprint(make_config({'masks': True, 'mask_floor': 0.5})) != fingerprint(ON)


@pytest.mark.parametrize(
    ('content', 'said'),
    [
        (png(np.zeros((24, 32), np.uint8)), 'the mask is 32x24, its image 64x48'),
        (encode(tables()['voc'].colours[np.resize([0, 7, 15], SHAPE)]), 'those of PASCAL VOC'),
        (png(classes(99)), 'the numbers 99; expected 0 to 64 .* mask_classes: ade20k'),
    ],
    ids=['size', 'colours', 'numbers'],
)
def test_masks_that_are_not_as_the_parameters_say_end_the_reading(folder, content, said):
    write_masks(folder, content)
    with pytest.raises(MaskError, match=rf'front_cam.*: .*{said}'):
        frames_of(folder)


def test_a_mask_that_does_not_decode_is_noted_and_done_without(folder):
    write_masks(folder, b'nothing')
    frames, problems = frames_of(folder)
    assert not any(frame.masks for frame in frames)
    assert any('front mask that does not decode, done without' in line for line in problems)


@pytest.mark.parametrize('transport', ['raw', 'compressed'])
def test_the_masks_of_a_bag_are_paired_by_stamp_though_they_are_recorded_later(
    transport, tmp_path
):
    stamps = seconds(COUNT)
    made = [
        raw(ns, 'mono8', classes(number), SHAPE[1])
        if transport == 'raw'
        else compressed(ns, png(classes(number)))
        for number, ns in enumerate(stamps)
        if number != 2
    ]
    both = in_order(images(FRONT, stamps), images(BACK, stamps))
    # Each mask is recorded behind the images of the next second.
    order = [*both[:4], ('/front/mask', made[0]), *both[4:]]
    order += [('/front/mask', each) for each in made[1:]]
    path = write_bag(tmp_path / 'bag', order)
    config = make_config(
        {
            'masks': True,
            'camera.front.mask_topic': 'front/mask',
            'camera.front.mask_transport': transport,
        }
    )
    frames, _ = frames_of(path, config)
    assert [frame.stamp_ns for frame in frames] == stamps
    assert [list(frame.masks) for frame in frames] == [[FRONT], [FRONT], [], [FRONT]]
    for number in (0, 1, 3):
        assert (frames[number].masks[FRONT] == number).all()
    assert START_NS + MS not in stamps


def test_a_raw_mask_of_another_encoding_is_noted(tmp_path):
    stamps = seconds(COUNT)
    rows = np.zeros((SHAPE[0], SHAPE[1] * 4), np.uint8)
    masks = [('/front/mask', raw(ns, '32FC1', rows, SHAPE[1])) for ns in stamps]
    path = write_bag(tmp_path / 'bag', in_order(images(FRONT, stamps), masks))
    config = make_config(
        {'cameras': ['front'], 'masks': True, 'camera.front.mask_topic': 'front/mask'}
    )
    frames, problems = frames_of(path, config)
    assert not any(frame.masks for frame in frames)
    assert any("encoding is '32FC1'; expected a mask in mono8" in line for line in problems)
