"""`placerec replay`: recognise a drive offline."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from husky_placerec.cli.common import (
    AllowOutsideOption,
    broken_share,
    BrokenOption,
    ConfigOption,
    HeadingOption,
    KindOption,
    map_config,
    MAX_BROKEN,
    MAX_GAP_S,
    MaxGapOption,
    out,
    OverwriteOption,
    percent,
    PosesOption,
    say,
    SetOption,
    SourceArgument,
    StrictOption,
    tell,
    ToleranceOption,
    TrustOption,
    warn,
)
from husky_placerec.progress import progress
from rich.table import Table
import typer

EPILOG = (
    'Examples:\n\n'
    '  placerec replay drive_2 --map campus.map -o drive_2.results\n\n'
    "  placerec replay drive_2 --map campus.map --stamps recognitions.jsonl   (a node's frames)"
)


def replay(
    source: SourceArgument,
    map_path: Annotated[Path, typer.Option('--map', help='Folder of the place map.')],
    output: Annotated[
        Path | None,
        typer.Option('--output', '-o', help='Folder of the results; a dated one by default.'),
    ] = None,
    stamps: Annotated[
        Path | None,
        typer.Option(
            help='Frames to repeat: the recognitions_file of a node, with its parameters except '
            'those that --set names; or a file with one stamp (ns) per line.'
        ),
    ] = None,
    poses: PosesOption = None,
    heading: HeadingOption = None,
    tolerance: ToleranceOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    allow_outside: AllowOutsideOption = False,
    max_gap: MaxGapOption = MAX_GAP_S,
    max_broken: BrokenOption = MAX_BROKEN,
    strict: StrictOption = False,
    kind: KindOption = None,
    trust: TrustOption = False,
    overwrite: OverwriteOption = False,
) -> None:
    """
    Recognise a drive offline, by the code that the node runs, and score it if the truth is known.

    The true poses are those that --poses names. Without it they are the only poses of the source,
    if these are in the frame of the map.
    """
    from husky_placerec.evaluation.metrics import TOLERANCES_M
    from husky_placerec.operations.replay import replay as replay_drive
    from husky_placerec.output_folder import check_output_folder
    from husky_placerec.placemap.loading import load_map

    output = output or Path('results') / f'replay-{datetime.now():%Y%m%d-%H%M%S}'
    check_output_folder(output, overwrite)
    place_map = load_map(map_path)
    done = replay_drive(
        source,
        place_map,
        output,
        config=map_config(config, settings, place_map.spec.sees, trust, allow_outside),
        stamps=stamps,
        kept={setting.partition('=')[0].strip() for setting in settings or []},
        poses=poses,
        heading=heading,
        tolerances_m=tolerance or TOLERANCES_M,
        max_gap_s=max_gap,
        kind=kind,
        max_broken=broken_share(max_broken, strict),
        overwrite=overwrite,
        tell=tell,
        warn=warn,
        bars=progress,
    )
    out.print(_summary_table(done.summary))
    files = 'recognitions.jsonl, poses.tum, summary.json, config.yaml'
    if done.report:
        files = f'report.html, {files}'
    say(f'{output}: {files}')


def _summary_table(numbers: dict[str, Any]) -> Table:
    table = Table(title='Recognitions', title_justify='left', show_header=False)
    table.add_row('frames', str(numbers['frames']))
    table.add_row('accepted', str(numbers['accepted']))
    latency = numbers['latency_ms']
    table.add_row('latency p50 / p95', f'{latency["p50"]:.1f} / {latency["p95"]:.1f} ms')
    for tolerance, recalls in numbers.get('recall', {}).items():
        shares = ' / '.join(percent(recalls[k]) for k in recalls)
        table.add_row(f'recall@{"/".join(recalls)} at {tolerance} m', shares)
        chance = numbers['baselines']['chance']['recall'][tolerance]
        table.add_row('   by chance', ' / '.join(percent(chance[k]) for k in recalls))
    if 'recall' in numbers:
        off_map = numbers['off_map']
        table.add_row('precision of accepted', percent(numbers['precision']))
        table.add_row('off the map, accepted', f'{off_map["accepted"]} of {off_map["frames"]}')
        median_m = numbers['median_top1_distance_m']  # None if no frame had a candidate
        median = 'none was found' if median_m is None else f'{median_m:.2f} m'
        table.add_row('median top-1 distance, on the map', median)
    else:
        table.add_row('truth', 'not known')
    return table
