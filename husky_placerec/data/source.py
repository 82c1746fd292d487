"""What the user calls SOURCE: found, opened, and asked for its frames and poses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol, TypeVar

from husky_placerec.config import Config
from husky_placerec.data.bag import Bag
from husky_placerec.data.folder import ImageFolder
from husky_placerec.data.images import decode_image, ImageMessage
from husky_placerec.data.itlp import Track
from husky_placerec.data.kinds import kind_of, KINDS
from husky_placerec.data.pose_file import read_trajectory
from husky_placerec.data.problems import Problems
from husky_placerec.data.trajectory import refuse_heading, Trajectory
from husky_placerec.errors import InputError
from husky_placerec.types import Frame, GeoOrigin, Pixels

Self = TypeVar('Self', bound='Source')


class Source(Protocol):
    """
    A drive: frames in the order of their stamps, and the poses that belong to them.

    A context manager; what is asked of it is asked inside.

    `name` is short, for tables; `problems` grows while the source is read.
    """

    problems: Problems

    @property
    def path(self) -> Path: ...

    @property
    def name(self) -> str: ...

    @property
    def contents(self) -> str:
        """Topics or columns, for messages."""

    def __enter__(self: Self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def check(self, config: Config) -> None:
        """
        Look for the cameras, before any long work.

        :raises InputError: for a camera that is not there, with what is.
        """

    def images(self, config: Config) -> Iterator[tuple[str, int, ImageMessage]]:
        """Yield camera, stamp in ns and image of all cameras, in the order of recording."""

    def frames(self, config: Config) -> Iterator[Frame[ImageMessage]]:
        """Yield the paired frames in the order of their stamps; images are not yet decoded."""

    def frame_count(self, config: Config) -> int:
        """Return how many frames there are at most; a track or a folder knows it exactly."""

    def odometry(self) -> Trajectory | None:
        """Return the robot's own odometry, in which it never jumps; None where there is none."""

    def pose_topics(self) -> list[str]:
        """Return the names of what has poses in it: topics of a bag, the table of a track."""

    def trajectory(
        self, topic: str, heading: str | None = None, origin: GeoOrigin | None = None
    ) -> Trajectory:
        """
        Read the poses of that name.

        :param heading: topic with the orientation of satellite fixes, which have none.
        :param origin: of the local frame of satellite fixes; the first of them by default.
        :raises InputError: when it is not there, and as `Trajectory.make`.
        """

    def broken(self, camera: str, stamp_ns: int, error: InputError) -> None:
        """
        Take note of an image that does not decode, and go on without it.

        :raises InputError: where that cannot be: in a bag, which has no business being damaged.
        """

    def fingerprint(self, config: Config) -> str:
        """Return the SHA-256 of all that the frames depend on, to name cached descriptors by."""


def open_source(path: Path, kind: str | None = None) -> Source:
    """
    Make the reader of a SOURCE, to be entered with `with`.

    A folder with `track.csv`, or with train.csv, val.csv or test.csv that has a column `track`, is
    a track, even if it has a bag too; then comes a bag; then a folder of images.

    :param kind: 'track', 'bag' or 'folder' where that is to be overridden.
    :raises InputError: that says what was found and what is expected.

    >>> with open_source(Path('drive_1')) as source:  # doctest: +SKIP
    ...     count = source.frame_count(Config())
    """
    if kind is not None and kind not in KINDS:
        raise InputError(f'--as {kind}: expected {", ".join(KINDS[:-1])} or {KINDS[-1]}')
    if not path.exists():
        raise InputError(f'{path}: no such source; expected a track, a bag or a folder of images')
    found = kind or kind_of(path)
    if found == 'track':
        return Track(path)
    return Bag(path) if found == 'bag' else ImageFolder(path)


def decode_frame(frame: Frame[ImageMessage], source: str) -> Frame[Pixels]:
    """
    Decode the images of a frame.

    :raises InputError: that names the source, the camera and the image's stamp.
    """
    images: dict[str, Pixels] = {}
    for camera, message in frame.images.items():
        try:
            images[camera] = decode_image(message)
        except InputError as error:
            stamp_ns = frame.image_stamps_ns[camera]
            raise InputError(f'{source}: {camera} image at {stamp_ns}: {error}') from error
    return Frame(frame.stamp_ns, images, frame.image_stamps_ns)


def decode_usable(frame: Frame[ImageMessage], source: Source) -> Frame[Pixels] | None:
    """
    Decode what can be; a file that does not decode is noted in the source and done without.

    :return: None where no image of the frame decodes.
    :raises InputError: for a broken image in a bag.
    """
    images: dict[str, Pixels] = {}
    for camera, message in frame.images.items():
        try:
            images[camera] = decode_image(message)
        except InputError as error:
            source.broken(camera, frame.image_stamps_ns[camera], error)
    if not images:
        return None
    stamps = {camera: frame.image_stamps_ns[camera] for camera in images}
    return Frame(frame.stamp_ns, images, stamps)


def decoded_frames(
    source: Source, frames: Iterable[Frame[ImageMessage]]
) -> Iterator[Frame[Pixels]]:
    """Decode frames one by one, as `decode_usable`; what it returns None for is left out."""
    for encoded in frames:
        frame = decode_usable(encoded, source)
        if frame is not None:
            yield frame


def find_trajectory(
    source: Source,
    poses: str | None,
    heading: str | None = None,
    origin: GeoOrigin | None = None,
) -> Trajectory:
    """
    Read the poses of a source: of a topic, of a file, or the only ones that it has.

    :param heading: topic with the orientation of satellite fixes.
    :param origin: of the local frame of satellite fixes; the first of them by default.
    :raises InputError: when there are none, or which to take cannot be told.
    """
    if poses is not None:
        return read_poses(source, poses, heading, origin)
    topics = source.pose_topics()
    if len(topics) == 1:
        return source.trajectory(topics[0], heading, origin)
    found = f'found {", ".join(topics)}' if topics else f'there are: {source.contents}'
    raise InputError(
        f'{source.path}: expected one topic or table with poses; {found}; '
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
    Return where the robot was in the frame of a map, None where that is not known.

    Odometry is no truth: without being told, only poses in the map's own frame are taken, and
    satellite fixes only where the map knows its place on the Earth.

    :param poses: what the user names, a topic or a file; taken as it is.
    :param origin: the map's.
    """
    if poses is not None:
        return read_poses(source, poses, heading, origin)
    topics = source.pose_topics()
    if len(topics) != 1 or frame_id == 'odom':
        return None
    trajectory = source.trajectory(topics[0], heading, origin)
    same = trajectory.frame_id == frame_id and trajectory.origin in (None, origin)
    return trajectory if same else None


def read_poses(
    source: Source,
    poses: str,
    heading: str | None = None,
    origin: GeoOrigin | None = None,
) -> Trajectory:
    """
    Read the poses that the user names: a TUM or CSV file that exists, else a topic of a bag.

    :raises InputError: for neither, and as the readers.
    """
    path = Path(poses)
    if path.is_file():
        refuse_heading(heading, poses)
        return read_trajectory(path)
    if path.suffix and poses not in source.pose_topics():
        raise InputError(f'{poses}: no such file with poses')
    return source.trajectory(poses, heading, origin)
