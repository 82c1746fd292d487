"""Check the message_filters and cv_bridge that are importable: ROS's own, or the stand-ins."""

import array
from types import ModuleType

import numpy as np
import pytest
from support.builders import TYPES
from support.needs import needs

COLOURS = {
    'mono8': ('uint8', 1),
    'rgb8': ('uint8', 3),
    'bgr8': ('uint8', 3),
    'rgba8': ('uint8', 4),
    'bgra8': ('uint8', 4),
    'mono16': ('uint16', 1),
    'rgb16': ('uint16', 3),
    'bgr16': ('uint16', 3),
    'rgba16': ('uint16', 4),
    'bgra16': ('uint16', 4),
}


PLAIN = {
    '8UC1': ('uint8', 1),
    '8UC2': ('uint8', 2),
    '8UC3': ('uint8', 3),
    '8UC4': ('uint8', 4),
    '16UC1': ('uint16', 1),
    '32FC1': ('float32', 1),
}


# What becomes a colour, and is made of none.
SENSORS = {
    **{f'bayer_{pattern}8': ('uint8', 1) for pattern in ('rggb', 'bggr', 'gbrg', 'grbg')},
    **{f'bayer_{pattern}16': ('uint16', 1) for pattern in ('rggb', 'bggr', 'gbrg', 'grbg')},
    'yuv422': ('uint8', 2),
    'yuv422_yuy2': ('uint8', 2),
}


ENCODINGS = COLOURS | PLAIN | SENSORS


def random_image(encoding: str, height: int = 4, width: int = 6) -> np.ndarray:
    dtype, channels = ENCODINGS[encoding]
    shape = (height, width) if channels == 1 else (height, width, channels)
    return np.random.default_rng(7).integers(0, 256, shape).astype(dtype) * np.dtype(dtype).type(3)


def image_msg(image: np.ndarray, encoding: str, padding: int = 0):
    """Lay out a message by hand, with `padding` bytes of rubbish behind each row."""
    Image = pytest.importorskip('sensor_msgs.msg').Image
    rows = [row.tobytes() + b'\xa5' * padding for row in image]
    msg = Image(height=image.shape[0], width=image.shape[1], encoding=encoding)
    msg.step = len(rows[0])
    msg.is_bigendian = int(image.dtype.byteorder == '>')
    msg.data = array.array('B', b''.join(rows))
    return msg


@pytest.fixture(scope='module')
def cv_bridge() -> ModuleType:
    module = pytest.importorskip('cv_bridge')
    try:
        module.CvBridge().cv2_to_imgmsg(np.zeros((1, 1), np.uint8), 'mono8')
    except (AttributeError, ImportError) as error:
        pytest.skip(f'the cv_bridge here was not built for this NumPy: {error}')
    return module


@pytest.fixture
def bridge(cv_bridge):
    return cv_bridge.CvBridge()


@pytest.fixture
def stand_in(cv_bridge):
    """Give the bridge to tests of what the original does not do, or does wrong."""
    if hasattr(cv_bridge.CvBridge, 'compressed_imgmsg_to_cv2'):
        pytest.skip('the cv_bridge here is the original')
    return cv_bridge.CvBridge()


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_round_trip(bridge, encoding):
    image = random_image(encoding)
    msg = bridge.cv2_to_imgmsg(image, encoding)
    assert (msg.encoding, msg.height, msg.width) == (encoding, 4, 6)
    assert msg.step == image[0].nbytes
    assert not msg.is_bigendian
    assert isinstance(msg.data, array.array)
    assert msg.data.tobytes() == image.tobytes()
    for desired in ('passthrough', encoding):
        restored = bridge.imgmsg_to_cv2(msg, desired)
        assert restored.dtype == image.dtype
        np.testing.assert_array_equal(restored, image)


@pytest.mark.parametrize('encoding', PLAIN)
def test_an_encoding_not_given_is_that_of_the_array(bridge, encoding):
    assert bridge.cv2_to_imgmsg(random_image(encoding)).encoding == encoding


def test_header_is_taken_over(bridge):
    Header = pytest.importorskip('std_msgs.msg').Header
    header = Header(frame_id='camera')
    assert bridge.cv2_to_imgmsg(random_image('rgb8'), 'rgb8', header=header).header == header
    assert bridge.cv2_to_imgmsg(random_image('rgb8'), 'rgb8').header == Header()


def test_a_view_is_written_in_its_own_order(bridge):
    flipped = random_image('bgr8')[::-1, ::2, ::-1]
    msg = bridge.cv2_to_imgmsg(flipped, 'rgb8')
    np.testing.assert_array_equal(bridge.imgmsg_to_cv2(msg), flipped)


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_padded_rows(bridge, encoding):
    image = random_image(encoding)
    msg = image_msg(image, encoding, padding=2 * image[0].nbytes // 6)
    np.testing.assert_array_equal(bridge.imgmsg_to_cv2(msg), image)


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_padding_of_less_than_a_pixel(stand_in, encoding):
    image = random_image(encoding)
    msg = image_msg(image, encoding, padding=1)
    np.testing.assert_array_equal(stand_in.imgmsg_to_cv2(msg), image)


@pytest.mark.parametrize('encoding', ['mono16', 'bgr16', '16UC1', '32FC1'])
def test_big_endian(bridge, encoding):
    image = random_image(encoding)
    swapped = image.astype(image.dtype.newbyteorder('>'))
    for msg in (image_msg(swapped, encoding), bridge.cv2_to_imgmsg(swapped, encoding)):
        assert msg.is_bigendian
        restored = bridge.imgmsg_to_cv2(msg)
        assert restored.dtype == image.dtype
        np.testing.assert_array_equal(restored, image)


@pytest.mark.parametrize(
    ('encoding', 'pixel', 'desired', 'expected'),
    [
        ('bgr8', [10, 20, 30], 'rgb8', [30, 20, 10]),
        ('rgb8', [10, 20, 30], 'bgr8', [30, 20, 10]),
        ('bgr8', [10, 20, 30], 'rgba8', [30, 20, 10, 255]),
        ('bgra8', [10, 20, 30, 40], 'bgr8', [10, 20, 30]),
        ('rgba8', [10, 20, 30, 40], 'bgra8', [30, 20, 10, 40]),
        ('mono8', 77, 'bgr8', [77, 77, 77]),
        ('mono8', 77, 'rgba8', [77, 77, 77, 255]),
        ('rgb8', [100, 0, 0], 'mono8', 30),
        ('bgr8', [100, 0, 0], 'mono8', 11),
        ('rgba8', [0, 100, 0, 0], 'mono8', 59),
        ('mono8', 77, 'mono16', 77 * 257),
        ('bgr8', [1, 2, 255], 'rgb16', [65535, 514, 257]),
        ('bgra16', [257, 514, 65535, 9], 'rgb8', [255, 2, 1]),
        ('mono16', 771, 'bgra8', [3, 3, 3, 255]),
        ('bgr8', [10, 20, 30], '8UC3', [10, 20, 30]),
        ('mono16', 771, '16UC1', 771),
        ('8UC1', 3, '16UC1', 771),
        ('16UC1', 771, '32FC1', 771),
        ('32FC1', 2.5, '16UC1', 2),
        ('32FC1', 300.0, '8UC1', 255),
        ('bayer_grbg8', 3, '8UC1', 3),
    ],
)
def test_conversion(bridge, encoding, pixel, desired, expected):
    dtype, channels = ENCODINGS[encoding]
    image = np.array([pixel] * 6, dtype).reshape((2, 3) if channels == 1 else (2, 3, channels))
    converted = bridge.imgmsg_to_cv2(image_msg(image, encoding), desired)
    assert converted.dtype == ENCODINGS[desired][0]
    assert converted.shape[:2] == (2, 3)
    np.testing.assert_array_equal(
        converted.reshape(6, -1), np.array([expected] * 6).reshape(6, -1)
    )


@pytest.mark.parametrize(
    ('encoding', 'pixel', 'desired', 'expected'),
    [
        ('yuv422', [128, 235], 'rgb8', 255),
        ('yuv422_yuy2', [16, 128], 'bgra8', [0, 0, 0, 255]),
        ('bayer_rggb16', 65535, 'mono8', 255),
        ('bayer_gbrg8', 255, 'bgr16', 65535),
    ],
)
def test_conversion_of_what_sensors_give(bridge, encoding, pixel, desired, expected):
    image = np.empty_like(random_image(encoding, 8, 8))
    image[:] = pixel
    converted = bridge.imgmsg_to_cv2(image_msg(image, encoding), desired)
    assert (converted[2:-2, 2:-2] == expected).all()


@pytest.mark.parametrize('encoding', COLOURS | SENSORS)
def test_every_colour_encoding_becomes_every_other(bridge, encoding):
    msg = image_msg(random_image(encoding), encoding)
    for desired in COLOURS:
        if 'bayer' in encoding and 'a' in desired:  # the original has no conversion to these
            continue
        converted = bridge.imgmsg_to_cv2(msg, desired)
        assert converted.dtype == COLOURS[desired][0]
        assert converted.shape == random_image(desired).shape


def test_16_bit_is_scaled_to_8_bit_by_rounding(bridge):
    image = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    scaled = bridge.imgmsg_to_cv2(image_msg(image, 'mono16'), 'mono8')
    np.testing.assert_array_equal(scaled, np.rint(image / 257))


def test_the_result_of_a_conversion_is_ones_own(bridge):
    image = random_image('bgr8')
    msg = image_msg(image, 'bgr8')
    for desired in ('bgr8', '8UC3', 'rgb8'):
        bridge.imgmsg_to_cv2(msg, desired)[:] = 0
    assert msg.data.tobytes() == image.tobytes()


@pytest.mark.parametrize(
    ('encoding', 'desired'),
    [
        ('mono8', 'sepia8'),
        ('8UC3', 'bgr8'),
        ('8UC1', 'mono8'),
        ('bgr8', '8UC1'),
        ('8UC1', '8UC3'),
        ('8UC3', 'rgb8'),
        ('16UC1', 'rgb8'),
        ('32FC1', 'mono8'),
        ('rgb8', 'bayer_rggb8'),
        ('bayer_rggb8', 'rgba8'),
        ('bayer_rggb8', 'bayer_rggb16'),
        ('rgb8', 'yuv422'),
        ('yuv422', 'yuv422_yuy2'),
    ],
)
def test_conversions_that_make_no_sense(cv_bridge, bridge, encoding, desired):
    with pytest.raises(cv_bridge.CvBridgeError):
        bridge.imgmsg_to_cv2(image_msg(random_image(encoding), encoding), desired)


def test_unknown_encodings(cv_bridge, bridge):
    for unknown in ('sepia8', 'nv21', 'nv24', 'uyvy'):
        with pytest.raises(cv_bridge.CvBridgeError, match=unknown):
            bridge.imgmsg_to_cv2(image_msg(random_image('mono8'), unknown))
    with pytest.raises(cv_bridge.CvBridgeError, match='sepia8'):
        bridge.cv2_to_imgmsg(random_image('mono8'), 'sepia8')


@pytest.mark.parametrize('encoding', ['mono8', 'bgr16', '8UC4'])
def test_an_array_that_is_not_what_the_encoding_takes(cv_bridge, bridge, encoding):
    with pytest.raises(cv_bridge.CvBridgeError, match=encoding):
        bridge.cv2_to_imgmsg(random_image('bgr8'), encoding)


def test_data_too_short(bridge):
    msg = image_msg(random_image('bgr8'), 'bgr8')
    msg.data.pop()
    with pytest.raises(TypeError):  # the original lets NumPy's own error through
        bridge.imgmsg_to_cv2(msg)


def test_sentences_of_the_stand_in(cv_bridge, stand_in):
    def convert(encoding: str, desired: str = 'passthrough', **fields: int) -> None:
        msg = image_msg(random_image(encoding), encoding)
        for name, value in fields.items():
            setattr(msg, name, value)
        stand_in.imgmsg_to_cv2(msg, desired)

    for sentence, call in {
        'a step of 17 bytes, but a row of 6 pixels of bgr8 takes 18': lambda: convert(
            'bgr8', step=17
        ),
        '72 bytes of data, but 5 rows of 18 bytes take 90': lambda: convert('bgr8', height=5),
        'bayer_rggb8 cannot become rgba8': lambda: convert('bayer_rggb8', 'rgba8'),
        'OpenCV cannot convert bgr8 to rgb8': lambda: convert('bgr8', 'rgb8', height=0),
        'no image encoding for an array of int64': lambda: stand_in.cv2_to_imgmsg(
            np.zeros((2, 2), np.int64)
        ),
        'NumPy array of 2 or 3 dimensions': lambda: stand_in.cv2_to_imgmsg(np.zeros(3, np.uint8)),
    }.items():
        with pytest.raises(cv_bridge.CvBridgeError, match=sentence):
            call()


def test_an_image_without_pixels(stand_in):
    msg = stand_in.cv2_to_imgmsg(np.zeros((0, 3, 3), np.uint8), 'bgr8')
    assert (msg.height, msg.width, msg.step, len(msg.data)) == (0, 3, 9, 0)
    assert stand_in.imgmsg_to_cv2(msg).shape == (0, 3, 3)


@needs('tf2_msgs')
def test_a_transform_message_has_the_bytes_of_ros():
    from geometry_msgs.msg import TransformStamped
    from rclpy.serialization import deserialize_message, serialize_message
    from tf2_msgs.msg import TFMessage

    stamped = TransformStamped(child_frame_id='eye')
    stamped.header.frame_id, stamped.transform.translation.x = 'base_link', 1.5
    sent = TFMessage(transforms=[stamped, TransformStamped(child_frame_id='other')])
    data = serialize_message(sent)
    assert deserialize_message(data, TFMessage) == sent
    first, second = TYPES.deserialize_cdr(data, 'tf2_msgs/msg/TFMessage').transforms
    assert (first.header.frame_id, first.child_frame_id) == ('base_link', 'eye')
    assert (first.transform.translation.x, second.child_frame_id) == (1.5, 'other')
