"""`placerec export`: results for other viewers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from husky_placerec.cli.common import OverwriteOption, say, warn
from husky_placerec.optional import require
from husky_placerec.progress import progress
import typer

app = typer.Typer(help='Export results to other viewers.', no_args_is_help=True)

ResultsArgument = Annotated[
    Path,
    typer.Argument(
        metavar='RESULTS', help='A folder of placerec replay or evaluate, or the log of a node.'
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option('--output', '-o', help='The file; beside RESULTS by default.'),
]
PairOption = Annotated[
    int, typer.Option(min=1, help='Which pair of drives of an evaluation, from 1.')
]
MapOption = Annotated[
    Path | None,
    typer.Option('--map', help='The map, if the results name none or if it has moved.'),
]
SourcesOption = Annotated[
    list[Path] | None,
    typer.Option(
        '--source', help='A drive, or a folder of drives, if they have moved. Repeatable.'
    ),
]


@app.command(
    epilog='Examples:\n\n'
    '  placerec export rerun drive_2.results && rerun drive_2.results.rrd\n\n'
    '  placerec export rerun pairs.results --pair 2 -o winter_in_summer.rrd'
)
def rerun(
    results: ResultsArgument,
    output: OutputOption = None,
    pair: PairOption = 1,
    map_path: MapOption = None,
    source: SourcesOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Write a recording of Rerun: images, poses, candidates and probability over time."""
    _export('rerun', '.rrd', results, output, pair, map_path, source, overwrite)


@app.command(
    epilog='Examples:\n\n'
    '  placerec export mcap drive_2.results   (open drive_2.results.mcap in Foxglove)\n\n'
    '  placerec export mcap recognitions.jsonl --map campus.map --source drive_2 -o drive_2.mcap'
)
def mcap(
    results: ResultsArgument,
    output: OutputOption = None,
    pair: PairOption = 1,
    map_path: MapOption = None,
    source: SourcesOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Write an MCAP file for Foxglove: images, poses, markers, diagnostics, as ROS 2 has them."""
    _export('mcap', '.mcap', results, output, pair, map_path, source, overwrite)


def _export(
    form: str,
    suffix: str,
    results: Path,
    output: Path | None,
    pair: int,
    map_path: Path | None,
    sources: list[Path] | None,
    overwrite: bool,
) -> None:
    require('matplotlib', 'jinja2')  # which the reports need, whose outcomes are exported
    from husky_placerec.viewer.exporting import export

    output = output or results.with_name(results.name + suffix)
    count = export(
        results,
        output,
        form,
        pair=pair,
        map_path=map_path,
        sources=tuple(sources or ()),
        overwrite=overwrite,
        warn=warn,
        bars=progress,
    )
    say(f'{output}: {count} frames')
