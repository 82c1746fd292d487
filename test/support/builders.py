"""What several tests build: images, messages, small bags and random maps."""

from __future__ import annotations

import cv2
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.places import Places
from husky_placerec.placemap.thumbnails import SpooledThumbnails
from husky_placerec.types import Frame, Pose, SECOND_NS
import numpy as np
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import get_typestore, Stores

FRONT, BACK = 'front', 'back'
MS = 1_000_000
SPACING_M = 3.0  # of the places of a straight map
START_NS = 1_700_000_000_123_456_789
TYPES = get_typestore(Stores.ROS2_JAZZY)
COMPRESSED, RAW = 'sensor_msgs/msg/CompressedImage', 'sensor_msgs/msg/Image'
SUFFIX = {'mcap': '.mcap', 'sqlite3': '.db3'}


def smooth_image(seed, width=320, height=192, cells=24):
    """Make an RGB image of random smooth texture."""
    coarse = np.random.default_rng(seed).uniform(0, 255, (cells * height // width, cells, 3))
    return (
        cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        .clip(0, 255)
        .astype(np.uint8)
    )


def encode(rgb, suffix='.png'):
    return cv2.imencode(suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes()


def frame(stamp_ns=START_NS, **images):
    return Frame(stamp_ns, images, dict.fromkeys(images, stamp_ns))


def header(stamp_ns, frame_id='map'):
    time = TYPES.types['builtin_interfaces/msg/Time'](*divmod(stamp_ns, SECOND_NS))
    return TYPES.types['std_msgs/msg/Header'](time, frame_id)


def compressed(stamp_ns, data=b'not decoded', form='png'):
    return TYPES.types[COMPRESSED](header(stamp_ns), form, np.frombuffer(data, np.uint8))


def raw(stamp_ns, encoding, rows, width):
    """Make an Image of [height, step] bytes."""
    height, step = rows.shape
    return TYPES.types[RAW](header(stamp_ns), height, width, encoding, 0, step, rows.ravel())


def pose_message(kind, stamp_ns, pose):
    """Make a message of one of the pose types, by the short name of the type."""
    make = {name.split('/')[-1]: message for name, message in TYPES.types.items()}
    inner = make['Pose'](
        make['Point'](pose.x, pose.y, pose.z),
        make['Quaternion'](pose.qx, pose.qy, pose.qz, pose.qw),
    )
    if kind == 'PoseStamped':
        return make[kind](header(stamp_ns), inner)
    spread = make['PoseWithCovariance'](inner, np.zeros(36))
    if kind == 'PoseWithCovarianceStamped':
        return make[kind](header(stamp_ns), spread)
    still = make['Twist'](make['Vector3'](0.0, 0.0, 0.0), make['Vector3'](0.0, 0.0, 0.0))
    twist = make['TwistWithCovariance'](still, np.zeros(36))
    return make['Odometry'](header(stamp_ns), 'base_link', spread, twist)


def write_bag(path, messages, storage='mcap', declared=None, compress=False):
    """
    Write a bag folder of (topic, message), recorded at their stamps.

    :param declared: types of topics that are there without messages, by topic.
    """
    plugin = {'mcap': StoragePlugin.MCAP, 'sqlite3': StoragePlugin.SQLITE3}[storage]
    writer = Writer(path, version=9, storage_plugin=plugin)
    if compress:
        mode = CompressionMode.STORAGE if storage == 'mcap' else CompressionMode.MESSAGE
        writer.set_compression(mode, CompressionFormat.ZSTD)
    kinds = {topic: message.__msgtype__ for topic, message in messages} | (declared or {})
    with writer:
        connections = {
            topic: writer.add_connection(topic, kind, typestore=TYPES)
            for topic, kind in kinds.items()
        }
        for topic, message in messages:
            stamp = message.header.stamp
            data = TYPES.serialize_cdr(message, kinds[topic])
            writer.write(connections[topic], stamp.sec * SECOND_NS + stamp.nanosec, data)
    return path


def bag_file(folder):
    """Return the file of a bag folder that has the messages."""
    (file,) = [file for file in folder.iterdir() if file.name != 'metadata.yaml']
    return file


def random_poses(rng, count):
    """Make [N, 7] poses, level nowhere."""
    positions = rng.uniform(-100, 100, (count, 3))
    quaternions = rng.normal(size=(count, 4))
    quaternions /= np.linalg.norm(quaternions, axis=1, keepdims=True)
    return np.hstack([positions, quaternions])


def spec(cameras=(FRONT, BACK), size=16, **changes):
    return DescriptorSpec(tuple(cameras), 'pixels', size=size, **changes)


def random_descriptors(rng, present, size=16):
    """Make [N, C, D] unit vectors as a map stores them, zeros for absent cameras."""
    vectors = rng.normal(size=(*present.shape, size))
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    return (vectors * present[..., None]).astype(np.float16)


def random_map(seed=0, count=20, present=None, opposites=(1, 0), **changes):
    rng = np.random.default_rng(seed)
    present = np.ones((count, 2), bool) if present is None else present
    poses = random_poses(rng, count)
    stamps = START_NS + np.arange(count) * 100 * MS
    places = Places(stamps, poses, ('drive, "1"',) * count, present)
    values = {
        'places': places,
        'descriptors': random_descriptors(rng, present),
        'spec': spec(),
        'frame_id': 'campus',
        'opposites': opposites,
        'sources': {'drive, "1"': 'café.bag'},
        'created': '2024-05-06T07:08:09+00:00',
    }
    return PlaceMap(**{**values, **changes})


def thumbnails_of(pictures):
    """Make the thumbnails of places, from the JPEGs by camera of each."""
    made = SpooledThumbnails(sorted({camera for jpegs in pictures for camera in jpegs}))
    for jpegs in pictures:
        made.add(jpegs)
    return made


def planar(x, y=0.0, yaw_deg=0.0):
    return Pose.planar(x, y, np.radians(yaw_deg))


TRACK_HEADER = [
    *('timestamp', 'front_cam_ts', 'back_cam_ts', 'lidar_ts'),
    *('tx', 'ty', 'tz', 'qx', 'qy', 'qz', 'qw'),
]


def track_rows(count=6, start_ns=START_NS, step_m=5.0, back_ms=54):
    """Make rows of a track like ITLP-Campus': every 5 s and 5 m, images beside the row's stamp."""
    return [
        [
            *(start_ns + i * 5 * SECOND_NS + ms * MS for ms in (0, -31, back_ms - 31, 3)),
            *(i * step_m, 0.5 * i, 0.1),
            *(0.0, 0.0, 0.0, 1.0),
        ]
        for i in range(count)
    ]


def write_csv(path, header, rows, separator=',', line='\n', encoding='utf-8'):
    text = line.join(separator.join(map(str, row)) for row in [header, *rows]) + line
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def write_images(folder, rows, unit_ns=1, seed=0):
    """Write the images of a track's rows, each unlike the others; return what is in each file."""
    written = {}
    for column, camera in ((1, 'front_cam'), (2, 'back_cam')):
        (folder / camera).mkdir(parents=True, exist_ok=True)
        for number, row in enumerate(rows):
            rgb = smooth_image(seed + 100 * column + number, 64, 48, 8)
            file = folder / camera / f'{int(row[column]) // unit_ns}.png'
            file.write_bytes(encode(rgb))
            written[file] = rgb
    return written


def write_track_folder(folder, rows=None, **table):
    """Write a track of tiny images and return its folder."""
    rows = track_rows() if rows is None else rows
    write_images(folder, rows)
    write_csv(folder / 'track.csv', TRACK_HEADER, rows, **table)
    return folder


def straight_map(count=200, tracks=1):
    """Make a map of one or several drives along the x axis."""
    along = np.tile(np.arange(count) * SPACING_M, tracks)
    poses = np.zeros((count * tracks, 7))
    poses[:, 0], poses[:, 1], poses[:, 6] = along, np.repeat(np.arange(tracks), count), 1
    names = tuple(f'drive {k}' for k in range(tracks) for _ in range(count))
    places = Places(np.arange(len(poses)), poses, names, np.ones((len(poses), 2), bool))
    return random_map(count=len(poses), present=places.present, places=places)
