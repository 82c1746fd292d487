"""The reader of bags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from husky_placerec.cameras.found import FoundCameras
from husky_placerec.config import Config
from husky_placerec.data.account import PairingAccount, PairingRule, PairingTally
from husky_placerec.data.bag_cameras import read_cameras
from husky_placerec.data.bag_file import BagFile
from husky_placerec.data.bag_odometry import read_odometry
from husky_placerec.data.bag_poses import (
    drifting_topics,
    pose_topics,
    read_headings,
    read_trajectory,
)
from husky_placerec.data.fingerprint import fingerprint
from husky_placerec.data.images import ImageMessage
from husky_placerec.data.itlp import TRACK_TABLE
from husky_placerec.data.masks import EncodedMask, mask_topics, MaskPairer, table_of
from husky_placerec.data.pairing import FramePairer
from husky_placerec.data.problems import MAX_BROKEN
from husky_placerec.data.trajectory import Trajectory
from husky_placerec.errors import InputError
from husky_placerec.printable import printable
from husky_placerec.types import Frame, GeoOrigin, SECOND_NS

IMAGE_TYPES = {
    'compressed': 'sensor_msgs/msg/CompressedImage',
    'raw': 'sensor_msgs/msg/Image',
}
AROUND_NS = SECOND_NS  # between a stamp and its recording, mostly


class Bag(BagFile):
    """
    An open bag: a folder with `metadata.yaml`, an .mcap or a .db3.

    :param max_broken: share of the images of a camera that may not decode, 0 to 1.
    :raises InputError: for a bag that is missing or cannot be read.
    """

    def __init__(self, path: Path, max_broken: float = MAX_BROKEN) -> None:
        super().__init__(path, max_broken)
        self._totals: dict[str, int] = {}  # images of each camera
        self._odometry: dict[str, Trajectory | None] = {}
        self._pose_topics: list[str] | None = None
        self._tally: PairingTally | None = None

    @property
    def name(self) -> str:
        """Return the name of the file or folder; a bag inside a track has the name of that."""
        path = self.path.resolve()
        inside = (path.parent / TRACK_TABLE).is_file()
        return printable(path.parent.name if inside else path.stem)

    def camera_topics(self, config: Config) -> dict[str, str]:
        """
        Return the camera of each image topic.

        :raises InputError: for a camera whose topic is not in the bag, or belongs to two cameras.
        """
        cameras: dict[str, str] = {}
        for name in config.cameras:
            camera = config.camera_config(name)
            topic = self.resolve(camera.topic, (IMAGE_TYPES[camera.transport],))
            if topic in cameras:
                raise InputError(f'cameras {cameras[topic]} and {name} have one topic, {topic}')
            cameras[topic] = name
            self._totals[name] = self.message_count(topic)
        return cameras

    def check(self, config: Config) -> None:
        """Check that each camera has a topic in the bag."""
        self.camera_topics(config)

    def images(self, config: Config) -> Iterator[tuple[str, int, ImageMessage]]:
        """Yield camera, stamp in ns and image of all cameras, in the order of recording."""
        yield from self.messages(self.camera_topics(config))

    def found_cameras(self, config: Config) -> FoundCameras:
        """Read what the bag tells of the cameras: CameraInfo and static TF."""
        return read_cameras(self, config, self.camera_topics(config))

    def frame_count(self, config: Config) -> int:
        """Return the number of images of the fastest camera, an upper bound of the frames."""
        return max(map(self.message_count, self.camera_topics(config)))

    def fingerprint(self, config: Config) -> str:
        """Return a SHA-256 of the files of the bag and of the pairing parameters."""
        self.check(config)
        root = self.path if self.path.is_dir() else self.path.parent
        files = [self.path] if self.path.is_file() else self.path.iterdir()
        return fingerprint(root, files, config)

    def broken(self, camera: str, stamp_ns: int, error: InputError) -> None:
        """Note an image that does not decode."""
        kind, name = f'{camera} image that does not decode', f'at {stamp_ns}: {error}'
        self.problems.broken(kind, self._totals.get(camera, 1), name, where=f'{self.path}: ')

    def frames(self, config: Config) -> Iterator[Frame[ImageMessage]]:
        """Pair the images as the node does; they are not yet decoded."""
        rule = PairingRule(
            round(config.slop * SECOND_NS), round(config.silence * SECOND_NS), config.queue_size
        )
        pairer: FramePairer[ImageMessage] = FramePairer(
            config.cameras, rule.slop_ns, rule.silence_ns, rule.queue_size
        )
        tally = PairingTally(config.cameras, rule)
        of_images, of_masks = self.camera_topics(config), self._mask_topics(config)
        masks = MaskPairer(list(of_masks.values()))
        # A topic begins with a slash, which the name of a camera cannot.
        for name, stamp_ns, message in self.messages({**of_images, **{t: t for t in of_masks}}):
            if name in of_masks:
                source = f'{self.path} {name} at {stamp_ns}'
                mask = EncodedMask(message, table_of(config), source)
                masks.add_mask(of_masks[name], stamp_ns, mask)
                continue
            tally.came(name, stamp_ns)
            for frame in pairer.add(name, stamp_ns, message):
                tally.paired(frame)
                masks.add_frame(frame)
            yield from masks.ready(stamp_ns)
        yield from masks.ready(None)
        self._tally = tally

    def _mask_topics(self, config: Config) -> dict[str, str]:
        """Return the camera of each topic of masks."""
        kinds = {n: IMAGE_TYPES[config.camera_config(n).mask_transport] for n in config.cameras}
        return {
            self.resolve(topic, (kinds[name],)): name
            for name, topic in mask_topics(config).items()
        }

    def frame_at(
        self, config: Config, stamp_ns: int, image_stamps_ns: Mapping[str, int]
    ) -> Frame[ImageMessage] | None:
        """
        Return the images of a stamp; of a camera whose stamp is not known, the nearest one.

        Images that were recorded long after their stamp are found too, by reading the whole bag.
        """
        topics = self.camera_topics(config)
        slop_ns = round(config.slop * SECOND_NS)
        for around_ns in (AROUND_NS, None):
            found: dict[str, tuple[int, int, ImageMessage]] = {}  # distance, stamp, image
            for camera, at_ns, message in self.messages_around(topics, stamp_ns, around_ns):
                apart_ns = abs(at_ns - image_stamps_ns.get(camera, stamp_ns))
                most_ns = 0 if camera in image_stamps_ns else slop_ns
                if apart_ns <= most_ns and (camera not in found or apart_ns < found[camera][0]):
                    found[camera] = apart_ns, at_ns, message
            if found and image_stamps_ns.keys() <= found.keys():
                break
        if not found:
            return None
        there = [camera for camera in config.cameras if camera in found]
        images = {camera: found[camera][2] for camera in there}
        return Frame(stamp_ns, images, {camera: found[camera][1] for camera in there})

    def account(self) -> PairingAccount | None:
        """Return the account of the frames; None before all of them were read."""
        return None if self._tally is None else self._tally.account()

    def odometry(self, topic: str = '') -> Trajectory | None:
        """Return the odometry of the robot; None without one."""
        if topic not in self._odometry:
            self._odometry[topic] = read_odometry(self, topic)
        return self._odometry[topic]

    def pose_topics(self) -> list[str]:
        """Return the topics with poses, of the best kind that the bag has."""
        if self._pose_topics is None:
            self._pose_topics = pose_topics(self)
        return self._pose_topics

    def drifting_topics(self) -> list[str]:
        """Return the topics with poses in a frame `odom`."""
        return drifting_topics(self)

    def trajectory(
        self, topic: str, heading: str | None = None, origin: GeoOrigin | None = None
    ) -> Trajectory:
        """Read the poses of a topic."""
        return read_trajectory(self, topic, heading, origin)

    def headings(self, topic: str) -> Trajectory:
        """Read the orientations of a topic; the positions have no meaning."""
        return read_headings(self, topic)
