"""Reading of rosbag2 recordings (mcap and sqlite3, also compressed) without ROS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
import struct
from types import TracebackType
from typing import Any

from husky_placerec.config import Config
from husky_placerec.data.fingerprint import fingerprint
from husky_placerec.data.images import ImageMessage
from husky_placerec.data.navsat import fix_trajectory, is_usable
from husky_placerec.data.pairing import FramePairer
from husky_placerec.data.problems import Problems
from husky_placerec.data.trajectory import refuse_heading, Trajectory
from husky_placerec.errors import InputError
from husky_placerec.types import Frame, GeoOrigin, SECOND_NS
import numpy as np
from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection
from rosbags.typesys import get_typestore, Stores

IMAGE_TYPES = {
    'compressed': 'sensor_msgs/msg/CompressedImage',
    'raw': 'sensor_msgs/msg/Image',
}
ODOMETRY_FRAME = 'odom'  # REP 105: continuous, but drifts
POSE_TYPES = (
    'nav_msgs/msg/Odometry',
    'geometry_msgs/msg/PoseStamped',
    'geometry_msgs/msg/PoseWithCovarianceStamped',
)
FIX_TYPE = 'sensor_msgs/msg/NavSatFix'
IMU_TYPE = 'sensor_msgs/msg/Imu'
NO_ORIENTATION = -1.0  # the first covariance of an Imu that knows none

# A CDR message begins with 4 bytes about its encoding; a header begins with its stamp.
_STAMP = {0: struct.Struct('>iI'), 1: struct.Struct('<iI')}


def _header_stamp_ns(data: bytes) -> int:
    seconds, nanoseconds = _STAMP[data[1] & 1].unpack_from(data, 4)
    return int(seconds) * SECOND_NS + int(nanoseconds)


class Bag:
    """
    An open bag: a folder with `metadata.yaml`, an .mcap or a .db3.

    :raises InputError: for a bag that is missing or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems = Problems()
        if not path.exists():
            raise InputError(f'{path}: no such bag')
        with self._readable():
            self._reader = AnyReader([path], default_typestore=get_typestore(Stores.ROS2_JAZZY))

    def __enter__(self) -> Bag:
        with self._readable():
            self._reader.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reader.close()

    @property
    def name(self) -> str:
        return self.path.resolve().stem

    @property
    def topics(self) -> dict[str, str]:
        """The type of each topic that has messages, by the topic's name."""
        topics = self._reader.topics.items()
        return {name: info.msgtype or '' for name, info in sorted(topics) if info.msgcount}

    def message_count(self, topic: str) -> int:
        return self._reader.topics[topic].msgcount

    def resolve(self, topic: str, expected: tuple[str, ...]) -> str:
        """
        Return the topic as the bag names it: absolute, where a node's are relative.

        :raises InputError: for a topic that is not there, or has another type.
        """
        name = '/' + topic.lstrip('/')
        types = ' or '.join(expected)
        if name not in self.topics:
            raise InputError(
                f'{self.path}: no messages on {name} ({types}); there are: {self.contents}'
            )
        if self.topics[name] not in expected:
            raise InputError(f'{self.path}: {name} is of {self.topics[name]}; expected {types}')
        return name

    def messages(self, topics: Mapping[str, str]) -> Iterator[tuple[str, int, Any]]:
        """Yield key, header stamp in ns and message of `topics` (key by name), as recorded."""
        for connection, data in self._raw(topics):
            with self._readable():
                message: Any = self._reader.deserialize(data, connection.msgtype)
            stamp = message.header.stamp
            yield topics[connection.topic], stamp.sec * SECOND_NS + stamp.nanosec, message

    def serialized(self, topics: Mapping[str, str]) -> Iterator[tuple[str, int, bytes]]:
        """Yield key, header stamp in ns and CDR bytes of `topics`, to be published as they are."""
        for connection, data in self._raw(topics):
            yield topics[connection.topic], _header_stamp_ns(data), bytes(data)

    def _raw(self, topics: Mapping[str, str]) -> Iterator[tuple[Connection, bytes]]:
        """Yield what was recorded; a bag damaged in its middle reads as a shorter one."""
        wanted = [c for c in self._reader.connections if c.topic in topics]
        count = 0
        with self._readable():
            for connection, _, data in self._reader.messages(connections=wanted):
                count += 1
                yield connection, data
        expected = sum(map(self.message_count, topics))
        if count != expected:
            raise InputError(
                f'{self.path}: broken; {count} of {expected} messages can be read '
                f'on {", ".join(topics)}'
            )

    def camera_topics(self, config: Config) -> dict[str, str]:
        """
        Return the camera of each image topic.

        :raises InputError: for a camera whose topic is not in the bag, or another's too.
        """
        cameras: dict[str, str] = {}
        for name in config.cameras:
            camera = config.camera_config(name)
            topic = self.resolve(camera.topic, (IMAGE_TYPES[camera.transport],))
            if topic in cameras:
                raise InputError(f'cameras {cameras[topic]} and {name} have one topic, {topic}')
            cameras[topic] = name
        return cameras

    def check(self, config: Config) -> None:
        self.camera_topics(config)

    def images(self, config: Config) -> Iterator[tuple[str, int, ImageMessage]]:
        yield from self.messages(self.camera_topics(config))

    def frame_count(self, config: Config) -> int:
        """Return the images of the fastest camera: only pairing tells how many have partners."""
        return max(map(self.message_count, self.camera_topics(config)))

    def fingerprint(self, config: Config) -> str:
        self.check(config)
        root = self.path if self.path.is_dir() else self.path.parent
        files = [self.path] if self.path.is_file() else self.path.iterdir()
        return fingerprint(root, files, config)

    def broken(self, camera: str, stamp_ns: int, error: InputError) -> None:
        raise InputError(f'{self.path}: {camera} image at {stamp_ns}: {error}') from error

    def frames(self, config: Config) -> Iterator[Frame[ImageMessage]]:
        """Pair the images of the cameras exactly as the node does; they are not yet decoded."""
        pairer: FramePairer[ImageMessage] = FramePairer(
            config.cameras,
            round(config.slop * SECOND_NS),
            round(config.silence * SECOND_NS),
            config.queue_size,
        )
        for camera, stamp_ns, message in self.images(config):
            yield from pairer.add(camera, stamp_ns, message)

    def pose_topics(self) -> list[str]:
        """
        Return the topics with poses.

        Where there are several kinds, those that do not drift count, then satellite fixes, and
        poses in `odom`, which drift, if there are no others.
        """
        topics = [name for name, kind in self.topics.items() if kind in POSE_TYPES]
        steady = [name for name in topics if self._first(name).header.frame_id != ODOMETRY_FRAME]
        fixes = [name for name, kind in self.topics.items() if kind == FIX_TYPE]
        return steady or fixes or topics

    def _first(self, topic: str) -> Any:
        return next(message for _, _, message in self.messages({topic: topic}))

    def trajectory(
        self, topic: str, heading: str | None = None, origin: GeoOrigin | None = None
    ) -> Trajectory:
        """
        Read the poses of a topic of Odometry, PoseStamped, PoseWithCovarianceStamped or NavSatFix.

        :param heading: topic with the orientation that fixes lack, one of those or Imu.
        :param origin: of the frame of fixes; the first fix by default.
        :raises InputError: for a topic that is not there, and as `Trajectory.make`.
        """
        name = self.resolve(topic, (*POSE_TYPES, FIX_TYPE))
        if self.topics[name] == FIX_TYPE:
            return self._fixes(name, heading, origin)
        refuse_heading(heading, f'{self.path} {name}')
        stamps, poses, frames = [], [], ('', '')
        for _, stamp_ns, message in self.messages({name: name}):
            pose = getattr(message.pose, 'pose', message.pose)
            p, q = pose.position, pose.orientation
            stamps.append(stamp_ns)
            poses.append([p.x, p.y, p.z, q.x, q.y, q.z, q.w])
            frames = message.header.frame_id, getattr(message, 'child_frame_id', '')
        return Trajectory.make(stamps, poses, f'{self.path} {name}', *frames)

    def _fixes(self, name: str, heading: str | None, origin: GeoOrigin | None) -> Trajectory:
        turns = None if heading is None else self._headings(heading)
        stamps, fixes = [], []
        for _, stamp_ns, fix in self.messages({name: name}):
            if is_usable(fix):
                stamps.append(stamp_ns)
                fixes.append((fix.latitude, fix.longitude, fix.altitude))
        values = np.array(fixes, np.float64).reshape(-1, 3)
        return fix_trajectory(stamps, values, f'{self.path} {name}', turns, origin)

    def _headings(self, topic: str) -> Trajectory:
        """Read orientations; the positions of the trajectory are no such thing."""
        name = self.resolve(topic, (IMU_TYPE, *POSE_TYPES))
        if self.topics[name] != IMU_TYPE:
            return self.trajectory(name)
        stamps, poses = [], []
        for _, stamp_ns, imu in self.messages({name: name}):
            if imu.orientation_covariance[0] == NO_ORIENTATION:
                raise InputError(f'{self.path}: {name} has no orientation (its covariance is -1)')
            q = imu.orientation
            stamps.append(stamp_ns)
            poses.append([0.0, 0.0, 0.0, q.x, q.y, q.z, q.w])
        return Trajectory.make(stamps, poses, f'{self.path} {name}')

    @property
    def contents(self) -> str:
        return ', '.join(f'{name} ({kind})' for name, kind in self.topics.items()) or 'none at all'

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Turn whatever the storage plugins raise for broken files into one clear error."""
        try:
            yield
        except (InputError, GeneratorExit, KeyboardInterrupt):
            raise
        except Exception as error:
            what = str(error) or type(error).__name__
            raise InputError(
                f'{self.path}: cannot be read as a bag, broken or truncated ({what})'
            ) from error
