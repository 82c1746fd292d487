"""`placerec map build`, `info` and `verify`; map_changes.py and map_parts.py have the others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from husky_placerec.cli.common import (
    AllowOutsideOption,
    broken_share,
    BrokenOption,
    ConfigOption,
    HeadingOption,
    IndexOption,
    KindOption,
    LandmarksOption,
    LocalOption,
    MapArgument,
    MAX_BROKEN,
    MAX_GAP_S,
    MaxGapOption,
    out,
    OverwriteOption,
    PosesOption,
    say,
    SetOption,
    SkipUnposedOption,
    SourceArgument,
    StrictOption,
    tell,
    TextsOption,
    warn,
    with_landmarks,
    with_local,
)
from husky_placerec.progress import progress
import typer

app = typer.Typer(help='Build, inspect and change place maps.', no_args_is_help=True)


@app.command(
    'build',
    epilog='Examples:\n\n'
    '  placerec map build drive_1 campus.map --set extractor=hog\n\n'
    '  placerec map build 00_2023-02-10 winter.map   (a track of ITLP-Campus)\n\n'
    '  placerec map build drive_1 campus.map --poses /odometry/global -c config/husky.yaml\n\n'
    '  placerec map build drive_1 campus.map --poses /fix --heading /imu/data --every 2 '
    '--turn 20\n\n'
    '  placerec map build drive_1 campus.map --poses /odometry/gps --heading motion\n\n'
    '  placerec map build drive_1 campus.map --validate drive_2 --thumbnails 160\n\n'
    '  placerec map build drive_1 campus.map --local --landmarks\n\n'
    '  placerec map build 00_2023-02-10 winter.map --texts --set texts=labels\n\n'
    '  placerec map build drive_1 campus.map -s preset=megaloc --project 512 '
    '--validate drive_2\n\n'
    '  placerec map build lap.mcap lap.map --poses lap.tum --set cameras=\\[front] '
    '--set camera.front.topic=/camera/image_raw --set camera.front.transport=raw',
)
def map_build(
    source: SourceArgument,
    output: Annotated[Path, typer.Argument(metavar='OUT', help='Folder of the new map.')],
    poses: PosesOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    allow_outside: AllowOutsideOption = False,
    track: Annotated[str, typer.Option(help='Name of the drive; by default that of SOURCE.')] = '',
    heading: HeadingOption = None,
    max_gap: MaxGapOption = MAX_GAP_S,
    every: Annotated[
        float | None,
        typer.Option(
            metavar='METRES', help='Take a place only this far from the last one.', min=0
        ),
    ] = None,
    turn: Annotated[
        float | None,
        typer.Option(
            metavar='DEGREES', help='Also take a place after a turn by this angle.', min=0
        ),
    ] = None,
    validate: Annotated[
        Path | None,
        typer.Option(
            metavar='SOURCE',
            help='Another drive on the same roads with poses in the same frame, or a map of it. '
            'The recall on it decides whether descriptors are centred or whitened.',
        ),
    ] = None,
    thumbnails: Annotated[
        int,
        typer.Option(
            metavar='PIXELS', help='Width of stored pictures of the places; 0: none.', min=0
        ),
    ] = 0,
    local: LocalOption = None,
    texts: TextsOption = None,
    landmarks: LandmarksOption = None,
    index: IndexOption = None,
    project: Annotated[
        int,
        typer.Option(
            metavar='N',
            help='Store only N numbers a camera, by the principal components of this drive; 0: '
            'all. With --validate, what that costs in recall is measured.',
            min=0,
        ),
    ] = 0,
    skip_unposed: SkipUnposedOption = False,
    max_broken: BrokenOption = MAX_BROKEN,
    strict: StrictOption = False,
    kind: KindOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """
    Build a place map from a drive: every pair of images becomes a place, unless it is thinned.

    The drive needs poses of base_link in the map frame that cover every frame; those that they do
    not cover are left out with --skip-unposed.
    """
    from husky_placerec.cli.map_tables import comparison, gain_table
    from husky_placerec.config import read_config
    from husky_placerec.operations.build_map import build_map
    from husky_placerec.operations.drives import DriveOptions
    from husky_placerec.operations.map_texts import with_texts
    from husky_placerec.placemap.centring_choice import centring_note
    from husky_placerec.placemap.thinning import Thinning

    configured = read_config(config, settings or [], allow_outside=allow_outside)
    configured = with_landmarks(with_local(configured, local), landmarks)
    if texts is not None:
        configured = with_texts(configured, texts)
    place_map = build_map(
        source,
        output,
        config=configured,
        options=DriveOptions(
            poses,
            heading,
            track,
            max_gap,
            Thinning(every, turn),
            thumbnails,
            kind,
            skip_unposed,
            broken_share(max_broken, strict),
        ),
        validate=validate,
        index=index,
        project=project,
        overwrite=overwrite,
        tell=tell,
        warn=warn,
        bars=progress,
    )
    if place_map.gain:
        out.print(gain_table(place_map.gain, used=comparison(place_map)))
    say(centring_note(place_map, configured.centring))
    if place_map.view:
        say(f'virtual pinhole: {place_map.view}')
    say(f'{output}: {len(place_map)} places')


@app.command('info', epilog='Example:\n\n  placerec map info campus.map')
def map_info(path: MapArgument) -> None:
    """Show what is in a map and what made it."""
    from husky_placerec.cli.map_tables import comparison, gain_table, map_table
    from husky_placerec.placemap.loading import load_map

    place_map = load_map(path)
    out.print(map_table(place_map))
    if place_map.gain:
        out.print(gain_table(place_map.gain, used=comparison(place_map)))


@app.command('verify', epilog='Example:\n\n  placerec map verify campus.map')
def map_verify(path: MapArgument) -> None:
    """Check every hash, pose and descriptor of a map."""
    from husky_placerec.placemap.loading import load_map
    from husky_placerec.placemap.soundness import doubts_of_map
    from husky_placerec.placemap.storage import verify_map
    from husky_placerec.recognition.calibration import calibration_of, UNCALIBRATED

    for checked in verify_map(path):
        say(checked, 'ok')
    place_map = load_map(path)
    calibration = calibration_of(place_map)
    kind = UNCALIBRATED if calibration is None else f'{calibration.kind}, of the same model'
    say(f'calibration: {kind}', 'ok')
    if calibration is not None and not place_map.calibrated_on_these_places:
        warn(f'{path}: the calibration was measured on other places; calibrate the map again')
    for doubt in (*place_map.places.jumps(), *doubts_of_map(place_map)):
        warn(f'{path}: {doubt}')
