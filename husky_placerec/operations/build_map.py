"""Build a place map from a drive."""

from __future__ import annotations

from pathlib import Path

from husky_placerec.config import Config
from husky_placerec.operations.drives import describe_drive, describe_queries, DriveOptions
from husky_placerec.operations.tell import Bars, no_bars, no_warning, Tell, tell_nothing, Warn
from husky_placerec.optional import require
from husky_placerec.placemap.centring_choice import centred_as_asked
from husky_placerec.placemap.index_plan import choose_index
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.storage import check_map_output, save_map
from husky_placerec.placemap.validation import best_compared


def build_map(
    source: Path,
    output: Path,
    *,
    config: Config | None = None,
    options: DriveOptions = DriveOptions(),
    validate: Path | None = None,
    index: str | None = None,
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
    if validate is not None:
        queries = describe_queries(
            validate, config, options, place_map, tell=tell, warn=warn, bars=bars
        )
        place_map = best_compared(place_map, queries)
    else:
        place_map = centred_as_asked(place_map, config.centring)
    place_map = place_map.indexed(index, bars('Indexing', ' blocks'))
    save_map(place_map, output, overwrite=overwrite)
    lone = int((~place_map.places.present.all(axis=1)).sum())
    if lone:
        warn(f'{lone} of {len(place_map)} frames lack a camera')
    return place_map
