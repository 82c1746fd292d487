"""`placerec sim`: render drives on a simulated campus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NoReturn, TYPE_CHECKING

from husky_placerec.cli.common import (
    OverwriteOption,
    say,
)
from husky_placerec.errors import InputError
from husky_placerec.optional import require
from husky_placerec.progress import progress, slow_start_bar
import typer

if TYPE_CHECKING:
    from husky_placerec.campus.drives import DriveConfig

EPILOG = (
    'Examples:\n\n'
    '  placerec sim summer --seed 7 --condition summer_day\n\n'
    '  placerec sim drives --seed 7 --condition night --condition fog --drive 1 --length 200\n\n'
    '  placerec sim back --seed 7 --drive 2 --reverse --identical-cameras\n\n'
    '  placerec sim fish --seed 7 --distortion equidistant:back   (a fisheye at the back)\n\n'
    '  placerec sim winter --seed 7 --drive 3 --protocol hard --condition winter_day\n\n'
    '  placerec sim sheet.png --sheet --seed 7   (all conditions in one picture, with masks)\n\n'
    '  placerec sim --live --condition fog   (publishes images, odometry, /clock)'
)
WAY, SCENE, CAMERAS, DOING = 'The way', 'What is to be seen', 'The cameras', 'What to make'
STARTING = 'compiling, on the first run for up to a minute'
SHEET_PX = (400, 225)


def _number(help_text: str, panel: str) -> Any:
    return typer.Option(help=help_text, rich_help_panel=panel, show_default=False)


def sim(
    output: Annotated[
        Path | None, typer.Argument(metavar='OUT', help='Folder of the track to make.')
    ] = None,
    seed: Annotated[int, typer.Option(help='Number of the campus to render.', min=0)] = 1,
    condition: Annotated[
        list[str] | None,
        typer.Option(
            help='Season, weather and light; by default summer_day. Repeatable: each condition is '
            'then a track OUT/<condition>.'
        ),
    ] = None,
    drive: Annotated[
        int,
        typer.Option(
            help='Number of the drive: it changes the start, the lateral wander and the traffic.',
            min=0,
        ),
    ] = 0,
    step: Annotated[float, typer.Option(help='Distance between frames, in m.')] = 3.0,
    length: Annotated[
        float | None,
        typer.Option(
            help='Length of the drive, in m. By default: the whole mapped route; with --detour, a '
            'drive of which two thirds are on the route.',
            show_default=False,
        ),
    ] = None,
    protocol: Annotated[
        str,
        typer.Option(
            help='Defaults of the options below: standard (a small campus; drives differ in light '
            'and traffic only) or hard (2 km, streets that repeat, lane changes, repainted '
            'facades, snow banks, lorries and three times the traffic).'
        ),
    ] = 'standard',
    start: Annotated[
        float, typer.Option(help='Where on the route the drive begins, in m.', rich_help_panel=WAY)
    ] = 0.0,
    reverse: Annotated[
        bool,
        typer.Option(
            '--reverse', help='Drive the same road in the other direction.', rich_help_panel=WAY
        ),
    ] = False,
    detour: Annotated[
        bool,
        typer.Option(
            '--detour',
            help='Leave the mapped route for about a third of the drive.',
            rich_help_panel=WAY,
        ),
    ] = False,
    route: Annotated[float | None, _number('Least length of the mapped route, in m.', WAY)] = None,
    lateral: Annotated[
        float | None, _number('Lateral offset of the drive to the left, in m.', WAY)
    ] = None,
    lane_change: Annotated[
        float | None, _number('Lateral offset on some sections only, in m.', WAY)
    ] = None,
    heading: Annotated[
        float | None, _number('Greatest deviation of the heading from the road, in deg.', WAY)
    ] = None,
    sway: Annotated[
        float | None, _number('Sway of the body on its wheels, as a multiple of the usual.', WAY)
    ] = None,
    traffic: Annotated[
        float | None, _number('Cars and people, as a multiple of the usual number.', SCENE)
    ] = None,
    aliasing: Annotated[
        float | None, _number('Share of the runs of houses that repeat elsewhere.', SCENE)
    ] = None,
    lorries: Annotated[
        float | None, _number('Share of the parking bays with a lorry.', SCENE)
    ] = None,
    changed_facades: Annotated[
        float | None, _number('Share of the houses that are repainted since drive 0.', SCENE)
    ] = None,
    scaffolding: Annotated[
        float | None, _number('Share of the houses behind scaffolding; none on drive 0.', SCENE)
    ] = None,
    snow_banks: Annotated[
        float | None, _number('Share of the kerb with heaps of snow, in winter.', SCENE)
    ] = None,
    leaves: Annotated[
        float | None, _number('Share of the kerb with heaps of leaves, in autumn.', SCENE)
    ] = None,
    style: Annotated[int | None, _number('Number of the set of textures.', SCENE)] = None,
    identical_cameras: Annotated[
        bool,
        typer.Option(
            '--identical-cameras',
            help='Make the back camera like the front camera.',
            rich_help_panel=CAMERAS,
        ),
    ] = False,
    four_cameras: Annotated[
        bool,
        typer.Option(
            '--four-cameras',
            help='Render four cameras: front, left, back and right.',
            rich_help_panel=CAMERAS,
        ),
    ] = False,
    distortion: Annotated[
        str,
        typer.Option(
            help='Distortion of the lenses: plumb_bob, rational_polynomial or equidistant (a '
            'fisheye of 150 degrees). It applies to every camera whose driver does not rectify '
            'its images, or to one camera: equidistant:back.',
            rich_help_panel=CAMERAS,
        ),
    ] = '',
    upside_down: Annotated[
        str,
        typer.Option(
            metavar='CAMERA', help='Name of a camera that is upside down.', rich_help_panel=CAMERAS
        ),
    ] = '',
    field_of_view: Annotated[
        float,
        typer.Option(
            help="Horizontal field of view, in deg; by default that of the Husky's cameras.",
            rich_help_panel=CAMERAS,
        ),
    ] = 0.0,
    camera_height: Annotated[
        float,
        typer.Option(
            help="Height of the cameras, in m; by default that of the Husky's.",
            rich_help_panel=CAMERAS,
        ),
    ] = 0.0,
    fault: Annotated[
        str,
        typer.Option(
            help='Camera fault: blur, overexposed, drops, dirt or black. It affects both cameras; '
            'black:back affects one.',
            rich_help_panel=CAMERAS,
        ),
    ] = '',
    width: Annotated[
        int, typer.Option(help='Width of the images, in pixels.', rich_help_panel=CAMERAS)
    ] = 640,
    height: Annotated[
        int, typer.Option(help='Height of the images, in pixels.', rich_help_panel=CAMERAS)
    ] = 360,
    workers: Annotated[
        int, typer.Option(help='Number of processes that render.', min=1, rich_help_panel=DOING)
    ] = 2,
    resume: Annotated[
        bool,
        typer.Option(
            '--resume',
            help='Keep the conditions that are rendered already.',
            rich_help_panel=DOING,
        ),
    ] = False,
    sheet: Annotated[
        bool,
        typer.Option(
            '--sheet',
            help='Write one picture OUT of all conditions, front and back, with masks.',
            rich_help_panel=DOING,
        ),
    ] = False,
    live: Annotated[
        bool,
        typer.Option(
            '--live',
            help='Publish the drive on ROS topics as a robot does, and write nothing.',
            rich_help_panel=DOING,
        ),
    ] = False,
    rate: Annotated[
        float, typer.Option(help='With --live: frames per second.', rich_help_panel=DOING)
    ] = 2.0,
    overwrite: OverwriteOption = False,
) -> None:
    """
    Render a drive of a Husky on a simulated campus, as an ITLP-Campus track with its bag.

    All drives of one seed share a map frame, so that one can be mapped and the others recognised.
    Another value of --route, --aliasing or --style makes another campus.
    """
    require('numba', 'PIL')
    from husky_placerec.campus.protocols import drive_of

    asked = {
        'length_m': length,
        'route_m': route,
        'lateral_m': lateral,
        'lane_change_m': lane_change,
        'heading_deg': heading,
        'sway': sway,
        'traffic': traffic,
        'aliasing': aliasing,
        'lorries': lorries,
        'changed_facades': changed_facades,
        'scaffolding': scaffolding,
        'snow_banks': snow_banks,
        'leaves': leaves,
        'style': style,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    conditions = condition or ['summer_day']
    configs = {
        name: drive_of(
            protocol,
            seed=seed,
            drive=drive,
            condition=name,
            start_m=start,
            step_m=step,
            width=width,
            height=height,
            reverse=reverse,
            detour=detour,
            identical_cameras=identical_cameras,
            four_cameras=four_cameras,
            distortion=distortion,
            upside_down=upside_down,
            field_of_view_deg=field_of_view,
            camera_height_m=camera_height,
            fault=fault,
            **given,
        )
        for name in conditions
    }
    for config in configs.values():
        config.check()
    if length is None:
        configs = {name: config.whole() for name, config in configs.items()}
    if live:
        _drive_live(output, list(configs.values()), rate)
    if output is None:
        raise InputError('no output; name what to make, or give --live')
    if sheet:
        _make_sheet(output, configs[conditions[0]], overwrite)
    else:
        _make_tracks(output, configs, workers, overwrite=overwrite, resume=resume)


def _make_tracks(
    output: Path,
    configs: dict[str, DriveConfig],
    workers: int,
    *,
    overwrite: bool,
    resume: bool,
) -> None:
    from husky_placerec.campus.recording import write_track

    paths = {name: output / name if len(configs) > 1 else output for name in configs}
    _refuse_existing(list(paths.values()), overwrite=overwrite, resume=resume)
    for name, path in paths.items():
        if resume and (path / 'track.csv').is_file():
            say(f'{path}: finished already')
            continue
        with slow_start_bar(f'Rendering {name}', STARTING) as show:
            write_track(path, configs[name], overwrite=overwrite, workers=workers, progress=show)
        say(f'{path}: a track, with its bag in {path / "bag"}')


def _make_sheet(output: Path, config: DriveConfig, overwrite: bool) -> None:
    from husky_placerec.campus.sheet import write_sheet
    from husky_placerec.files import refuse_existing

    if output.suffix.lower() != '.png':
        raise InputError(f'--sheet: {output} is no picture; expected a name that ends in .png')
    refuse_existing(output, overwrite)
    write_sheet(output, config, SHEET_PX, progress('Rendering', ' conditions'))
    say(f'{output}: all conditions, front and back, with masks')


def _drive_live(output: Path | None, configs: list[DriveConfig], rate: float) -> NoReturn:
    from husky_placerec.simulator.node import run

    if output is not None or len(configs) > 1:
        raise InputError('--live: publishes one condition and writes nothing; give no output')
    raise typer.Exit(run(configs[0], rate))


def _refuse_existing(paths: list[Path], *, overwrite: bool, resume: bool) -> None:
    """Refuse any existing output before the rendering begins."""
    from husky_placerec.output_folder import check_output_folder

    for path in paths:
        finished = resume and (path / 'track.csv').is_file()
        if path.exists() and not overwrite and not finished:
            raise InputError(f'{path}: exists already; give --overwrite, or --resume to go on')
        if not finished:
            check_output_folder(path, overwrite)
