"""`placerec calibrate`: measure what the similarities of a map mean."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TYPE_CHECKING

from husky_placerec.cli.common import (
    AllowOutsideOption,
    broken_share,
    BrokenOption,
    ConfigOption,
    HeadingOption,
    KindOption,
    map_config,
    MapArgument,
    MAX_BROKEN,
    MAX_GAP_S,
    MaxGapOption,
    out,
    percent,
    PosesOption,
    say,
    SetOption,
    SOURCE_HELP,
    StrictOption,
    tell,
    TrustOption,
    warn,
)
from husky_placerec.progress import progress
from rich.table import Table
import typer

if TYPE_CHECKING:  # heavy modules are imported when a command runs, so that --help is quick
    from husky_placerec.recognition.calibration import Calibration

EPILOG = (
    'Examples:\n\n'
    '  placerec calibrate campus.map drive_2\n\n'
    '  placerec calibrate campus.map drive_2 --unknown another_district\n\n'
    '  placerec calibrate campus.map drive_2 --plot reliability.png\n\n'
    '  placerec calibrate campus.map   (no second drive: weaker)'
)
WIDTH = 30  # of a bar, in characters


def calibrate(
    path: MapArgument,
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar='SOURCE',
            help='A second drive on the mapped roads, better in other light: ' + SOURCE_HELP,
        ),
    ] = None,
    unknown: Annotated[
        list[Path] | None,
        typer.Option(
            metavar='SOURCE',
            help='A drive off the map; it needs no poses. Repeatable. Without one, SOURCE serves '
            'as the unknown drive: the places around each frame are then left out of the map.',
        ),
    ] = None,
    poses: PosesOption = None,
    heading: HeadingOption = None,
    plot: Annotated[
        Path | None, typer.Option(metavar='PNG', help='Draw the reliability diagram.')
    ] = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    allow_outside: AllowOutsideOption = False,
    max_gap: MaxGapOption = MAX_GAP_S,
    max_broken: BrokenOption = MAX_BROKEN,
    strict: StrictOption = False,
    kind: KindOption = None,
    trust: TrustOption = False,
) -> None:
    """
    Measure how reliable the answers of a map are, and store the calibration in the map.

    With a calibration every pose has a probability and a covariance, and the frames of the last
    metres decide together. Without SOURCE the map itself is the drive; such a calibration knows
    no other light or season.
    """
    from husky_placerec.operations.calibrate_map import calibrate_map
    from husky_placerec.operations.drives import DriveOptions
    from husky_placerec.placemap.loading import map_cameras

    parameters = map_config(config, settings, map_cameras(path), trust, allow_outside)
    made = calibrate_map(
        path,
        source,
        unknown=unknown or [],
        config=parameters,
        options=DriveOptions(
            poses,
            heading,
            max_gap_s=max_gap,
            kind=kind,
            skip_unposed=True,
            max_broken=broken_share(max_broken, strict),
        ),
        tell=tell,
        warn=warn,
        bars=progress,
    )
    _report(made)
    _report_proof(made, parameters.evidence_every)
    if plot is not None:
        from husky_placerec.evaluation.report.reliability import draw_reliability

        draw_reliability(made.figures, plot)
        say(f'{plot}: reliability diagram')
    _report_promise(made)
    say(f'{path}: calibrated ({made.kind}), {made.grade}')


def _report(made: Calibration) -> None:
    figures = made.figures
    out.print(_reliability_table(figures))
    table = Table(title='Single frames, held out', title_justify='left', show_header=False)
    table.add_row('frames on the map', str(figures['frames']))
    table.add_row('of these wrong', str(figures['wrong']))
    table.add_row('frames off the map', str(figures['unknown']))
    table.add_row('frames made unknown', str(figures['made_unknown']))
    error = figures['expected_calibration_error']
    table.add_row('expected calibration error', f'{error:.3f}')
    for precision, at in figures['recall_at_precision'].items():
        title = f'recall at {100 * float(precision):g} % precision'
        least = at['probability']
        from_ = '' if least is None else f', from a probability of {least:.3f}'
        table.add_row(title, percent(at['recall']) + from_)
    out.print(table)
    if not figures['wrong']:
        warn(
            f'no wrong match among {figures["frames"]} frames on the map: the rate may still be '
            f'up to {percent(figures["wrong_at_most"])} (95 % confidence); a drive in other light '
            'or season, or a longer one, would tell more'
        )
    if not figures['unknown']:
        warn(
            'no drive off the map: unknown places are those of the drive with the places around '
            'taken out; --unknown SOURCE would tell how often other roads are taken for the map'
        )


def _report_proof(made: Calibration, every_m: float) -> None:
    """Print how many frames a pose needs, or that no number of frames suffices."""
    from husky_placerec.recognition.calibrating.null import frames_needed

    frames = frames_needed(made.proof, made.figures['usual_proof'], every_m)
    if frames is None:
        warn(
            'the frames say too little: however many agree, they do not come to what unknown road '
            'may look like, and the sequence will believe no pose; a longer map, a drive off it '
            '(--unknown) or another model may help'
        )
        return
    say(f'the sequence believes a pose when about {frames} frames, {every_m:g} m apart, agree')


def _report_promise(made: Calibration) -> None:
    """Print what the sequence did on stretches that were held out, and what is missing."""
    counts = made.figures.get('promise', {})
    if counts.get('known'):
        say(
            f'the sequence, held out: {counts["right"]} of {counts["accepted"]} accepted poses '
            f'right, {counts["accepted"]} of {counts["known"]} frames on the map accepted, '
            f'{counts["accepted_unknown"]} of {counts["unknown"]} off it'
        )
    if made.weakness:
        warn(f'{made.grade}: {made.weakness}')


def _reliability_table(figures: dict[str, Any] | Any) -> Table:
    caption = (
        'said: the stated probability that the best place is right; came true: the share of these '
        'frames whose best place was right; share: of all frames. The two should be equal.'
    )
    table = Table(
        title='Reliability', title_justify='left', caption=caption, caption_justify='left'
    )
    table.add_column('said', justify='right')
    table.add_column('came true', justify='right')
    table.add_column('')
    table.add_column('share', justify='right')
    for row in figures['reliability']:
        filled = round(WIDTH * row['came_true'])
        table.add_row(
            percent(row['said']),
            percent(row['came_true']),
            '█' * filled + '·' * (WIDTH - filled),
            percent(row['share']),
        )
    return table
