"""Decoding: whatever a camera driver sends becomes RGB, or an error that says why not."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
from husky_placerec.data.images import decode_image
from husky_placerec.data.raw_images import UnknownEncoding
from husky_placerec.data.source import decode_frame
from husky_placerec.errors import InputError
import numpy as np
import pytest
from support.builders import (
    COMPRESSED,
    compressed,
    encode,
    frame,
    RAW,
    raw,
    smooth_image,
    START_NS,
    TYPES,
)

RGB = smooth_image(1, 37, 23, cells=5)
ALPHA = np.full((23, 37, 1), 77, np.uint8)
GREY = cv2.cvtColor(RGB, cv2.COLOR_RGB2GRAY)
GREY_RGB = np.dstack([GREY] * 3)
CHANNELS = {
    'rgb8': RGB,
    'bgr8': RGB[..., ::-1],
    'rgba8': np.dstack([RGB, ALPHA]),
    'bgra8': np.dstack([RGB[..., ::-1], ALPHA]),
    'mono8': GREY[..., None],
}


def raw_image(encoding, padding=0):
    rows = CHANNELS[encoding].reshape(23, -1)
    noise = np.full((23, padding), 199, np.uint8)
    return raw(START_NS, encoding, np.hstack([rows, noise]), width=37)


def as_namespace(message):
    """Make what another ROS library would hand over: the same names, data as bytes."""
    values = {name: getattr(message, name) for name in message.__dataclass_fields__}
    return SimpleNamespace(**{**values, 'data': message.data.tobytes()})


def from_the_wire(message):
    return TYPES.deserialize_cdr(
        TYPES.serialize_cdr(message, message.__msgtype__), message.__msgtype__
    )


HANDED_OVER = pytest.mark.parametrize('handed', [from_the_wire, as_namespace])


@HANDED_OVER
@pytest.mark.parametrize('padding', [0, 5])
@pytest.mark.parametrize('encoding', list(CHANNELS))
def test_raw_images_become_rgb(encoding, padding, handed):
    pixels = decode_image(handed(raw_image(encoding, padding)))
    expected = GREY_RGB if encoding == 'mono8' else RGB
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, expected)


@HANDED_OVER
@pytest.mark.parametrize(('suffix', 'off'), [('.png', 0), ('.jpg', 16)])
def test_compressed_images_become_rgb(suffix, off, handed):
    pixels = decode_image(handed(compressed(START_NS, encode(RGB, suffix))))
    assert pixels.shape == RGB.shape
    assert pixels.dtype == np.uint8
    assert abs(pixels.astype(int) - RGB).mean() <= off
    assert abs(pixels.astype(int) - RGB[..., ::-1]).mean() > 20


def test_a_grey_png_becomes_rgb():
    data = cv2.imencode('.png', GREY)[1].tobytes()
    np.testing.assert_array_equal(decode_image(compressed(0, data)), GREY_RGB)


@HANDED_OVER
@pytest.mark.parametrize(
    'data',
    [b'', b'\0', b'not an image' * 99, encode(RGB, '.png')[:30], encode(RGB, '.jpg')[:30]],
    ids=['empty', 'one byte', 'text', 'cut png', 'cut jpeg'],
)
def test_bytes_that_are_no_image_are_counted_in_the_message(data, handed):
    with pytest.raises(InputError, match=rf"^{len(data)} bytes \('jpeg'\)"):
        decode_image(handed(compressed(0, data, 'jpeg')))


@pytest.mark.parametrize(
    'change',
    [
        {'data': b''},
        {'data': bytes(23 * 37 * 3 - 1)},
        {'step': 37 * 3 - 1},
        {'step': 0},
        {'width': 38},
        {'height': 24},
        {'width': 0},
        {'height': 0},
        {'encoding': 'rgba8'},
    ],
    ids=str,
)
def test_a_raw_image_whose_sizes_do_not_agree_is_refused(change):
    message = SimpleNamespace(**{**vars(as_namespace(raw_image('rgb8'))), **change})
    with pytest.raises(InputError, match=r'bytes for \d+x\d+ rgba?8, \d+ bytes a row'):
        decode_image(message)


@pytest.mark.parametrize('encoding', ['16UC1', '32FC1', 'i420', 'RGB8', ''])
def test_an_encoding_that_says_nothing_of_colour_is_told_apart(encoding):
    with pytest.raises(UnknownEncoding, match=rf"encoding '{encoding}'; expected rgb8, bgr8"):
        decode_image(raw(0, encoding, np.zeros((2, 6), np.uint8), 2))


def test_decoding_does_not_change_the_message():
    message = raw_image('bgr8')
    before = message.data.copy()
    decode_image(message)[:] = 0
    np.testing.assert_array_equal(message.data, before)


def test_the_images_of_a_frame_are_decoded_by_camera():
    decoded = decode_frame(
        frame(front=raw_image('bgr8'), back=compressed(1, encode(GREY_RGB))), ''
    )
    np.testing.assert_array_equal(decoded.images['front'], RGB)
    np.testing.assert_array_equal(decoded.images['back'], GREY_RGB)
    assert (decoded.stamp_ns, list(decoded.image_stamps_ns)) == (START_NS, ['front', 'back'])


def test_a_broken_image_in_a_frame_is_named_by_source_camera_and_stamp():
    broken = frame(front=raw_image('rgb8'), back=compressed(1, b'broken'))
    with pytest.raises(InputError, match=rf'^my\.mcap: back image at {START_NS}: 6 bytes'):
        decode_frame(broken, 'my.mcap')


def test_the_two_message_types_are_those_of_ros():
    assert (compressed(0).__msgtype__, raw_image('rgb8').__msgtype__) == (COMPRESSED, RAW)
