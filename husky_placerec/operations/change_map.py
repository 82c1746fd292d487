"""Grow, join, shrink and move place maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from husky_placerec.config import Config
from husky_placerec.data.pose_file import read_trajectory
from husky_placerec.data.problems import MAX_BROKEN, Problems
from husky_placerec.data.soundness.judge import sound
from husky_placerec.errors import InputError
from husky_placerec.files import refuse_existing
from husky_placerec.operations.drives import (
    describe_drive,
    describe_queries,
    DriveOptions,
    MAX_GAP_S,
)
from husky_placerec.operations.tell import Bars, no_bars, no_warning, Tell, tell_nothing, Warn
from husky_placerec.placemap.exporting import check_export
from husky_placerec.placemap.exporting import export_map as write_export
from husky_placerec.placemap.index_plan import choose_index
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.merging import merge_maps as join
from husky_placerec.placemap.merging import Merged
from husky_placerec.placemap.moving import align, Alignment, motion_of, transform
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.pruning import neighbours_alike, prune
from husky_placerec.placemap.storage import check_map_output, edit_map, save_map
from husky_placerec.placemap.validation import recall_of_drive


@dataclass(frozen=True)
class Added:
    """
    A map to which a drive was added.

    :param added: places that are new.
    :param frames: places of the drive, of which the map may have had some.
    """

    place_map: PlaceMap
    added: int
    frames: int


@dataclass(frozen=True)
class Pruned:
    """
    A map before and after pruning.

    :param alike: similarity from which a place adds nothing to a near one.
    :param recalls: recall@1 of a drive `before` and `after`, where one was given.
    """

    old: PlaceMap
    new: PlaceMap
    alike: float
    recalls: dict[str, dict[str, float]] | None


def add_to_map(
    path: Path,
    source: Path,
    *,
    config: Config | None = None,
    options: DriveOptions = DriveOptions(),
    index: str | None = None,
    tell: Tell = tell_nothing,
    warn: Warn = no_warning,
    bars: Bars = no_bars,
) -> Added:
    """
    Add a drive to a map in its folder; a drive that the map has already changes nothing.

    :param options: how to read the drive; its poses must be in the frame of the map.
    :raises InputError: for a drive that cannot be read or does not fit; the map then stays.
    """
    choose_index(1, 1, 1, index)
    like = load_map(path)
    drive = describe_drive(
        source, config or Config(), options, like=like, tell=tell, warn=warn, bars=bars
    )
    done: list[Merged] = []

    def change(old: PlaceMap) -> PlaceMap:
        merged = join([old, drive])
        done.append(merged)
        if merged.place_map is old:
            return old
        return merged.place_map.indexed(index, bars('Indexing', ' blocks'))

    new = edit_map(path, change)
    if like.texts is not None and new.texts is None:
        warn(
            f'{path}: the map lost its texts, because none of {source} were read; give '
            '--set texts=ocr or texts=labels, or add them again with placerec map add-texts'
        )
    for was, name in done[0].renamed:
        warn(f'the map has a track {was}; this one is {name}')
    return Added(new, done[0].added[0], len(drive))


def merge_maps(
    paths: Sequence[Path],
    output: Path,
    *,
    index: str | None = None,
    overwrite: bool = False,
    warn: Warn = no_warning,
    bars: Bars = no_bars,
) -> Merged:
    """
    Join maps of several tracks, seasons or robots, and write the new map.

    A map with another geographic origin is moved into the frame of the first, with a warning.

    :raises InputError: for fewer than two maps, or maps of another model or frame.
    """
    check_map_output(output, overwrite)
    choose_index(1, 1, 1, index)
    if len(paths) < 2:
        raise InputError(f'map merge: {len(paths)} map; expected at least two')
    maps = [load_map(path) for path in paths]
    merged = join(maps)
    if merged.place_map.texts is None and any(each.texts is not None for each in maps):
        without = ', '.join(each.name for each in maps if each.texts is None)
        warn(f'{output}: has no texts, because {without} has none')
    for name, apart_m in merged.moved:
        warn(
            f'{name}: its geographic origin is {apart_m:.0f} m from that of {paths[0]}; it was '
            'moved into that frame'
        )
    for old, new in merged.renamed:
        warn(f'two tracks are called {old}; the later is {new} now')
    place_map = merged.place_map.indexed(index, bars('Indexing', ' blocks'))
    save_map(place_map, output, overwrite=overwrite)
    return replace(merged, place_map=place_map)


def prune_map(
    path: Path,
    output: Path,
    *,
    every_m: float = 5.0,
    alike: float | None = None,
    queries: Path | None = None,
    config: Config | None = None,
    index: str | None = None,
    overwrite: bool = False,
    tell: Tell = tell_nothing,
    warn: Warn = no_warning,
    bars: Bars = no_bars,
) -> Pruned:
    """
    Write a smaller map: a place every few metres, and each appearance that adds something.

    :param every_m: places nearer than this may go.
    :param alike: similarity from which a place adds nothing to a near one; None: that of two
        neighbours on a drive.
    :param queries: a drive, or a map of it, on which the recall before and after is measured.
    """
    check_map_output(output, overwrite)
    choose_index(1, 1, 1, index)
    old = load_map(path)
    drive = None
    if queries is not None:
        drive = describe_queries(
            queries, config or Config(), DriveOptions(), old, tell=tell, warn=warn, bars=bars
        )
    bound = neighbours_alike(old) if alike is None else alike
    new = prune(old, every_m, bound).indexed(index, bars('Indexing', ' blocks'))
    recalls = None
    if drive is not None:
        recalls = {'before': recall_of_drive(old, drive), 'after': recall_of_drive(new, drive)}
    save_map(new, output, overwrite=overwrite)
    return Pruned(old, new, bound, recalls)


def transform_map(
    path: Path, xyz: Sequence[float], rpy: Sequence[float], frame_id: str | None = None
) -> PlaceMap:
    """
    Move a map in its folder as a rigid body.

    :param xyz: position of the present frame in the new one, metres.
    :param rpy: its roll, pitch and yaw, radians.
    :param frame_id: name of the new frame; None: that of the present one.
    :raises InputError: for numbers that are not finite, or angles that must be degrees.
    """
    motion = motion_of(xyz, rpy)
    return edit_map(path, lambda old: transform(old, motion, frame_id))


def align_map(
    path: Path,
    trajectory: Path,
    frame_id: str | None = None,
    max_gap_s: float = MAX_GAP_S,
    *,
    max_broken: float = MAX_BROKEN,
    warn: Warn = no_warning,
) -> Alignment:
    """
    Move a map in its folder onto a trajectory in another frame, by least squares.

    :param trajectory: where the robot was on the drives of the map, in the wanted frame.
    :param max_broken: share of its lines and poses that may be broken, 0 to 1.
    :raises InputError: for too few places that it covers, places on a line, or poses that cannot
        be right.
    """
    if not trajectory.is_file():
        raise InputError(f'{trajectory}: no such file with poses')
    problems = Problems(max_broken)
    wanted = sound(read_trajectory(trajectory, problems), lambda: None)
    for line in problems.lines():
        warn(line)
    found = align(load_map(path), wanted, max_gap_s)
    edit_map(path, lambda old: transform(old, found.motion, frame_id))
    return found


def export_map(path: Path, output: Path, *, overwrite: bool = False) -> PlaceMap:
    """
    Write a map as .npz (everything), or as .tum or .txt (its poses).

    :raises InputError: for another suffix, or an output that exists.
    """
    check_export(output)
    refuse_existing(output, overwrite)
    place_map = load_map(path)
    write_export(place_map, output)
    return place_map
