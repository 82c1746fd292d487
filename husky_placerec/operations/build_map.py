"""Build a place map from a drive."""

from __future__ import annotations

from pathlib import Path

from husky_placerec.config import Config
from husky_placerec.descriptor.projection import Projection
from husky_placerec.operations.drives import describe_drive, describe_queries, DriveOptions
from husky_placerec.operations.landmarks import landmarked
from husky_placerec.operations.tell import Bars, no_bars, no_warning, Tell, tell_nothing, Warn
from husky_placerec.optional import require
from husky_placerec.placemap.centring_choice import centred_as_asked
from husky_placerec.placemap.index_plan import choose_index
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.storage import check_map_output, save_map
from husky_placerec.placemap.validation import best_compared, recall_of_drive
import numpy as np


def build_map(
    source: Path,
    output: Path,
    *,
    config: Config | None = None,
    options: DriveOptions = DriveOptions(),
    validate: Path | None = None,
    index: str | None = None,
    project: int = 0,
    overwrite: bool = False,
    tell: Tell = tell_nothing,
    warn: Warn = no_warning,
    bars: Bars = no_bars,
) -> PlaceMap:
    """
    Build a map of the frames of a drive, and write it.

    :param source: a track, a bag or a folder of images, with poses in the frame of the map.
    :param output: folder of the new map.
    :param config: cameras and extractor.
    :param options: how to read the drive: poses, thinning, thumbnails.
    :param validate: another drive on the same roads, or a map of it: centring or whitening is
        used where it raises the recall there; without it, `config.centring` decides.
    :param index: kind of the search index; None: chosen by the size of the map.
    :param project: numbers of a descriptor to which the principal components of the drive reduce
        it; 0: all. What that costs is measured on `validate`.
    :raises InputError: that names the file, what was found and what was expected; nothing is then
        written.

    >>> from pathlib import Path
    >>> built = build_map(Path('drive_1'), Path('campus.map'))  # doctest: +SKIP
    >>> len(built)  # doctest: +SKIP
    165
    """
    check_map_output(output, overwrite)
    if validate is not None:
        require('sklearn')  # which fits the whitening
    choose_index(1, 1, 1, index)  # refuses an unknown kind before the long work
    config = config or Config()
    place_map = describe_drive(source, config, options, tell=tell, warn=warn, bars=bars)
    queries = None
    if validate is not None:
        queries = describe_queries(
            validate, config, options, place_map, tell=tell, warn=warn, bars=bars
        )
    if project:
        smaller, note = _projected(place_map, queries, project)
        tell(note)
        queries = queries.projected(smaller.projection) if queries and smaller.projection else None
        place_map = smaller
    if queries is not None:
        place_map = best_compared(place_map, queries)
    else:
        place_map = centred_as_asked(place_map, config.centring)
    if config.landmarks:
        place_map = landmarked(
            place_map,
            [source],
            config,
            options.kind,
            options.max_broken,
            tell=tell,
            warn=warn,
            bars=bars,
        )
    place_map = place_map.indexed(index, bars('Indexing', ' blocks'))
    save_map(place_map, output, overwrite=overwrite)
    lone = int((~place_map.places.present.all(axis=1)).sum())
    if lone:
        warn(f'{lone} of {len(place_map)} frames lack a camera')
    return place_map


def _projected(place_map: PlaceMap, queries: PlaceMap | None, size: int) -> tuple[PlaceMap, str]:
    """Return a map with smaller descriptors, and a sentence on what that costs."""
    found = np.asarray(place_map.descriptors, np.float32)[place_map.places.present]
    projection, kept = Projection.fit(found, size)
    smaller = place_map.projected(projection)
    said = f'projection: {size} of {place_map.spec.size} numbers keep {kept:.1%} of the variance'
    if queries is None:
        return smaller, f'{said}; what that costs in recall is not measured without --validate'
    before = recall_of_drive(place_map, queries)
    after = recall_of_drive(smaller, queries.projected(projection))
    costs = [f'{kind} {after[kind]:.1%} ({before[kind]:.1%} without)' for kind in before]
    return smaller, f'{said}; recall@1 on {queries.name}: {", ".join(costs)}'
