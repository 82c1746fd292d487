"""`placerec map`: build and inspect place maps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TYPE_CHECKING

from husky_placerec.cli.common import (
    ConfigOption,
    HeadingOption,
    KindOption,
    MapArgument,
    MAX_GAP_S,
    MaxGapOption,
    out,
    OverwriteOption,
    PosesOption,
    SetOption,
    SourceArgument,
    warn,
    warn_of_limits,
    warn_of_poses,
    warn_of_problems,
)
from husky_placerec.progress import progress
from rich.table import Table
from rich.text import Text
import typer

if TYPE_CHECKING:  # heavy modules are imported when a command runs, so that --help is quick
    from husky_placerec.data.trajectory import Trajectory
    from husky_placerec.placemap.place_map import PlaceMap

app = typer.Typer(help='Build and inspect place maps.', no_args_is_help=True)


@app.command(
    'build',
    epilog='Examples:\n\n'
    '  placerec map build drive_1 campus.map --set extractor=hog\n\n'
    '  placerec map build 00_2023-02-10 winter.map   (a track of ITLP-Campus)\n\n'
    '  placerec map build drive_1 campus.map --poses /odometry/global -c config/husky.yaml\n\n'
    '  placerec map build drive_1 campus.map --poses /fix --heading /imu/data --every 2 '
    '--turn 20\n\n'
    '  placerec map build lap.mcap lap.map --poses lap.tum --set cameras=\\[front] '
    '--set camera.front.topic=/camera/image_raw --set camera.front.transport=raw',
)
def map_build(
    source: SourceArgument,
    output: Annotated[Path, typer.Argument(metavar='OUT', help='Folder of the new map.')],
    poses: PosesOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    track: Annotated[str, typer.Option(help='Name of the drive; that of SOURCE by default.')] = '',
    heading: HeadingOption = None,
    max_gap: MaxGapOption = MAX_GAP_S,
    every: Annotated[
        float | None,
        typer.Option(metavar='METRES', help='Take a place only this far from the last.', min=0),
    ] = None,
    turn: Annotated[
        float | None,
        typer.Option(metavar='DEGREES', help='Or when the robot has turned this much.', min=0),
    ] = None,
    skip_unposed: Annotated[
        bool,
        typer.Option('--skip-unposed', help='Leave out frames without a pose, not refuse them.'),
    ] = False,
    kind: KindOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """
    Build a place map from a drive: every pair of images becomes a place, unless it is thinned.

    The drive needs poses of base_link in the map frame that cover every frame; those that they do
    not cover are left out with --skip-unposed.
    """
    from husky_placerec.config import read_config
    from husky_placerec.data.source import find_trajectory, open_source
    from husky_placerec.descriptor.extractor import load_extractor
    from husky_placerec.files import refuse_existing
    from husky_placerec.placemap.building import build_map
    from husky_placerec.placemap.storage import save_map
    from husky_placerec.placemap.thinning import Thinning

    refuse_existing(output, overwrite)
    parameters = read_config(config, settings or [])
    with open_source(source, kind) as drive:
        drive.check(parameters)
        trajectory = find_trajectory(drive, poses, heading)
        _warn_of_frames(trajectory)
        warn_of_poses(trajectory)
        extractor = load_extractor(parameters)
        warn_of_limits(extractor.spec)
        place_map = build_map(
            drive,
            trajectory,
            extractor,
            parameters,
            track=track or drive.name,
            max_gap_s=max_gap,
            thinning=Thinning(every, turn),
            skip_unposed=skip_unposed,
            progress=progress('Describing'),
        )
        warn_of_problems(drive)
    save_map(place_map, output, overwrite=overwrite)
    lone = int((~place_map.places.present.all(axis=1)).sum())
    if lone:
        warn(f'{lone} of {len(place_map)} frames lack a camera')
    out.print(f'{output}: {len(place_map)} places', highlight=False)


@app.command('info', epilog='Example:\n\n  placerec map info campus.map')
def map_info(path: MapArgument) -> None:
    """Show what is in a map and what made it."""
    from husky_placerec.placemap.storage import load_map

    out.print(_map_table(load_map(path)))


@app.command('verify', epilog='Example:\n\n  placerec map verify campus.map')
def map_verify(path: MapArgument) -> None:
    """Check every hash, pose and descriptor of a map."""
    from husky_placerec.placemap.storage import verify_map

    for checked in verify_map(path):
        out.print(f'[green]ok[/]  {checked}', highlight=False)


def _warn_of_frames(trajectory: Trajectory) -> None:
    if trajectory.frame_id == 'odom':
        warn(f'{trajectory.source}: poses in the frame odom drift; a map wants poses that do not')
    if trajectory.child_frame_id not in ('', 'base_link'):
        warn(f'{trajectory.source}: poses of {trajectory.child_frame_id} are taken for base_link')


def _origin(place_map: PlaceMap) -> str:
    origin = place_map.origin
    if origin is None:
        return 'not known'
    return f'{origin.latitude:.7f}, {origin.longitude:.7f}, {origin.altitude:.2f} m; x is east'


def _map_table(place_map: PlaceMap) -> Table:
    spec, places = place_map.spec, place_map.places
    low, high = places.poses[:, :2].min(axis=0), places.poses[:, :2].max(axis=0)
    table = Table(title=place_map.name, show_header=False, title_justify='left')
    model = f'{spec.backbone}, weights {spec.weights} ({spec.weights_sha256[:12]})'
    focal = spec.pinhole_focal
    pinhole = f'focal length {focal:g} widths' if focal else 'none'
    rows = {
        'places': f'{len(place_map)} on {len(set(places.tracks))} track(s)',
        'cameras': ', '.join(spec.cameras) + ('' if place_map.opposites else ' (no opposites)'),
        'with all cameras': str(int(places.present.all(axis=1).sum())),
        'descriptor': model if spec.extractor == 'timm' else spec.extractor,
        'input': f'{spec.input_width}x{spec.input_height}',
        'virtual pinhole': pinhole,
        'pooling, fusion': f'{spec.pooling}; {spec.fusion}',
        'size': f'{len(spec.cameras)} x {spec.size}, stored as float16',
        'frame': place_map.frame_id,
        'origin (WGS 84)': _origin(place_map),
        'extent': f'{high[0] - low[0]:.0f} x {high[1] - low[1]:.0f} m',
        'created': place_map.created,
        'sources': ', '.join(place_map.sources),
    }
    for name, value in rows.items():
        table.add_row(name, Text(value))
    return table
