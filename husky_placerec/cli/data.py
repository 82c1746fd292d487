"""`placerec data`: check a drive."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
import json
from typing import Annotated, TYPE_CHECKING

from husky_placerec.cli.common import (
    AllowOutsideOption,
    ConfigOption,
    HeadingOption,
    KindOption,
    MAX_GAP_S,
    MaxGapOption,
    out,
    percent,
    PosesOption,
    SetOption,
    SourceArgument,
)
from husky_placerec.printable import printable
from husky_placerec.progress import progress
from rich.table import Table
from rich.text import Text
import typer

if TYPE_CHECKING:
    from husky_placerec.data.survey.cameras import CameraSurvey
    from husky_placerec.data.survey.findings import Finding
    from husky_placerec.data.survey.survey import Survey

app = typer.Typer(help='Look at recorded drives.', no_args_is_help=True)


@app.command(
    'check',
    epilog='Examples:\n\n'
    '  placerec data check drive_1\n\n'
    '  placerec data check 00_2023-02-10 --json > report.json\n\n'
    '  placerec data check lap.mcap --poses lap.tum -c config/husky.yaml',
)
def check(
    source: SourceArgument,
    poses: PosesOption = None,
    heading: HeadingOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    allow_outside: AllowOutsideOption = False,
    max_gap: MaxGapOption = MAX_GAP_S,
    kind: KindOption = None,
    as_json: Annotated[bool, typer.Option('--json', help='Print JSON instead of tables.')] = False,
) -> None:
    """
    Check every image, stamp and pose of a drive, and print each problem with its remedy.

    The exit status is 1 if there are errors, which would spoil a map or a replay.
    """
    from husky_placerec.config import read_config
    from husky_placerec.data.source import open_source
    from husky_placerec.data.survey.findings import findings
    from husky_placerec.data.survey.survey import survey

    parameters = read_config(config, settings or [], allow_outside=allow_outside)
    with open_source(source, kind) as drive:
        drive.check(parameters)
        seen = survey(drive, parameters, poses, heading, max_gap, progress('Looking', ' images'))
    found = findings(seen, parameters.slop)
    if as_json:
        about = {**seen.as_json(), 'findings': [vars(finding) for finding in found]}
        out.print(json.dumps(about, indent=2), highlight=False, soft_wrap=True)
    else:
        out.print(_camera_table(seen))
        out.print(_frame_table(seen))
        _print_findings(found)
    if any(finding.error for finding in found):
        raise typer.Exit(1)


def _camera_table(seen: Survey) -> Table:
    table = Table(title=printable(f'Cameras of {seen.source}'), title_justify='left')
    table.add_column('')
    for name in seen.cameras:
        table.add_column(name, justify='right', overflow='fold')
    for title, show in CAMERA_ROWS.items():
        values = (show(camera) if camera else '-' for camera in seen.cameras.values())
        table.add_row(title, *map(printable, values))
    return table


CAMERA_ROWS: dict[str, Callable[[CameraSurvey], str]] = {
    'images': lambda camera: str(camera.images),
    'first': lambda camera: _time(camera.first_ns),
    'duration': lambda camera: f'{(camera.last_ns - camera.first_ns) / 1e9:.1f} s',
    'rate': lambda camera: f'{camera.rate_hz:.2f} Hz',
    'jitter, 95 %': lambda camera: f'{camera.jitter_ms:.1f} ms',
    'longest gap': lambda camera: f'{camera.longest_gap_s:.2f} s',
    'stamps back / twice': lambda camera: f'{camera.backward} / {camera.duplicates}',
    'size': lambda camera: ', '.join(camera.sizes) or '-',
    'frame': lambda camera: ', '.join(camera.frame_ids) or '-',
    'mean brightness': lambda camera: f'{camera.brightness:.0f} of 255',
    'nearly black / mostly white': lambda camera: f'{camera.dark} / {camera.bright}',
    'equal to the one before': lambda camera: str(camera.equal),
    'broken': lambda camera: str(camera.broken),
}


def _frame_table(seen: Survey) -> Table:
    table = Table(title='Frames and poses', title_justify='left', show_header=False)
    pairing, poses = seen.pairing, seen.poses
    rows = {
        'frames': f'{pairing.frames}, {pairing.complete} of them with all cameras',
        'unpaired images': ', '.join(f'{name} {n}' for name, n in pairing.unpaired.items()),
        'stamps in a frame apart': f'median {pairing.median_ms:.1f} ms, '
        f'largest {pairing.largest_ms:.1f} ms',
    }
    if poses is None:
        rows['poses'] = 'none'
    else:
        share = percent(poses.covered / poses.frames if poses.frames else None)
        x, y = poses.extent_m
        rows |= {
            'poses': f'{poses.poses} of {poses.child_frame_id or "base_link"} in '
            f'{poses.frame_id or "(no frame)"}',
            'from': poses.source,
            'frames with a pose': f'{poses.covered} of {poses.frames} ({share})',
            'longest gap': f'{poses.longest_gap_s:.2f} s',
            'jumps': str(poses.jumps),
            'way': f'{poses.length_m:.1f} m, within {x:.0f} x {y:.0f} m',
            'frame to frame': f'{poses.spacing_m:.2f} m',
        }
    for title, value in rows.items():
        table.add_row(title, printable(value))
    return table


def _print_findings(found: list[Finding]) -> None:
    if not found:
        out.print(Text('nothing wrong was found', 'green'))
        return
    table = Table(title='What is wrong', title_justify='left', show_lines=True)
    for title in ('', 'found', 'what to do'):
        table.add_column(title, overflow='fold')
    for finding in found:
        grade = Text('error', 'bold red') if finding.error else Text('warning', 'yellow')
        table.add_row(grade, printable(finding.what), finding.advice)
    out.print(table)


def _time(stamp_ns: int) -> str:
    try:
        return f'{datetime.fromtimestamp(stamp_ns // 10**9, timezone.utc):%Y-%m-%d %H:%M:%S} UTC'
    except (OverflowError, ValueError, OSError):
        return f'{stamp_ns} ns'
