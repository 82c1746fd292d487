"""`placerec evaluate`: drives recognised in the maps of one another."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

from husky_placerec.cli.common import (
    AllowOutsideOption,
    broken_share,
    BrokenOption,
    ConfigOption,
    HeadingOption,
    KindOption,
    LocalOption,
    MAX_BROKEN,
    MAX_GAP_S,
    MaxGapOption,
    OverwriteOption,
    PosesOption,
    say,
    SetOption,
    SOURCE_HELP,
    StrictOption,
    tell,
    ToleranceOption,
    warn,
    with_local,
)
from husky_placerec.errors import InputError
from husky_placerec.progress import progress
import typer

EPILOG = (
    'Examples:\n\n'
    '  placerec evaluate summer winter --set extractor=hog\n\n'
    '  placerec evaluate itlp/0* -o itlp.results --tolerance 5 --tolerance 25   (nine tracks)\n\n'
    '  placerec evaluate lap_1 lap_2 --calibrate alone\n\n'
    '  placerec evaluate lap_1 lap_2 --tag lap_1=autumn,day --tag lap_2=autumn,night\n\n'
    '  placerec evaluate summer winter -s weights=new.onnx --against old.onnx\n\n'
    '  placerec evaluate bags/* --ray auto   (on a cluster whose machines see these paths)'
)
ALONE = 'alone'


def _calibration(value: str | None) -> str | None:
    if value not in (None, ALONE):
        raise InputError(f'--calibrate {value}: expected {ALONE}')
    return value


def evaluate(
    sources: Annotated[list[Path], typer.Argument(metavar='SOURCE SOURCE...', help=SOURCE_HELP)],
    output: Annotated[
        Path | None,
        typer.Option('--output', '-o', help='Folder of the results; a dated one by default.'),
    ] = None,
    tolerance: ToleranceOption = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(
            metavar='TRACK=WORD[,WORD]',
            help='Season or light of a drive, where its name does not tell. Repeatable.',
        ),
    ] = None,
    baselines: Annotated[
        bool,
        typer.Option(
            '--baselines/--no-baselines',
            help='Compare with grey pixels, HOG, random weights and chance.',
        ),
    ] = True,
    local: LocalOption = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(
            metavar='FILE.onnx',
            help='Compare also with a network that `placerec model export` wrote. Repeatable.',
        ),
    ] = None,
    calibrate: Annotated[
        str | None,
        typer.Option(
            metavar='alone',
            help='Calibrate each map by its own frames, as `placerec calibrate MAP`; '
            'by default a map has the calibration that `map build` would leave it with.',
            callback=_calibration,
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(help="Folder where descriptors are kept; in the user's cache by default."),
    ] = None,
    no_cache: Annotated[bool, typer.Option('--no-cache', help='Keep no descriptors.')] = False,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar='ADDRESS',
            help='Work on a Ray cluster: auto, HOST:6379 or ray://HOST:10001; local starts one.',
        ),
    ] = None,
    poses: PosesOption = None,
    heading: HeadingOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    allow_outside: AllowOutsideOption = False,
    max_gap: MaxGapOption = MAX_GAP_S,
    max_broken: BrokenOption = MAX_BROKEN,
    strict: StrictOption = False,
    kind: KindOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """
    Recognise each drive in a map of each other: recall, errors, baselines and a report.

    Every ordered pair is evaluated, one drive as the map, the other as the queries. The frames are
    decided as `placerec replay` decides them on such a map. The figures over all pairs are their
    mean. Descriptors are cached as long as the images and the model are the same.
    """
    from husky_placerec.cli.evaluation_tables import show_evaluation
    from husky_placerec.config import read_config
    from husky_placerec.evaluation.cache import default_folder
    from husky_placerec.evaluation.metrics import TOLERANCES_M
    from husky_placerec.operations.evaluate import evaluate as evaluate_drives

    output = output or Path('results') / f'evaluate-{datetime.now():%Y%m%d-%H%M%S}'
    done = evaluate_drives(
        sources,
        output,
        config=with_local(read_config(config, settings or [], allow_outside=allow_outside), local),
        tolerances_m=tolerance or TOLERANCES_M,
        tags=tag or [],
        with_baselines=baselines,
        against=against or [],
        calibrate_alone=calibrate == ALONE,
        cache=None if no_cache else cache or default_folder(),
        ray=ray,
        poses=poses,
        heading=heading,
        max_gap_s=max_gap,
        kind=kind,
        max_broken=broken_share(max_broken, strict),
        overwrite=overwrite,
        tell=tell,
        warn=warn,
        bars=progress,
    )
    show_evaluation(done.summary)
    say(f'{output}: report.html, summary.json, recognitions.jsonl, ...')
