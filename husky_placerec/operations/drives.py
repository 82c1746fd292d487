"""Read and describe a drive, for the operations that make or measure a map."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from husky_placerec.config import Config
from husky_placerec.data.frames import is_odometry_frame
from husky_placerec.data.problems import MAX_BROKEN, no_frames
from husky_placerec.data.source import (
    config_of_source,
    decoded_frames,
    find_trajectory,
    open_source,
    require_clocks,
    Source,
)
from husky_placerec.data.trajectory import Trajectory
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.descriptor.local.collector import LocalCollector
from husky_placerec.descriptor.local.extractor import load_local, LocalExtractor
from husky_placerec.descriptor.preparation import needed_by
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.operations.reading import tell_masks, tell_reading
from husky_placerec.operations.tell import Bars, no_bars, no_warning, Tell, tell_nothing, Warn
from husky_placerec.placemap.building import describe_places
from husky_placerec.placemap.frame_texts import frame_texts, FrameTexts
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.manifest import MANIFEST
from husky_placerec.placemap.map_extractor import extractor_of
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.thinning import Thinning
from husky_placerec.printable import printable
from husky_placerec.recognition.calibrating.samples import DescribedDrive
from husky_placerec.recognition.recognizer import local_extractor_of
from husky_placerec.texts.map_texts import MapTexts
import numpy as np

MAX_GAP_S = 2.0  # between two poses that may be interpolated


@dataclass(frozen=True)
class DriveOptions:
    """
    How to read and describe a drive.

    :param poses: topic or file with its poses; None: the only poses that the source has.
    :param heading: where the orientations are: a topic, `motion` or `poses`.
    :param track: name of the drive; empty: that of the source.
    :param thinning: which frames become places.
    :param thumbnail_width: px; 0: no thumbnails.
    :param kind: 'track', 'bag' or 'folder'; None: found out.
    :param skip_unposed: leave out frames without a pose instead of refusing them.
    :param max_broken: share of the images of a camera, or of the poses, that may be broken.
    """

    poses: str | None = None
    heading: str | None = None
    track: str = ''
    max_gap_s: float = MAX_GAP_S
    thinning: Thinning = Thinning()
    thumbnail_width: int = 0
    kind: str | None = None
    skip_unposed: bool = False
    max_broken: float = MAX_BROKEN

    def for_measuring(self) -> DriveOptions:
        """Return the options for a drive that measures a map: every frame, by its own poses."""
        topic = self.poses if self.poses and not Path(self.poses).is_file() else None
        return replace(
            self, poses=topic, track='', thinning=Thinning(), thumbnail_width=0, kind=None
        )


def config_like(config: Config, spec: DescriptorSpec) -> Config:
    """Return a configuration that describes as a map: fused descriptors have no direction."""
    if not spec.fused or config.fusion:
        return config
    cameras = {name: replace(config.camera_config(name), opposite='') for name in config.cameras}
    return replace(config, fusion=spec.fusion, camera=cameras)


def describe_drive(
    source: Path,
    config: Config,
    options: DriveOptions = DriveOptions(),
    *,
    like: PlaceMap | None = None,
    title: str = 'Describing',
    tell: Tell = tell_nothing,
    warn: Warn = no_warning,
    bars: Bars = no_bars,
) -> PlaceMap:
    """
    Describe a drive: a map of its frames, in memory.

    :param like: a map whose model and frame the drive shall have.
    :raises InputError: for a source, poses or a model that cannot be read.
    """
    stored = like.spec if like else None
    if stored is not None:
        config = config_like(config, stored)
    with open_source(source, options.kind, options.max_broken) as drive:
        drive.check(config)
        config = with_cameras(drive, config, warn)
        origin = like.origin if like else None
        trajectory = find_trajectory(drive, options.poses, options.heading, origin)
        for sentence in _doubts(trajectory):
            warn(sentence)
        extractor = extractor_of(like, config) if like else load_extractor(config)
        if extractor.words:
            tell(extractor.words)
        if like is None:
            tell(_bytes_of(extractor.spec))
        for note in extractor.preparation.notes:
            warn(note)
        if like is None and extractor.spec.limits:
            warn(extractor.spec.limits)
        local = local_for(config, extractor.spec, like)
        if local is not None and like is None:
            size = local.spec.bytes_of_place(len(config.cameras))
            tell(f'local descriptors: {size / 1000:.1f} kB a place')
        described = describe_places(
            drive,
            _in_frame_of(trajectory, like),
            extractor,
            config,
            track=printable(options.track) or drive.name,
            max_gap_s=options.max_gap_s,
            thinning=options.thinning,
            thumbnail_width=options.thumbnail_width,
            skip_unposed=options.skip_unposed,
            local=local,
            texts=texts_for(config, drive, like),
            progress=bars(title),
        )
        tell_reading(drive, tell, warn)
        tell_masks(extractor.masking, tell, warn)
    for jump in described.places.jumps():
        warn(jump)
    return described


def describe_unknown(
    source: Path,
    config: Config,
    like: PlaceMap,
    *,
    max_broken: float = MAX_BROKEN,
    tell: Tell = tell_nothing,
    warn: Warn = no_warning,
    bars: Bars = no_bars,
) -> DescribedDrive:
    """
    Describe a drive off a map, whose poses are not needed.

    :raises InputError: for a source that cannot be read, or has no frames.
    """
    stamps, descriptors, texts = [], [], []
    with open_source(source, max_broken=max_broken) as drive:
        drive.check(config)
        config = with_cameras(drive, config, warn)
        extractor = extractor_of(like, config)
        local = local_for(config, like.spec, like)
        cells, read = LocalCollector(local), texts_for(config, drive, like)
        seen_by = [extractor.preparation, *([local.preparation] if local is not None else [])]
        encoded = drive.frames(config)
        frames = decoded_frames(drive, encoded, config.max_pixels, needed_by(config, *seen_by))
        for frame in bars('Describing the unknown')(frames, drive.frame_count(config)):
            stamps.append(frame.stamp_ns)
            descriptors.append(extractor.describe(frame).astype(np.float16))
            cells.add(frame)
            texts.append(() if read is None else read(frame))
        require_clocks(drive)
        if not stamps:
            raise no_frames(source, drive.problems)
        tell_reading(drive, tell, warn)
        return DescribedDrive(
            drive.name,
            np.array(descriptors),
            np.array(stamps, np.int64),
            None,
            local=cells.collected(),
            texts=None if read is None else MapTexts(tuple(texts)),
        )


def local_for(
    config: Config, spec: DescriptorSpec, like: PlaceMap | None
) -> LocalExtractor | None:
    """
    Return what describes the cells of a drive: as a map has them, or as a new map shall.

    :param spec: of the global descriptor.
    :raises InputError: for a network that cannot be loaded or is not that of the map.
    """
    if like is not None:
        return local_extractor_of(like, config)
    return load_local(config, spec) if config.local else None


def texts_for(config: Config, drive: Source, like: PlaceMap | None) -> FrameTexts | None:
    """
    Return what tells the texts of a drive: where a map has texts, or a new map shall have them.

    :raises InputError: as `FrameTexts`.
    """
    return None if like is not None and like.texts is None else frame_texts(config, drive)


def describe_queries(
    source: Path,
    config: Config,
    options: DriveOptions,
    like: PlaceMap,
    *,
    tell: Tell = tell_nothing,
    warn: Warn = no_warning,
    bars: Bars = no_bars,
) -> PlaceMap:
    """Describe a drive that measures a map; the map of a drive is described already."""
    if (source / MANIFEST).is_file():
        return load_map(source)
    return describe_drive(
        source,
        config,
        options.for_measuring(),
        like=like,
        title='Describing the queries',
        tell=tell,
        warn=warn,
        bars=bars,
    )


def with_cameras(drive: Source, config: Config, warn: Warn) -> Config:
    """Return a configuration with what a drive tells of its cameras."""
    config, doubts = config_of_source(drive, config)
    for doubt in doubts:
        warn(f'{drive.path}: {doubt}')
    return config


def _bytes_of(spec: DescriptorSpec) -> str:
    """Return how large a place is, in words."""
    numbers = len(spec.cameras) * spec.size
    return (
        f'a place: {len(spec.cameras)} x {spec.size} numbers, {2 * numbers / 1000:.1f} kB '
        f'(float16); {2 * numbers / 1000:.0f} MB for 1000 places'
    )


def _in_frame_of(trajectory: Trajectory, like: PlaceMap | None) -> Trajectory:
    """Take poses without a frame to be in the frame of the map."""
    if like is None or trajectory.frame_id:
        return trajectory
    return replace(trajectory, frame_id=like.frame_id)


def _doubts(trajectory: Trajectory) -> list[str]:
    """Return what is doubtful about poses, in sentences."""
    source, sentences = trajectory.source, []
    if is_odometry_frame(trajectory.frame_id):
        sentences.append(f'{source}: poses in the frame odom drift; a map wants poses that do not')
    if trajectory.child_frame_id not in ('', 'base_link'):
        sentences.append(f'{source}: poses of {trajectory.child_frame_id} are taken for base_link')
    return [*sentences, *(f'{source}: {note}' for note in trajectory.warnings)]
