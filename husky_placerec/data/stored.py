"""The common part of tracks and folders: a table of frames whose images are files."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
import os
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from husky_placerec.cameras.found import FoundCameras
from husky_placerec.config import Config
from husky_placerec.data.account import PairingAccount, PairingTally
from husky_placerec.data.camera_file import read_camera_file
from husky_placerec.data.fingerprint import fingerprint
from husky_placerec.data.headings import MOTION, refuse_topic, with_headings
from husky_placerec.data.image_index import read_image
from husky_placerec.data.images import ImageMessage
from husky_placerec.data.masks import EncodedMask
from husky_placerec.data.odometry_table import ODOMETRY_TABLE, read_odometry_table
from husky_placerec.data.pose_table import trajectory_of
from husky_placerec.data.problems import MAX_BROKEN, no_frames, Problems
from husky_placerec.data.tables import read_header, Table
from husky_placerec.data.trajectory import Trajectory
from husky_placerec.errors import InputError
from husky_placerec.printable import printable
from husky_placerec.types import Frame, GeoOrigin

Self = TypeVar('Self', bound='StoredSource')


@dataclass(frozen=True)
class StoredImage:
    """An image file that is read when it is decoded; it has the fields of CompressedImage."""

    path: Path

    @property
    def format(self) -> str:
        """The format of a CompressedImage with this file."""
        return str(self.path)

    @property
    def data(self) -> bytes:
        """The bytes of the file."""
        return read_image(self.path)


@dataclass(frozen=True)
class StoredFrame:
    """
    A row of the table.

    :param images: stamp in ns and file of each camera with an image.
    :param pose: [7], or empty without a pose.
    """

    stamp_ns: int
    images: Mapping[str, tuple[int, Path]]
    pose: Sequence[float]


class StoredSource:
    """
    A source whose frames are in a table; missing files are noted and left out.

    The reader of a format provides the name of its table, its cameras and its frames.

    :param max_broken: share of the images of a camera, of the rows and of the poses that may be
        broken, 0 to 1.
    """

    def __init__(self, path: Path, max_broken: float = MAX_BROKEN) -> None:
        self.path = path
        self.problems = Problems(max_broken)
        self.table_name = ''
        self.cameras: tuple[str, ...] = ()
        self._frames: list[StoredFrame] = []
        self._outside = ''  # the first path that leaves the folder
        self._tally: PairingTally | None = None

    def _read(self) -> list[StoredFrame]:
        """Read the table; its frames may be in any order."""
        raise NotImplementedError

    @property
    def root(self) -> Path:
        """The folder that paths in messages and fingerprints are relative to."""
        return self.path if self.path.is_dir() else self.path.parent

    @property
    def tables(self) -> list[Path]:
        """The files that list the frames."""
        raise NotImplementedError

    @property
    def contents(self) -> str:
        """The columns of the table, for messages."""
        return ', '.join(
            f'{file.name} ({", ".join(filter(None, read_header(file)))})' for file in self.tables
        )

    @property
    def name(self) -> str:
        """The name of the folder or the table."""
        path = self.path.resolve()
        return printable(path.name if path.is_dir() else path.stem)

    def __enter__(self: Self) -> Self:
        self._frames = self._in_order(self._read())
        if not self._frames:
            raise no_frames(self.path, self.problems)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._frames = []

    def _in_order(self, frames: list[StoredFrame]) -> list[StoredFrame]:
        """Sort frames by stamp; of equal stamps the first row counts."""
        if len(frames) > 1 and len({frame.stamp_ns for frame in frames}) == 1:
            raise InputError(
                f'{self.path}: all {len(frames)} rows of {self.table_name} have the stamp '
                f'{frames[0].stamp_ns}; expected the time of each frame'
            )
        ordered: list[StoredFrame] = []
        for frame in sorted(frames, key=lambda frame: frame.stamp_ns):
            if ordered and ordered[-1].stamp_ns == frame.stamp_ns:
                self.problems.note('duplicate stamp, first kept', str(frame.stamp_ns))
            else:
                ordered.append(frame)
        return ordered

    def _check_inside(self, file: Path, folder: Path, where: str) -> None:
        """
        Note an image file that is not in the folder of its table, also by a symbolic link.

        :param where: the row that names it, for the message.
        """
        inside = Path(os.path.normpath(file)).is_relative_to(os.path.normpath(folder))
        if inside and os.path.lexists(file):
            inside = Path(os.path.realpath(file)).is_relative_to(os.path.realpath(folder))
        if not inside and not self._outside:
            self._outside = f'{where}: {file} is outside of {folder}'

    def check(self, config: Config) -> None:
        """
        Check that the table has a camera, and that its images are in its folder.

        A camera that it lacks is noted.

        :raises InputError: if it has none of the cameras, or for an image outside.
        """
        if self._outside and not config.allow_outside:
            raise InputError(
                f'{self._outside}; expected images inside of the folder; move them there, or give '
                '--allow-outside if the table is from someone you trust'
            )
        for name in config.cameras:
            if name not in self.cameras:
                lacking = f'no camera {name} in {self.table_name}'
                known = f'there are: {", ".join(self.cameras) or "none at all"}'
                if not set(self.cameras) & set(config.cameras):
                    raise InputError(f'{self.path}: {lacking}; {known}')
                self.problems.tell(f'{lacking}; done without it; {known}')

    def frames(self, config: Config) -> Iterator[Frame[ImageMessage]]:
        """Yield the frames of the table with its stamps."""
        self.check(config)
        tally = PairingTally(config.cameras, None)
        for frame in self._frames:
            there = {n: frame.images[n] for n in config.cameras if n in frame.images}
            if there:
                images: dict[str, ImageMessage] = {
                    name: StoredImage(file) for name, (_, file) in there.items()
                }
                stamps = {name: stamp_ns for name, (stamp_ns, _) in there.items()}
                for name, stamp_ns in stamps.items():
                    tally.came(name, stamp_ns)
                masks = self._masks(config, stamps)
                found = Frame(frame.stamp_ns, images, stamps, masks)
                tally.paired(found)
                yield found
        self._tally = tally

    def _masks(self, config: Config, stamps_ns: Mapping[str, int]) -> dict[str, EncodedMask]:
        """Return the masks of images, where the format has any and the parameters ask for them."""
        return {}

    def frame_at(
        self, config: Config, stamp_ns: int, image_stamps_ns: Mapping[str, int]
    ) -> Frame[ImageMessage] | None:
        """Return the frame of a stamp; the table tells which images are its own."""
        self.check(config)
        at = bisect_left(self._frames, stamp_ns, key=lambda frame: frame.stamp_ns)
        if at == len(self._frames) or self._frames[at].stamp_ns != stamp_ns:
            return None
        there = {n: i for n, i in self._frames[at].images.items() if n in config.cameras}
        images: dict[str, ImageMessage] = {n: StoredImage(file) for n, (_, file) in there.items()}
        stamps = {name: stamp for name, (stamp, _) in there.items()}
        return Frame(stamp_ns, images, stamps, self._masks(config, stamps))

    def account(self) -> PairingAccount | None:
        """Return the account of the frames; None before all of them were read."""
        return None if self._tally is None else self._tally.account()

    def images(self, config: Config) -> Iterator[tuple[str, int, ImageMessage]]:
        """Yield camera, stamp in ns and image of all cameras, by stamp."""
        for frame in self.frames(config):
            for name, stamp_ns in frame.image_stamps_ns.items():
                yield name, stamp_ns, frame.images[name]

    def found_cameras(self, config: Config) -> FoundCameras:
        """Read `cameras.yaml` beside the table, if there is one."""
        return read_camera_file(self.root, config)

    def frame_count(self, config: Config) -> int:
        """Return the exact number of frames with an image."""
        return sum(any(name in frame.images for name in config.cameras) for frame in self._frames)

    def odometry(self, topic: str = '') -> Trajectory | None:
        """Return the odometry of `odometry.csv` beside the table; None without one."""
        return read_odometry_table(self.odometry_tables, self.problems)

    @property
    def odometry_tables(self) -> list[Path]:
        """The files that may have the odometry."""
        return [self.root / ODOMETRY_TABLE]

    def drifting_topics(self) -> list[str]:
        """Return no topics: odometry has a table of its own."""
        return []

    def pose_topics(self) -> list[str]:
        """Return the name of the table, if it has poses."""
        return [self.table_name] if any(frame.pose for frame in self._frames) else []

    def trajectory(
        self, topic: str, heading: str | None = None, origin: GeoOrigin | None = None
    ) -> Trajectory:
        """Read the poses of the table."""
        refuse_topic(heading, str(self.path))
        if topic not in self.pose_topics():
            raise InputError(
                f'{self.path}: no poses in {topic}; there are: '
                f'{", ".join(self.pose_topics()) or "none at all"}'
            )
        poses = ((frame.stamp_ns, list(frame.pose)) for frame in self._frames)
        found = trajectory_of(poses, f'{self.path} {topic}', problems=self.problems)
        return with_headings(found, None) if heading == MOTION else found

    def headings(self, topic: str) -> Trajectory:
        """Refuse a topic: a table has none."""
        refuse_topic(topic, str(self.path))
        raise AssertionError(topic)

    def broken(self, camera: str, stamp_ns: int, error: InputError) -> None:
        """Note a file that does not decode."""
        total = sum(camera in frame.images for frame in self._frames)
        kind = f'{camera} image that does not decode'
        self.problems.broken(kind, total, str(error), where=f'{self.path}: ')

    def _broken_row(self, error: InputError, table: Table) -> None:
        """Note a row that cannot be read."""
        self.problems.broken('broken row', len(table.rows), str(error), where=f'{self.path}: ')

    def fingerprint(self, config: Config) -> str:
        """Return a SHA-256 of tables, image files and pairing parameters."""
        self.check(config)
        files = [
            file
            for frame in self._frames
            for name, (_, file) in frame.images.items()
            if name in config.cameras
        ]
        masks = [
            Path(mask.source)
            for frame in self._frames
            for mask in self._masks(
                config, {n: ns for n, (ns, _) in frame.images.items()}
            ).values()
        ]
        return fingerprint(self.root, [*self.tables, *files, *masks], config)
