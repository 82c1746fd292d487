"""Uploaded images and tables: decoded as images only, within limits."""

from __future__ import annotations

from husky_placerec.errors import InputError
from husky_placerec.viewer.uploads import (
    decoded,
    frames_of,
    MOST_MB,
    MOST_ROWS,
    read_names,
    uploaded_frame,
)
import numpy as np
import pytest
from support.builders import encode, smooth_image

CAMERAS = ('front', 'back')


def test_a_pair_of_images_is_a_frame():
    front, back = smooth_image(1, 64, 48, 8), smooth_image(2, 64, 48, 8)
    frame = uploaded_frame({'front': ('a.png', encode(front)), 'back': ('b.png', encode(back))})
    assert frame.cameras == CAMERAS
    assert np.array_equal(frame.images['front'], front)
    assert np.array_equal(frame.images['back'], back)


@pytest.mark.parametrize(
    'content', [b'', b'<svg onload=alert(1)>', b'\x89PNG\r\n\x1a\n broken', b'PK\x03\x04']
)
def test_what_is_no_image_is_refused_by_its_name(content):
    with pytest.raises(InputError, match=r'holiday\.jpg'):
        decoded('holiday.jpg', content)


def test_a_file_that_is_too_large_is_not_decoded():
    with pytest.raises(InputError, match=f'up to {MOST_MB} MB'):
        decoded('large.jpg', bytes(MOST_MB * 2**20 + 1))


def test_an_image_of_too_many_pixels_is_not_decoded():
    header = bytearray(encode(smooth_image(1, 64, 48, 8)))
    header[16:24] = (60_000).to_bytes(4, 'big') * 2
    with pytest.raises(InputError, match='60000x60000'):
        decoded('bomb.png', bytes(header))


@pytest.mark.parametrize(
    'text',
    [
        'front,back\nf/1.png,b/1.png\nf/2.png,\n',
        '\ufeffstamp;Back_cam;front_image\n1;b\\1.png;c:\\f\\1.png\n2;;../../f/2.png\n',
        'query\tleft one\tother\n0\t1.png\t1.png\n',
    ],
)
def test_a_table_names_an_image_a_camera(text):
    rows = read_names('names.csv', text.encode(), CAMERAS)
    assert rows[0].files == {'front': '1.png', 'back': '1.png'}
    assert [row.row for row in rows] == list(range(2, 2 + len(rows)))
    if len(rows) == 2:
        assert rows[1].files == {'front': '2.png'}


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        (b'', '0 lines'),
        (b'front,back\n', '1 lines'),
        (b'a,b\n1,2\n', 'found the columns a, b'),
        (b'front\n\xff\xfe.png\n', 'CSV'),
        (b'front\n' + b'a.png\n' * (MOST_ROWS + 1), f'to {MOST_ROWS} rows'),
    ],
)
def test_a_table_that_names_no_images_is_refused(content, words):
    with pytest.raises(InputError, match=words):
        read_names('names.csv', content, CAMERAS)


def test_only_images_that_were_uploaded_are_used():
    rows = read_names('names.csv', b'front,back\n/etc/1.png,2.png\n3.png,4.png\n', CAMERAS)
    found = frames_of(rows, {'1.png': b'one', '4.png': b'four'})
    assert [images for _, images in found] == [
        {'front': ('1.png', b'one')},
        {'back': ('4.png', b'four')},
    ]
    with pytest.raises(InputError, match=r'names 1\.png'):
        frames_of(rows, {'other.png': b''})
