"""Raw images: each encoding that a driver may send becomes RGB, or is refused by its name."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import cv2
from husky_placerec.data.images import decode_image
from husky_placerec.errors import InputError
import numpy as np
import pytest
from support.builders import raw, smooth_image, START_NS

RGB = smooth_image(1, 36, 24, cells=6)
# The encodings that cv_bridge converts to rgb8: type, channels, and the codes of OpenCV that its
# table (cv_bridge.cpp, getConversionCodes) has for them. A change of depth comes last.
LIKE_CV_BRIDGE = {
    'rgb8': ('u1', 3, None),
    'bgr8': ('u1', 3, cv2.COLOR_BGR2RGB),
    'rgba8': ('u1', 4, cv2.COLOR_RGBA2RGB),
    'bgra8': ('u1', 4, cv2.COLOR_BGRA2RGB),
    'mono8': ('u1', 1, cv2.COLOR_GRAY2RGB),
    'rgb16': ('u2', 3, None),
    'bgr16': ('u2', 3, cv2.COLOR_BGR2RGB),
    'rgba16': ('u2', 4, cv2.COLOR_RGBA2RGB),
    'bgra16': ('u2', 4, cv2.COLOR_BGRA2RGB),
    'mono16': ('u2', 1, cv2.COLOR_GRAY2RGB),
    'bayer_rggb8': ('u1', 1, cv2.COLOR_BayerBG2RGB),
    'bayer_bggr8': ('u1', 1, cv2.COLOR_BayerRG2RGB),
    'bayer_gbrg8': ('u1', 1, cv2.COLOR_BayerGR2RGB),
    'bayer_grbg8': ('u1', 1, cv2.COLOR_BayerGB2RGB),
    'bayer_rggb16': ('u2', 1, cv2.COLOR_BayerBG2RGB),
    'bayer_bggr16': ('u2', 1, cv2.COLOR_BayerRG2RGB),
    'bayer_gbrg16': ('u2', 1, cv2.COLOR_BayerGR2RGB),
    'bayer_grbg16': ('u2', 1, cv2.COLOR_BayerGB2RGB),
    'yuv422': ('u1', 2, cv2.COLOR_YUV2RGB_UYVY),
    'yuv422_yuy2': ('u1', 2, cv2.COLOR_YUV2RGB_YUY2),
}
# What OpenCV calls its matrices, and names that nobody knows: cv_bridge refuses them.
REFUSED = [
    *(f'{depth}C{n}' for depth in ('8U', '8S', '16U', '16S', '32S', '32F', '64F') for n in (1, 3)),
    *('8UC4', '16UC4', 'i420', 'jpeg', 'RGB8', 'nonsense', ''),
]


def ros_message(encoding, rows, width, height=None, big_endian=False):
    """Make a sensor_msgs/Image of [height, step] bytes."""
    Image = pytest.importorskip('sensor_msgs.msg').Image
    rows = np.ascontiguousarray(rows)
    message = Image(height=height or len(rows), width=width, encoding=encoding, step=len(rows[0]))
    message.is_bigendian = int(big_endian)
    message.data.frombytes(rows.tobytes())
    return message


def noise(encoding):
    """Return random numbers as an image of 8 x 12 pixels has them, with all their bits."""
    dtype, channels, _ = LIKE_CV_BRIDGE[encoding]
    values = np.random.default_rng(3).integers(0, 2 ** (8 * int(dtype[1])), (8, 12, channels))
    return values.astype(dtype)


@pytest.mark.parametrize('big_endian', [False, True])
@pytest.mark.parametrize('encoding', LIKE_CV_BRIDGE)
def test_the_picture_is_the_one_that_opencv_and_cv_bridge_make(encoding, big_endian):
    values = noise(encoding)
    *_, code = LIKE_CV_BRIDGE[encoding]
    expected = values if code is None else cv2.cvtColor(values, code)
    if expected.dtype == np.uint16:
        expected = np.rint(expected / 257).astype(np.uint8)
    wire = values.astype(values.dtype.newbyteorder('>' if big_endian else '<'))
    rows = np.frombuffer(wire.tobytes(), np.uint8).reshape(8, -1)
    message = raw(START_NS, encoding, rows, width=12)
    message.is_bigendian = int(big_endian)
    np.testing.assert_array_equal(decode_image(message), expected)

    cv_bridge = pytest.importorskip('cv_bridge')  # ROS' own, or the stand-in
    theirs = cv_bridge.CvBridge().imgmsg_to_cv2(
        ros_message(encoding, rows, 12, big_endian=big_endian), 'rgb8'
    )
    np.testing.assert_array_equal(theirs, expected)


@pytest.mark.parametrize('encoding', REFUSED)
def test_what_is_no_colour_is_refused_with_its_name_and_those_that_are(encoding):
    pytest.importorskip('sensor_msgs')
    from husky_placerec.ros.conversions import to_pixels

    message = ros_message(encoding, np.zeros((4, 256), np.uint8), width=4)
    with pytest.raises(InputError) as refused:
        to_pixels(message)
    assert f'encoding {encoding!r}; expected rgb8, bgr8, mono8' in str(refused.value)
    assert 'cv_bridge' in str(refused.value)


def test_a_cv_bridge_that_was_built_for_another_numpy_costs_one_image(monkeypatch):
    pytest.importorskip('sensor_msgs')
    from husky_placerec.ros import conversions

    class Broken:
        def imgmsg_to_cv2(self, *_):
            raise AttributeError('_ARRAY_API not found')

    monkeypatch.setitem(sys.modules, 'cv_bridge', SimpleNamespace(CvBridge=Broken))
    with pytest.raises(InputError, match=r"'8UC3'.*_ARRAY_API not found"):
        conversions.to_pixels(ros_message('8UC3', np.zeros((4, 12), np.uint8), width=4))


# --- brightness first, colour behind it -----------------------------------------------------


def semi_planar(encoding, padding=0):
    """Return RGB in that encoding as bytes, by OpenCV's I420; rows of brightness are padded."""
    height, width = RGB.shape[:2]
    i420 = cv2.cvtColor(RGB, cv2.COLOR_RGB2YUV_I420).ravel()
    luma = i420[: height * width].reshape(height, width)
    u, v = i420[height * width :].reshape(2, height // 2, width // 2)
    if encoding == 'nv24':
        u, v = (np.repeat(np.repeat(c, 2, 0), 2, 1) for c in (u, v))
    pairs = np.dstack([v, u] if encoding == 'nv21' else [u, v])
    rows = 2 if encoding == 'nv24' else 1  # of brightness, in a row of colour
    chroma = pairs.reshape(-1, rows * width)
    planes = np.pad(luma, ((0, 0), (0, padding))), np.pad(chroma, ((0, 0), (0, rows * padding)))
    return b''.join(plane.tobytes() for plane in planes)


@pytest.mark.parametrize('padding', [0, 4])
@pytest.mark.parametrize('encoding', ['nv12', 'nv21', 'nv24'])
def test_brightness_before_colour_becomes_rgb(encoding, padding):
    data = semi_planar(encoding, padding)
    expected = cv2.cvtColor(cv2.cvtColor(RGB, cv2.COLOR_RGB2YUV_I420), cv2.COLOR_YUV2RGB_I420)
    message = SimpleNamespace(height=24, width=36, encoding=encoding, step=36 + padding, data=data)
    pixels = decode_image(message)
    assert pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - expected).max() <= 1


@pytest.mark.parametrize('change', [{'step': 35}, {'data': b''}, {'height': 25}, {'width': 0}])
@pytest.mark.parametrize('encoding', ['nv12', 'nv21', 'nv24'])
def test_sizes_that_do_not_agree_are_refused(encoding, change):
    data = semi_planar(encoding)
    message = SimpleNamespace(height=24, width=36, encoding=encoding, step=36, data=data)
    with pytest.raises(InputError, match=rf'\dx\d+ {encoding}'):
        decode_image(SimpleNamespace(**{**vars(message), **change}))


@pytest.mark.parametrize('encoding', ['nv12', 'nv21'])
def test_an_odd_size_has_no_halves(encoding):
    message = SimpleNamespace(height=3, width=5, encoding=encoding, step=6, data=bytes(60))
    with pytest.raises(InputError, match=rf'5x3 {encoding} cannot be converted'):
        decode_image(message)


# --- what the colours are, told by other means ----------------------------------------------


def wide(pixels):
    """Return the same colours in 16 bits."""
    return pixels.astype(np.uint16) * 257


# Where in each 2x2 of the sensor the red, the two green and the blue pixels are.
BAYER = {'rggb': 'rggb', 'bggr': 'bggr', 'gbrg': 'gbrg', 'grbg': 'grbg'}


@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('pattern', BAYER)
def test_mosaics_of_a_sensor_become_rgb(pattern, bits):
    colour = np.array([200, 120, 40], np.uint8)
    mosaic = np.empty((16, 20), np.uint8)
    for position, letter in enumerate(BAYER[pattern]):
        mosaic[position // 2 :: 2, position % 2 :: 2] = colour['rgb'.index(letter)]
    rows = mosaic if bits == 8 else wide(mosaic).astype('<u2').view(np.uint8).reshape(16, -1)
    pixels = decode_image(raw(START_NS, f'bayer_{pattern}{bits}', rows, width=20))
    assert np.abs(pixels[4:-4, 4:-4].astype(int) - colour).max() <= 1


@pytest.mark.parametrize('encoding', ['yuv422', 'uyvy', 'yuv422_yuy2', 'yuyv'])
def test_brightness_and_colour_of_two_pixels_become_rgb(encoding):
    y, u, v = np.moveaxis(cv2.cvtColor(RGB, cv2.COLOR_RGB2YUV), 2, 0).astype(float)
    luma = 16 + y * 219 / 255
    chroma = [128 + (c - 128)[:, ::2] * scale for c, scale in ((u, 1.0), (v, 0.8))]
    rows = np.empty((24, 72))
    first = 1 if encoding in ('yuv422', 'uyvy') else 0
    rows[:, first::2] = luma
    rows[:, 1 - first :: 4], rows[:, 3 - first :: 4] = chroma
    pixels = decode_image(raw(START_NS, encoding, rows.round().astype(np.uint8), width=36))
    assert np.median(np.abs(pixels.astype(int) - RGB)) < 12


@pytest.mark.parametrize('encoding', ['bayer_rggb8', 'yuv422', 'mono16'])
def test_a_step_that_contradicts_the_width_is_refused(encoding):
    with pytest.raises(InputError, match=f'for 64x4 {encoding}, 10 bytes a row'):
        decode_image(raw(START_NS, encoding, np.zeros((4, 10), np.uint8), width=64))


def test_a_mosaic_of_one_pixel_is_refused_not_fatal():
    message = raw(START_NS, 'bayer_rggb8', np.zeros((1, 1), np.uint8), width=1)
    try:
        assert decode_image(message).shape == (1, 1, 3)
    except InputError as error:
        assert 'bayer_rggb8' in str(error)
