"""A stand-in for ROS's cv_bridge where ROS is not installed: raw images to NumPy and back."""

import re
from typing import NamedTuple

import cv2
import numpy as np
from sensor_msgs.msg import Image
from std_msgs.msg import Header

__all__ = ['CvBridge', 'CvBridgeError']

# By colour, as cv2 spells it: the channels that its encodings have.
_CHANNELS = {'GRAY': 1, 'RGB': 3, 'BGR': 3, 'RGBA': 4, 'BGRA': 4}
_YUV = {'yuv422': 'UYVY', 'yuv422_yuy2': 'YUY2'}
# OpenCV names a pattern by its second row, ROS by its first.
_BAYER = {'rggb': 'BayerBG', 'bggr': 'BayerRG', 'gbrg': 'BayerGR', 'grbg': 'BayerGB'}
_DTYPES = {
    '8U': 'uint8',
    '8S': 'int8',
    '16U': 'uint16',
    '16S': 'int16',
    '32S': 'int32',
    '32F': 'float32',
    '64F': 'float64',
}
_DEPTHS = {dtype: depth for depth, dtype in _DTYPES.items()}
_WIDER = {(1, 2): 257.0, (2, 1): 1 / 257.0}  # bytes before and after: white stays white


class CvBridgeError(TypeError):
    """An image cannot be converted; the message says why."""


class _Layout(NamedTuple):
    dtype: np.dtype
    channels: int
    colour: str  # as cv2 spells it, or empty where the encoding tells nothing about colour


def _layout(encoding: str) -> _Layout:
    if match := re.fullmatch(r'(mono|rgb|bgr|rgba|bgra)(8|16)', encoding):
        colour = match[1].upper().replace('MONO', 'GRAY')
        return _Layout(np.dtype(f'uint{match[2]}'), _CHANNELS[colour], colour)
    if match := re.fullmatch(r'bayer_(rggb|bggr|gbrg|grbg)(8|16)', encoding):
        return _Layout(np.dtype(f'uint{match[2]}'), 1, _BAYER[match[1]])
    if encoding in _YUV:
        return _Layout(np.dtype('uint8'), 2, _YUV[encoding])
    if match := re.fullmatch(r'(8U|8S|16U|16S|32S|32F|64F)C([1-9][0-9]*)', encoding):
        return _Layout(np.dtype(_DTYPES[match[1]]), int(match[2]), '')
    raise CvBridgeError(f'the image encoding {encoding!r} is not known here')


def _code(source: str, target: str) -> int | None:
    """Return cv2's code from one colour to another; None where the original has none."""
    if target not in _CHANNELS:
        return None
    if source in _YUV.values():
        return getattr(cv2, f'COLOR_YUV2{target}_{source}')
    if source in _BAYER.values() and target.endswith('A'):
        return None
    return getattr(cv2, f'COLOR_{source}2{target}')


def _to_depth(image: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Change the type of the numbers as OpenCV does: rounded, and no further than it goes."""
    if image.dtype == dtype:
        return image.copy()
    values = image * _WIDER.get((image.itemsize, dtype.itemsize), 1.0)
    if dtype.kind == 'f':
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    return np.rint(values).clip(limits.min, limits.max).astype(dtype)


def _convert(image: np.ndarray, encoding: str, desired: str) -> np.ndarray:
    """Convert as the original does, whose result never shares memory with the message."""
    if encoding == desired:
        return image.copy()
    source, target = _layout(encoding), _layout(desired)
    if target.colour and not source.colour:
        raise CvBridgeError(f'{encoding} says nothing about colour, so it cannot become {desired}')
    if not target.colour and source.channels != target.channels:
        raise CvBridgeError(f'{encoding} cannot become {desired}: the channels differ in number')
    same = source.colour == target.colour and source.colour in _CHANNELS
    if target.colour and not same:
        code = _code(source.colour, target.colour)
        if code is None:
            raise CvBridgeError(f'{encoding} cannot become {desired}')
        try:
            image = cv2.cvtColor(image, code)
        except cv2.error as error:  # an image without pixels, for one
            problem = f'OpenCV cannot convert {encoding} to {desired}: {error}'
            raise CvBridgeError(problem) from error
    return _to_depth(image, target.dtype)


class CvBridge:
    """Converts between messages and arrays."""

    def imgmsg_to_cv2(self, img_msg: Image, desired_encoding: str = 'passthrough') -> np.ndarray:
        """
        Return the image of a message, in the machine's byte order and without padding.

        With 'passthrough' the array may share its memory with the message.
        """
        dtype, channels, _ = _layout(img_msg.encoding)
        wire = dtype.newbyteorder('>' if img_msg.is_bigendian else '<')
        height, width, step = img_msg.height, img_msg.width, img_msg.step
        pixel = channels * wire.itemsize
        if step < width * pixel:
            raise CvBridgeError(
                f'the image has a step of {step} bytes, but a row of {width} pixels of '
                f'{img_msg.encoding} takes {width * pixel}'
            )
        if len(img_msg.data) < height * step:
            raise CvBridgeError(
                f'the image has {len(img_msg.data)} bytes of data, but {height} rows of {step} '
                f'bytes take {height * step}'
            )
        # By its strides, since the padding need not be a whole number of pixels.
        strides = (step, pixel, wire.itemsize)
        image = np.ndarray((height, width, channels), wire, img_msg.data, strides=strides)
        image = np.ascontiguousarray(image[..., 0] if channels == 1 else image, dtype)
        if desired_encoding == 'passthrough':
            return image
        return _convert(image, img_msg.encoding, desired_encoding)

    def cv2_to_imgmsg(
        self, cvim: np.ndarray, encoding: str = 'passthrough', header: Header | None = None
    ) -> Image:
        """Return a message with the image, which must already be in the encoding given."""
        if not isinstance(cvim, np.ndarray) or cvim.ndim not in (2, 3):
            raise CvBridgeError('an image must be a NumPy array of 2 or 3 dimensions')
        if cvim.dtype.name not in _DEPTHS:
            raise CvBridgeError(f'there is no image encoding for an array of {cvim.dtype}')
        height, width, channels = (*cvim.shape, 1)[:3]
        cv_type = f'{_DEPTHS[cvim.dtype.name]}C{channels}'
        if encoding == 'passthrough':
            encoding = cv_type
        if _layout(encoding)[:2] != _layout(cv_type)[:2]:
            raise CvBridgeError(f'the image is {cv_type}, which is not what {encoding} takes')
        msg = Image(height=height, width=width, encoding=encoding)
        if header is not None:
            msg.header = header
        msg.is_bigendian = int(cvim.dtype.byteorder == '>')
        msg.step = width * channels * cvim.itemsize
        # Anything but bytes into an array is checked element by element, which takes 0.3 s.
        msg.data.frombytes(np.ascontiguousarray(cvim).view(np.uint8))
        return msg
