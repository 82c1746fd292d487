"""Images that are too large, or no colours: refused by their header, before they are decoded."""

from __future__ import annotations

import struct
from types import SimpleNamespace
import zlib

import cv2
from husky_placerec.data import images
from husky_placerec.data.image_header import read_header
from husky_placerec.data.images import decode_image
from husky_placerec.errors import InputError
import numpy as np
import pytest
from support.builders import compressed, encode, RAW, raw, smooth_image, TYPES

RGB = smooth_image(3, 67, 53, cells=5)
DEPTH = np.arange(67 * 53, dtype=np.uint16).reshape(53, 67)


def png_of_size(width, height):
    """Make a PNG whose header says a size; it has no pixels."""
    header = b'IHDR' + struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n\0\0\0\r' + header + struct.pack('>I', zlib.crc32(header))


def jpeg_of_size(width, height):
    """Change the size in the header of a JPEG, behind an EXIF segment with another header."""
    jpeg = bytearray(encode(RGB, '.jpg'))
    at = jpeg.index(b'\xff\xc0')
    jpeg[at + 5 : at + 9] = struct.pack('>HH', height, width)
    decoy = encode(RGB[:8, :8], '.jpg')
    return bytes(jpeg[:2]) + b'\xff\xe1' + struct.pack('>H', len(decoy) + 2) + decoy + jpeg[2:]


@pytest.mark.parametrize(
    'suffix', ['.png', '.jpg', '.bmp', '.webp', '.tiff', '.gif', '.ppm', '.pgm', '.pbm']
)
def test_the_header_says_the_size_that_the_decoder_finds(suffix):
    picture = RGB if suffix not in ('.pgm', '.pbm') else RGB[..., 0]
    data = cv2.imencode(suffix, picture)[1].tobytes()
    assert read_header(data)[1:3] == (67, 53)
    assert decode_image(compressed(0, data)).shape == RGB.shape
    with pytest.raises(InputError, match=r'67x53 .*max_pixels \(3550\)'):
        decode_image(compressed(0, data), 67 * 53 - 1)


@pytest.mark.parametrize('quality', [50, 101], ids=['lossy', 'lossless'])
def test_the_size_of_a_webp_is_read_in_both_of_its_kinds(quality):
    data = cv2.imencode('.webp', RGB, [cv2.IMWRITE_WEBP_QUALITY, quality])[1].tobytes()
    assert read_header(data) == ('webp', 67, 53, 8)


@pytest.mark.parametrize('suffix', ['.png', '.jpg', '.bmp', '.webp', '.tiff', '.gif', '.ppm'])
def test_a_file_that_is_cut_anywhere_is_read_or_refused(suffix):
    data = cv2.imencode(suffix, RGB)[1].tobytes()
    for end in range(0, len(data), max(1, len(data) // 300)):
        assert read_header(data[:end]) in (None, read_header(data))


@pytest.mark.parametrize('make', [png_of_size, jpeg_of_size])
def test_a_small_file_of_a_huge_image_is_never_given_to_the_decoder(make, monkeypatch):
    monkeypatch.setattr(images, '_decoded', lambda *_: pytest.fail('the decoder was called'))
    with pytest.raises(InputError, match=r'20000x20032 .*more than max_pixels \(50000000\)'):
        decode_image(compressed(0, make(20000, 20032)))


def test_a_raw_image_may_have_more_pixels_only_if_the_limit_is_raised():
    message = raw(0, 'mono8', np.zeros((20, 30), np.uint8), 30)
    assert decode_image(message, 600).shape == (20, 30, 3)
    with pytest.raises(InputError, match=r"30x20 \('mono8'\), which is more than max_pixels"):
        decode_image(message, 599)


@pytest.mark.parametrize('encoding', ['rgb8', 'nv12', '16UC1', 'unknown'])
@pytest.mark.parametrize(('width', 'height'), [(2**32 - 1, 2**32 - 1), (2**31, 1), (1, 2**31)])
def test_an_absurd_size_of_a_raw_image_is_refused_whatever_its_encoding(encoding, width, height):
    message = SimpleNamespace(
        width=width, height=height, encoding=encoding, step=0, data=b'', is_bigendian=0
    )
    with pytest.raises(InputError, match='more than max_pixels') as caught:
        decode_image(message)
    assert type(caught.value) is InputError  # cv_bridge is not asked


def test_a_raw_image_that_does_not_fit_its_data_says_what_it_needs():
    message = TYPES.types[RAW](None, 20, 30, 'rgb8', 0, 90, np.zeros(1799, np.uint8))
    with pytest.raises(InputError, match=r'^1799 bytes for 30x20 rgb8.*expected 1800 bytes'):
        decode_image(message)


@pytest.mark.parametrize(
    ('form', 'data'),
    [
        ('16UC1; png compressed ', cv2.imencode('.png', DEPTH)[1].tobytes()),
        ('16UC1; png', cv2.imencode('.png', DEPTH)[1].tobytes()),
        ('png', cv2.imencode('.png', DEPTH)[1].tobytes()),
        ('000123.png', cv2.imencode('.png', cv2.merge([DEPTH] * 3))[1].tobytes()),
        ('16UC1; compressedDepth png', bytes(12) + cv2.imencode('.png', DEPTH)[1].tobytes()),
        ('32FC1; compressedDepth', bytes(12) + cv2.imencode('.png', DEPTH)[1].tobytes()),
        ('16UC1; compressedDepth rvl', bytes(400)),
        ('32FC1; tiff compressed', cv2.imencode('.tiff', DEPTH.astype(np.float32))[1].tobytes()),
        ('tiff', cv2.imencode('.tiff', DEPTH)[1].tobytes()),
        ('', cv2.imencode('.pgm', DEPTH)[1].tobytes()),
    ],
    ids=lambda value: value if isinstance(value, str) else '',
)
def test_a_depth_image_is_not_taken_for_colours(form, data):
    with pytest.raises(InputError, match=r'^a depth image \(format .*expected an image of col'):
        decode_image(compressed(0, data, form))


@pytest.mark.parametrize('encoding', ['mono16', 'bgr16', 'bayer_rggb16'])
def test_colours_of_16_bits_that_the_format_names_are_decoded(encoding):
    grey = DEPTH if encoding != 'bgr16' else cv2.merge([DEPTH] * 3)
    message = compressed(0, cv2.imencode('.png', grey)[1].tobytes(), f'{encoding}; png compressed')
    assert decode_image(message)[..., 0].tolist() == (DEPTH >> 8).tolist()
