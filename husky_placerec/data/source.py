"""The sources of frames and poses: how they are opened, and what they offer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Protocol, TypeVar

from husky_placerec.cameras.found import fit_to_images, FoundCameras
from husky_placerec.cameras.known import with_cameras
from husky_placerec.config import Config
from husky_placerec.data.account import PairingAccount
from husky_placerec.data.bag import Bag
from husky_placerec.data.folder import ImageFolder
from husky_placerec.data.frames import is_odometry_frame
from husky_placerec.data.headings import MOTION, POSES, with_headings
from husky_placerec.data.images import decode_image, ImageMessage, MAX_PIXELS
from husky_placerec.data.itlp import Track
from husky_placerec.data.kinds import kind_of, KINDS
from husky_placerec.data.pose_file import read_trajectory
from husky_placerec.data.problems import MAX_BROKEN, Problems
from husky_placerec.data.soundness.judge import sound
from husky_placerec.data.trajectory import Trajectory
from husky_placerec.errors import InputError
from husky_placerec.pipeline import in_threads
from husky_placerec.semantics.checking import MaskError
from husky_placerec.types import CameraNeeds, Classes, Frame, GeoOrigin, Pixels

DECODERS = 2  # threads: one decodes while the other waits for the disk
AHEAD = 8  # decoded frames that wait, at most
LOOKED_AT = 100  # images, for the size of each camera's
Self = TypeVar('Self', bound='Source')


class Source(Protocol):
    """
    A drive: frames in the order of their stamps, and the poses that belong to them.

    A context manager; what is asked of it is asked inside.

    `name` is short, for tables; `problems` grows while the source is read.
    """

    problems: Problems

    @property
    def path(self) -> Path:
        """The path of the source."""

    @property
    def name(self) -> str:
        """A short name of the source."""

    @property
    def contents(self) -> str:
        """The topics or columns of the source, for messages."""

    def __enter__(self: Self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def check(self, config: Config) -> None:
        """
        Check that the cameras are there, before any long work.

        :raises InputError: for a missing camera; it lists the contents.
        """

    def images(self, config: Config) -> Iterator[tuple[str, int, ImageMessage]]:
        """Yield camera, stamp in ns and image of all cameras, in the order of recording."""

    def frames(self, config: Config) -> Iterator[Frame[ImageMessage]]:
        """Yield the paired frames in the order of their stamps; images are not yet decoded."""

    def frame_at(
        self, config: Config, stamp_ns: int, image_stamps_ns: Mapping[str, int]
    ) -> Frame[ImageMessage] | None:
        """
        Return one frame without reading the whole drive; None where there is none.

        :param image_stamps_ns: of its images, as far as they are known. Of a bag, the nearest
            image of any other camera is taken.
        """

    def account(self) -> PairingAccount | None:
        """Return which images of the frames found a partner; None before all frames were read."""

    def found_cameras(self, config: Config) -> FoundCameras:
        """
        Return what the source tells of the intrinsics and the mounting of its cameras.

        :raises InputError: for a topic of CameraInfo that was named and is missing.
        """

    def frame_count(self, config: Config) -> int:
        """Return an upper bound of the number of frames; exact for a track or a folder."""

    def odometry(self, topic: str = '') -> Trajectory | None:
        """
        Return the odometry of the robot; None without one.

        :param topic: the parameter `odometry_topic`; empty: the topic in a frame `odom`.
        """

    def pose_topics(self) -> list[str]:
        """Return the names of the topics or tables with poses, of the best kind that there is."""

    def drifting_topics(self) -> list[str]:
        """Return the names of the topics with poses in a frame `odom`, which drift."""

    def trajectory(
        self, topic: str, heading: str | None = None, origin: GeoOrigin | None = None
    ) -> Trajectory:
        """
        Read the poses of a topic or table.

        :param heading: topic with the orientation, `motion` or `poses`; None: that of the poses,
            and of the motion for satellite fixes.
        :param origin: of the local frame of satellite fixes; None: the first sound fix.
        :raises InputError: if it is missing, and as `Trajectory.make`.
        """

    def headings(self, topic: str) -> Trajectory:
        """
        Read the orientations of a topic; the positions have no meaning.

        :raises InputError: for a source without topics, and as `trajectory`.
        """

    def broken(self, camera: str, stamp_ns: int, error: InputError) -> None:
        """
        Note an image that does not decode; the reader goes on without it.

        :raises InputError: if more than the share `max_broken` of the camera's images are broken.
        """

    def fingerprint(self, config: Config) -> str:
        """Return a SHA-256 of all that the frames depend on: the key of cached descriptors."""


def open_source(path: Path, kind: str | None = None, max_broken: float = MAX_BROKEN) -> Source:
    """
    Make the reader of a source, to be used in `with`.

    A folder with `track.csv`, or with a train.csv, val.csv or test.csv with a column `track`, is a
    track, also if it contains a bag. A bag takes precedence over a folder of images.

    :param kind: 'track', 'bag' or 'folder'; None: found out.
    :param max_broken: share of the images of a camera, or of the poses of a topic, that may be
        broken, 0 to 1; 0: none may.
    :raises InputError: that names what was found and what is expected.

    >>> with open_source(Path('drive_1')) as source:  # doctest: +SKIP
    ...     count = source.frame_count(Config())
    """
    if kind is not None and kind not in KINDS:
        raise InputError(f'--as {kind}: expected {", ".join(KINDS[:-1])} or {KINDS[-1]}')
    if not path.exists():
        raise InputError(f'{path}: no such source; expected a track, a bag or a folder of images')
    found = kind or kind_of(path)
    if found == 'track':
        return Track(path, max_broken)
    return Bag(path, max_broken) if found == 'bag' else ImageFolder(path, max_broken)


def config_of_source(source: Source, config: Config) -> tuple[Config, list[str]]:
    """
    Return a configuration with what a source tells of its cameras, and what is doubtful about it.

    What the configuration tells itself counts more.

    :raises InputError: for a topic of CameraInfo that was named and is missing.
    """
    found = source.found_cameras(config)
    if not found.cameras:
        return config, list(found.notes)
    found = fit_to_images(found, _sizes(source, config))
    return with_cameras(config, found.cameras), list(found.notes)


def _sizes(source: Source, config: Config) -> dict[str, tuple[int, int]]:
    """Return width and height of the first image of each camera that decodes."""
    sizes: dict[str, tuple[int, int]] = {}
    for camera, _, message in islice(source.images(config), LOOKED_AT):
        if camera not in sizes:
            with suppress(InputError):
                sizes[camera] = decode_image(message).shape[1::-1]
        if len(sizes) == len(config.cameras):
            break
    return sizes


def decode_frame(
    frame: Frame[ImageMessage], source: str, max_pixels: int = MAX_PIXELS
) -> Frame[Pixels]:
    """
    Decode the images of a frame.

    :raises InputError: that names the source, the camera and the image's stamp.
    """
    images: dict[str, Pixels] = {}
    for camera, message in frame.images.items():
        try:
            images[camera] = decode_image(message, max_pixels)
        except InputError as error:
            stamp_ns = frame.image_stamps_ns[camera]
            raise InputError(f'{source}: {camera} image at {stamp_ns}: {error}') from error
    return Frame(frame.stamp_ns, images, frame.image_stamps_ns)


def decode_usable(
    frame: Frame[ImageMessage],
    source: Source,
    max_pixels: int = MAX_PIXELS,
    needs: CameraNeeds | None = None,
) -> Frame[Pixels] | None:
    """
    Decode the images of a frame and their masks; what does not decode is noted and left out.

    :param needs: the sizes from which images must not be reduced; None: not at all.
    :return: None if no image of the frame decodes.
    :raises InputError: for too many broken images, and for masks that are not as the parameters
        say.
    """
    decoded = _noted(_decode(frame, max_pixels, needs), source)
    return decoded if decoded.images else None


def decoded_frames(
    source: Source,
    frames: Iterable[Frame[ImageMessage]],
    max_pixels: int = MAX_PIXELS,
    needs: CameraNeeds | None = None,
) -> Iterator[Frame[Pixels]]:
    """Decode frames ahead of their use, as `decode_usable`; leave out those without an image."""
    for frame in decoded_or_empty(source, frames, max_pixels, needs):
        if frame.images:
            yield frame


def decoded_or_empty(
    source: Source,
    frames: Iterable[Frame[ImageMessage]],
    max_pixels: int = MAX_PIXELS,
    needs: CameraNeeds | None = None,
) -> Iterator[Frame[Pixels]]:
    """Decode frames as `decoded_frames`; those without an image are there, without cameras."""
    decode = partial(_decode, max_pixels=max_pixels, needs=needs)
    for decoded in in_threads(decode, frames, DECODERS, AHEAD):
        yield _noted(decoded, source)


@dataclass(frozen=True)
class _Decoded:
    """
    What decodes of a frame, and what does not.

    :param broken: why an image does not decode, by camera.
    :param broken_masks: why a mask does not decode, by camera.
    :param stamps_ns: of all images.
    """

    frame: Frame[Pixels]
    broken: Mapping[str, InputError]
    broken_masks: Mapping[str, InputError]
    stamps_ns: Mapping[str, int]


def _decode(frame: Frame[ImageMessage], max_pixels: int, needs: CameraNeeds | None) -> _Decoded:
    images: dict[str, Pixels] = {}
    masks: dict[str, Classes] = {}
    broken: dict[str, InputError] = {}
    broken_masks: dict[str, InputError] = {}
    for camera, message in frame.images.items():
        needed = None if needs is None else partial(needs, camera)
        try:
            images[camera] = decode_image(message, max_pixels, needed)
        except InputError as error:
            broken[camera] = error
    for camera, mask in frame.masks.items():
        if camera in images:
            height, width = images[camera].shape[:2]
            try:
                masks[camera] = mask.read((height, width), max_pixels)
            except MaskError:
                raise  # all masks of the source are so
            except InputError as error:
                broken_masks[camera] = error
    stamps = {camera: frame.image_stamps_ns[camera] for camera in images}
    decoded = Frame(frame.stamp_ns, images, stamps, masks)
    return _Decoded(decoded, broken, broken_masks, frame.image_stamps_ns)


def _noted(decoded: _Decoded, source: Source) -> Frame[Pixels]:
    """Note what does not decode, in the order of the frames, and return the frame."""
    for camera, error in decoded.broken.items():
        source.broken(camera, decoded.stamps_ns[camera], error)
    if decoded.frame.images:
        for camera, error in decoded.broken_masks.items():
            kind = f'{camera} mask that does not decode, done without'
            source.problems.note(kind, str(error))
    return decoded.frame


def steady_topics(source: Source) -> list[str]:
    """Return the topics or tables with poses, without those in a frame `odom`, which drift."""
    drifting = source.drifting_topics()
    return [topic for topic in source.pose_topics() if topic not in drifting]


def require_clocks(source: Source) -> None:
    """
    Refuse a source whose frames were read, and whose stamps stand still.

    :raises InputError: that names the camera.
    """
    account = source.account()
    if account is not None:
        account.require_clocks(source.path)


def find_trajectory(
    source: Source,
    poses: str | None,
    heading: str | None = None,
    origin: GeoOrigin | None = None,
    *,
    refuse: bool = True,
) -> Trajectory:
    """
    Read and judge the poses of a source: of a topic, of a file, or its only poses.

    :param poses: topic or file; None: the only poses of the source.
    :param heading: topic with the orientation, `motion` or `poses`.
    :param origin: of the local frame of satellite fixes; None: the first sound fix.
    :param refuse: refuse poses with which every place would be wrong; the doubts are in the
        result in any case.
    :raises InputError: if there are no poses, or several, or poses that cannot be right.
    """
    if poses is not None:
        return read_poses(source, poses, heading, origin, refuse=refuse)
    topics = source.pose_topics()
    if topics and not steady_topics(source):
        raise InputError(
            f'{source.path}: expected one topic or table with poses; found only odometry, '
            f'{", ".join(topics)}: poses in odom drift, and a map of them is bent; name poses '
            f'that do not, or take these nevertheless with --poses {topics[0]}'
        )
    if len(topics) == 1:
        found = source.trajectory(topics[0], heading, origin)
        return sound(found, source.odometry, trusted=heading == POSES, refuse=refuse)
    shown = f'found {", ".join(topics)}' if topics else f'there are: {source.contents}'
    raise InputError(
        f'{source.path}: expected one topic or table with poses; {shown}; '
        'name a topic, a TUM or a CSV file with --poses'
    )


def find_truth(
    source: Source,
    poses: str | None,
    frame_id: str,
    heading: str | None = None,
    origin: GeoOrigin | None = None,
) -> Trajectory | None:
    """
    Return the true poses of a source in the frame of a map; None if they are not known.

    Odometry is no truth. Unless the user names poses, only poses in the frame of the map count,
    and satellite fixes only if the map has a geographic origin.

    :param poses: topic or file that the user names.
    :param origin: of the map.
    :raises InputError: for poses that cannot be right, as `find_trajectory`.
    """
    if poses is not None:
        return read_poses(source, poses, heading, origin)
    topics = steady_topics(source)
    if len(topics) != 1 or is_odometry_frame(frame_id):
        return None
    trajectory = source.trajectory(topics[0], heading, origin)
    same = trajectory.frame_id == frame_id and trajectory.origin in (None, origin)
    return sound(trajectory, source.odometry, trusted=heading == POSES) if same else None


def read_poses(
    source: Source,
    poses: str,
    heading: str | None = None,
    origin: GeoOrigin | None = None,
    *,
    refuse: bool = True,
) -> Trajectory:
    """
    Read and judge the poses that the user names: a TUM or CSV file if it exists, else a topic.

    :raises InputError: if there is neither, for poses that cannot be right, and as the readers.
    """
    path = Path(poses)
    if path.is_file():
        found = read_trajectory(path, source.problems)
        if heading not in (None, POSES):
            turns = None if heading == MOTION else source.headings(heading)
            found = with_headings(found, turns)
    elif path.suffix and poses not in source.pose_topics():
        raise InputError(f'{poses}: no such file with poses')
    else:
        found = source.trajectory(poses, heading, origin)
    return sound(found, source.odometry, trusted=heading == POSES, refuse=refuse)
