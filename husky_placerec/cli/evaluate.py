"""`placerec evaluate`: drives recognised in the maps of one another."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Annotated

from husky_placerec.cli.common import (
    ConfigOption,
    HeadingOption,
    KindOption,
    MAX_GAP_S,
    MaxGapOption,
    out,
    OverwriteOption,
    PosesOption,
    SetOption,
    SOURCE_HELP,
    ToleranceOption,
    warn,
    warn_of_limits,
)
from husky_placerec.errors import InputError
from husky_placerec.progress import progress
import typer

EPILOG = (
    'Examples:\n\n'
    '  placerec evaluate summer winter --set extractor=hog\n\n'
    '  placerec evaluate itlp/0* -o itlp.results --tolerance 5 --tolerance 25   (nine tracks)\n\n'
    '  placerec evaluate lap_1 lap_2 --tag lap_1=autumn,day --tag lap_2=autumn,night\n\n'
    '  placerec evaluate summer winter -s weights=new.onnx --against old.onnx\n\n'
    '  placerec evaluate bags/* --ray auto   (on a cluster whose machines see these paths)'
)


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
    against: Annotated[
        list[Path] | None,
        typer.Option(
            metavar='FILE.onnx',
            help='Compare also with a network that `placerec model export` wrote. Repeatable.',
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
    max_gap: MaxGapOption = MAX_GAP_S,
    kind: KindOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """
    Recognise each drive in a map of each other: recall, errors, baselines and a report.

    Every ordered pair is evaluated, one drive as the map, the other as the queries, and the
    figures over all are the mean over pairs. Descriptors are kept and used again as long as the
    images and the model are the same.
    """
    from husky_placerec.cli.evaluation_tables import show_evaluation
    from husky_placerec.config import read_config
    from husky_placerec.descriptor.spec import resolve_spec
    from husky_placerec.evaluation.cache import default_folder
    from husky_placerec.evaluation.evaluate import evaluate as evaluate_tracks
    from husky_placerec.evaluation.execution import LocalExecutor, RayExecutor
    from husky_placerec.evaluation.metrics import TOLERANCES_M
    from husky_placerec.evaluation.numbers import evaluation_summary
    from husky_placerec.evaluation.outcome import write_evaluation
    from husky_placerec.evaluation.protocol import Rules
    from husky_placerec.evaluation.report import evaluation_report
    from husky_placerec.evaluation.tags import parse_tags
    from husky_placerec.evaluation.tracks import check_comparable, read_track, Track, unlike_names
    from husky_placerec.files import refuse_existing
    from husky_placerec.placemap.building import opposite_cameras
    from husky_placerec.recognition.gate import Gate

    if len(sources) < 2:
        raise InputError(f'{sources[0]}: one drive; expected two or more to compare')
    output = output or Path('results') / f'evaluate-{datetime.now():%Y%m%d-%H%M%S}'
    refuse_existing(output, overwrite)
    parameters = read_config(config, settings or [])
    rules = Rules(
        tuple(tolerance or TOLERANCES_M),
        parameters.candidates,
        opposite_cameras(parameters),
        parameters.search_reversed,
        Gate(parameters.min_similarity, parameters.min_margin),
        parameters.elsewhere,
    )
    warn_of_limits(resolve_spec(parameters, None))
    names = unlike_names(sources)
    tags = parse_tags(tag or [])
    if unknown := set(tags) - set(names):
        raise InputError(
            f'--tag {", ".join(unknown)}: no such drive; there are {", ".join(names)}'
        )
    tracks: list[Track] = []
    for path, name in zip(sources, names):
        track = read_track(
            path,
            name,
            parameters,
            kind=kind,
            poses=poses,
            heading=heading,
            origin=tracks[0].origin if tracks else None,
            max_gap_s=max_gap,
            tags=tags.get(name),
        )
        tracks.append(track)
    for first, second, apart_m in check_comparable(tracks, max(rules.tolerances_m)):
        warn(f'{first} and {second} do not overlap: their routes keep {apart_m:.0f} m apart')
    with RayExecutor(ray) if ray else nullcontext(LocalExecutor()) as executor:
        evaluation = evaluate_tracks(
            tracks,
            parameters,
            rules,
            kind=kind,
            cache=None if no_cache else cache or default_folder(),
            with_baselines=baselines,
            against=against or (),
            executor=executor,
            bars=progress,
        )
    for note in evaluation.notes:
        warn(note)
    numbers = evaluation_summary(evaluation)
    used = {
        'inputs': {
            'sources': list(map(str, sources)),
            'poses': poses,
            'against': list(map(str, against or ())),
        },
        'descriptor': evaluation.spec.as_json(),
        'tolerances_m': list(rules.tolerances_m),
        'parameters': parameters.as_dict(),
    }
    report = evaluation_report(evaluation, numbers, parameters, kind)
    write_evaluation(output, evaluation, numbers, used, report)
    show_evaluation(numbers)
    out.print(f'{output}: report.html, summary.json, recognitions.jsonl, ...', highlight=False)
