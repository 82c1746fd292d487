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
    seed: Annotated[int, typer.Option(help='Number of the campus.', min=0)] = 1,
    condition: Annotated[
        list[str] | None,
        typer.Option(
            help='Season, weather and light; summer_day by default. With several, each is a '
            'track OUT/<condition>.'
        ),
    ] = None,
    drive: Annotated[
        int, typer.Option(help='Varies start, lateral wander, traffic and phase.', min=0)
    ] = 0,
    step: Annotated[float, typer.Option(help='Distance between frames, in m.')] = 3.0,
    length: Annotated[
        float | None,
        typer.Option(
            help='Length of the drive, in m. By default the whole mapped route; with --detour so '
            'much that two thirds are on the route.',
            show_default=False,
        ),
    ] = None,
    protocol: Annotated[
        str,
        typer.Option(
            help='What the options below are where they are not given: standard (a small campus, '
            'drives alike but for light and traffic) or hard (2 km, streets that repeat, other '
            'lanes, facades, snow banks, lorries and three times the traffic).'
        ),
    ] = 'standard',
    start: Annotated[
        float, typer.Option(help='Where on the route it begins, in m.', rich_help_panel=WAY)
    ] = 0.0,
    reverse: Annotated[
        bool,
        typer.Option('--reverse', help='Drive the same road the other way.', rich_help_panel=WAY),
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
    lateral: Annotated[float | None, _number('So far to the left of usual, in m.', WAY)] = None,
    lane_change: Annotated[
        float | None, _number('The same, now there and now back, in m.', WAY)
    ] = None,
    heading: Annotated[
        float | None, _number("Wander of the robot's heading, in deg.", WAY)
    ] = None,
    sway: Annotated[
        float | None, _number('Of the body on its wheels, times the usual; 0: none.', WAY)
    ] = None,
    traffic: Annotated[
        float | None, _number('How many cars and people, times the usual.', SCENE)
    ] = None,
    aliasing: Annotated[
        float | None, _number('Share of the houses in runs that repeat elsewhere.', SCENE)
    ] = None,
    lorries: Annotated[
        float | None, _number('Share of the bays at the kerb with a lorry.', SCENE)
    ] = None,
    changed_facades: Annotated[
        float | None, _number('Share of the houses in other paint than on drive 0.', SCENE)
    ] = None,
    scaffolding: Annotated[
        float | None, _number('Share of the houses behind it; none on drive 0.', SCENE)
    ] = None,
    snow_banks: Annotated[float | None, _number('Share of the kerb, in winter.', SCENE)] = None,
    leaves: Annotated[
        float | None, _number('Share of the kerb with heaps of them, in autumn.', SCENE)
    ] = None,
    style: Annotated[int | None, _number('Another number repaints everything.', SCENE)] = None,
    identical_cameras: Annotated[
        bool,
        typer.Option(
            '--identical-cameras',
            help="Both cameras as the front one's.",
            rich_help_panel=CAMERAS,
        ),
    ] = False,
    four_cameras: Annotated[
        bool,
        typer.Option(
            '--four-cameras',
            help='Cameras to the front, left, back and right.',
            rich_help_panel=CAMERAS,
        ),
    ] = False,
    distortion: Annotated[
        str,
        typer.Option(
            help='Lenses that distort: plumb_bob, rational_polynomial or equidistant (a fisheye '
            'of 150 degrees); of all cameras that their driver does not rectify, or of one, as '
            'equidistant:back.',
            rich_help_panel=CAMERAS,
        ),
    ] = '',
    upside_down: Annotated[
        str,
        typer.Option(
            metavar='CAMERA', help='A camera that is mounted so.', rich_help_panel=CAMERAS
        ),
    ] = '',
    field_of_view: Annotated[
        float,
        typer.Option(
            help="Horizontal, of each camera, in deg; the Husky's by default.",
            rich_help_panel=CAMERAS,
        ),
    ] = 0.0,
    camera_height: Annotated[
        float,
        typer.Option(
            help="Of each camera, in m; the Husky's by default.", rich_help_panel=CAMERAS
        ),
    ] = 0.0,
    fault: Annotated[
        str,
        typer.Option(
            help='A fault of the cameras, such as blur, or black:back for one.',
            rich_help_panel=CAMERAS,
        ),
    ] = '',
    width: Annotated[
        int, typer.Option(help='Of the images, in pixels.', rich_help_panel=CAMERAS)
    ] = 640,
    height: Annotated[
        int, typer.Option(help='Of the images, in pixels.', rich_help_panel=CAMERAS)
    ] = 360,
    workers: Annotated[
        int, typer.Option(help='Processes that render.', min=1, rich_help_panel=DOING)
    ] = 2,
    resume: Annotated[
        bool,
        typer.Option(
            '--resume', help='Keep the conditions that are finished.', rich_help_panel=DOING
        ),
    ] = False,
    sheet: Annotated[
        bool,
        typer.Option(
            '--sheet',
            help='Make one picture OUT of all conditions, front and back, with masks.',
            rich_help_panel=DOING,
        ),
    ] = False,
    live: Annotated[
        bool,
        typer.Option(
            '--live',
            help='Publish the drive as a robot would, and write nothing.',
            rich_help_panel=DOING,
        ),
    ] = False,
    rate: Annotated[
        float, typer.Option(help='With --live: frames in a second.', rich_help_panel=DOING)
    ] = 2.0,
    overwrite: OverwriteOption = False,
) -> None:
    """
    Render a drive of a Husky on a simulated campus, as an ITLP-Campus track with its bag.

    All drives of a seed share one map frame, so that one can be mapped and the others recognised.
    Other values of --route, --aliasing and --style make another campus.
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
