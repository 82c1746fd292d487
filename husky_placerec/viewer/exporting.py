"""Export of results: the verb behind `placerec export`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from husky_placerec.files import refuse_existing
from husky_placerec.operations.tell import Bars, no_bars, no_warning, Warn
from husky_placerec.optional import require
from husky_placerec.viewer.exports.frames import chosen_run, exported_frames
from husky_placerec.viewer.exports.mcap_file import write_mcap
from husky_placerec.viewer.exports.rerun_file import write_rerun
from husky_placerec.viewer.finding import Finder
from husky_placerec.viewer.photos import Album
from husky_placerec.viewer.results import read_results

WRITERS: dict[str, Callable[..., int]] = {'rerun': write_rerun, 'mcap': write_mcap}


def export(
    results: Path,
    output: Path,
    form: str,
    *,
    pair: int = 1,
    map_path: Path | None = None,
    sources: tuple[Path, ...] = (),
    overwrite: bool = False,
    warn: Warn = no_warning,
    bars: Bars = no_bars,
) -> int:
    """
    Write results in the format of another viewer, and return the number of frames.

    :param results: a folder of results, or the log of a node.
    :param form: 'rerun' or 'mcap'.
    :param pair: of an evaluation, from 1.
    :param map_path: the map, where the results name none or it has moved.
    :param sources: drives, where they have moved.
    :raises InputError: that names the file, what was found and what was expected.
    """
    if form == 'rerun':
        require('rerun')
    refuse_existing(output, overwrite)
    given = (*sources, *([map_path] if map_path else []))
    finder = Finder(given, results)
    read = read_results(results, finder, map_path)
    run = chosen_run(read, pair)
    for note in run.notes:
        warn(note)
    missing: list[str] = []
    frames = exported_frames(run, Album(read.config, finder, read.kind), missing)
    output.absolute().parent.mkdir(parents=True, exist_ok=True)
    count = WRITERS[form](output, run, bars('Exporting')(frames, len(run)))
    for sentence in missing:
        warn(sentence)
    return count
