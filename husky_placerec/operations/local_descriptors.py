"""Give a map local descriptors, by the drives that it was made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from husky_placerec.config import Config
from husky_placerec.data.problems import MAX_BROKEN
from husky_placerec.data.source import decoded_frames, open_source, Source
from husky_placerec.descriptor.local.collector import LocalCollector
from husky_placerec.descriptor.local.extractor import load_local
from husky_placerec.descriptor.local.features import LocalFeatures
from husky_placerec.descriptor.preparation import needed_by
from husky_placerec.operations.drives import with_cameras
from husky_placerec.operations.map_part import edit_same_version, require_every_place
from husky_placerec.operations.tell import Bars, no_bars, no_warning, Warn
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.place_map import PlaceMap
import numpy as np


def add_local(
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
    Describe the places of a map locally, and store that in the map; it loses its calibration.

    :param sources: the drives that the map was made of; a place is found by its stamp.
    :param config: cameras, and the network of the local descriptors.
    :param kind: 'track', 'bag' or 'folder'; None: found out.
    :raises InputError: for a source that cannot be read, and for places without a frame in any
        source; the map then stays as it was.
    """
    config = config or Config()
    old = load_map(path)
    found = _Found()
    for source in sources:
        with open_source(source, kind, max_broken) as drive:
            _describe(old, drive, config, found, warn, bars)
    local = _in_order(old, found, sources)

    def change(current: PlaceMap) -> PlaceMap:
        # The evidence is another one with local descriptors.
        return replace(current, local=local, calibration=None, version='')

    return edit_same_version(path, old, change)


@dataclass
class _Found:
    """The stamps of the frames that were described, and the collectors with what they gave."""

    stamps_ns: list[int] = field(default_factory=list)
    collector: LocalCollector | None = None


def _describe(
    place_map: PlaceMap, drive: Source, config: Config, found: _Found, warn: Warn, bars: Bars
) -> None:
    drive.check(config)
    seen_by = with_cameras(drive, config, warn)
    wanted = set(place_map.places.stamps_ns.tolist()) - set(found.stamps_ns)
    local = load_local(seen_by, place_map.spec, None, place_map.cameras)
    if found.collector is None:
        found.collector = LocalCollector(local)
    frames = (frame for frame in drive.frames(seen_by) if frame.stamp_ns in wanted)
    decoded = decoded_frames(
        drive, frames, seen_by.max_pixels, needed_by(seen_by, local.preparation)
    )
    shown = bars(f'Describing {drive.name} locally')(decoded, len(wanted))
    for frame in shown:
        found.stamps_ns.append(frame.stamp_ns)
        found.collector.add(frame, local)


def _in_order(place_map: PlaceMap, found: _Found, sources: Sequence[Path]) -> LocalFeatures:
    """Return the local descriptors in the order of the places."""
    stamps_ns = place_map.places.stamps_ns
    missing = np.flatnonzero(~np.isin(stamps_ns, found.stamps_ns))
    require_every_place(place_map, missing.tolist(), sources)
    local = None if found.collector is None else found.collector.collected()
    assert local is not None  # each place has a frame
    row = {stamp_ns: number for number, stamp_ns in enumerate(found.stamps_ns)}
    rows = np.array([row[stamp_ns] for stamp_ns in stamps_ns.tolist()], np.int64)
    if np.array_equal(rows, np.arange(len(local))):  # as mostly; many stay in their file
        return local
    return local.chosen(rows)
