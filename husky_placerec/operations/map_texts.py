"""Give a map the texts of its places, by the drives that it was made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from husky_placerec.config import Config
from husky_placerec.data.problems import MAX_BROKEN
from husky_placerec.data.source import decoded_frames, open_source, Source
from husky_placerec.operations.drives import with_cameras
from husky_placerec.operations.map_part import edit_same_version, require_every_place
from husky_placerec.operations.tell import Bars, no_bars, no_warning, Warn
from husky_placerec.placemap.frame_texts import FrameTexts, OCR, OFF
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.texts.map_texts import MapTexts
from husky_placerec.texts.seen import SeenText


def add_texts(
    path: Path,
    sources: Sequence[Path],
    *,
    config: Config | None = None,
    kind: str | None = None,
    max_broken: float = MAX_BROKEN,
    warn: Warn = no_warning,
    bars: Bars = no_bars,
) -> PlaceMap:
    """
    Read the texts of the places of a map, and store them in the map; it keeps its calibration.

    :param sources: the drives that the map was made of; a place is found by its stamp.
    :param config: cameras, and where the texts come from; by default they are read by OCR.
    :param kind: 'track', 'bag' or 'folder'; None: found out.
    :raises InputError: for a source that cannot be read, OCR that is not installed, and places
        without a frame in any source; the map then stays as it was.
    """
    config = with_texts(config or Config(), None)
    old = load_map(path)
    found: dict[int, tuple[SeenText, ...]] = {}
    for source in sources:
        with open_source(source, kind, max_broken) as drive:
            _read(old, drive, config, found, warn, bars)
    texts = _in_order(old, found, sources)

    return edit_same_version(path, old, lambda now: replace(now, texts=texts, version=''))


def with_texts(config: Config, wanted: bool | None) -> Config:
    """
    Return a configuration that reads texts, if that is wanted.

    :param wanted: None: by OCR, unless the configuration names another way.
    """
    if wanted is False:
        return replace(config, texts=OFF)
    return config if config.texts != OFF else replace(config, texts=OCR)


def _read(
    place_map: PlaceMap,
    drive: Source,
    config: Config,
    found: dict[int, tuple[SeenText, ...]],
    warn: Warn,
    bars: Bars,
) -> None:
    drive.check(config)
    seen_by = with_cameras(drive, config, warn)
    texts_of = FrameTexts(seen_by, drive)
    wanted = set(place_map.places.stamps_ns.tolist()) - set(found)
    frames = (frame for frame in drive.frames(seen_by) if frame.stamp_ns in wanted)
    decoded = decoded_frames(drive, frames, seen_by.max_pixels)
    for frame in bars(f'Reading the texts of {drive.name}')(decoded, len(wanted)):
        found[frame.stamp_ns] = texts_of(frame)
    for line in drive.problems.lines():
        warn(f'{drive.path}: {line}')


def _in_order(
    place_map: PlaceMap, found: dict[int, tuple[SeenText, ...]], sources: Sequence[Path]
) -> MapTexts:
    """Return the texts in the order of the places."""
    stamps_ns = place_map.places.stamps_ns.tolist()
    missing = [place for place, stamp_ns in enumerate(stamps_ns) if stamp_ns not in found]
    require_every_place(place_map, missing, sources)
    return MapTexts(tuple(found[stamp_ns] for stamp_ns in stamps_ns))
