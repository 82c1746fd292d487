"""`placerec sim`: drives on a simulated campus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn, TYPE_CHECKING

from husky_placerec.cli.common import out, OverwriteOption
from husky_placerec.errors import InputError
from husky_placerec.progress import bar

if TYPE_CHECKING:
    from husky_placerec.campus.drives import DriveConfig
import typer

EPILOG = (
    'Examples:\n\n'
    '  placerec sim summer --seed 7 --condition summer_day\n\n'
    '  placerec sim drives --seed 7 --condition night --condition fog --drive 1 --length 200\n\n'
    '  placerec sim back --seed 7 --drive 2 --reverse --identical-cameras\n\n'
    '  placerec sim --live --condition fog   (publishes images, odometry, /clock)'
)


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
    length: Annotated[float, typer.Option(help='Length of the drive, in m.')] = 300.0,
    start: Annotated[float, typer.Option(help='Where on the route it begins, in m.')] = 0.0,
    reverse: Annotated[
        bool, typer.Option('--reverse', help='Drive the same road the other way.')
    ] = False,
    detour: Annotated[
        bool, typer.Option('--detour', help='Leave the mapped route for about a third.')
    ] = False,
    traffic: Annotated[float, typer.Option(help='How many cars and people, 1 is usual.')] = 1.0,
    aliasing: Annotated[
        float, typer.Option(help='Share of the houses in runs that repeat elsewhere.')
    ] = 0.3,
    identical_cameras: Annotated[
        bool, typer.Option('--identical-cameras', help="Both cameras as the front one's.")
    ] = False,
    fault: Annotated[
        str, typer.Option(help='A fault of the cameras, such as blur, or black:back for one.')
    ] = '',
    width: Annotated[int, typer.Option(help='Of the images, in pixels.')] = 640,
    height: Annotated[int, typer.Option(help='Of the images, in pixels.')] = 360,
    workers: Annotated[int, typer.Option(help='Processes that render.', min=1)] = 2,
    resume: Annotated[
        bool, typer.Option('--resume', help='Keep the conditions that are finished.')
    ] = False,
    live: Annotated[
        bool, typer.Option('--live', help='Publish the drive as a robot would, and write nothing.')
    ] = False,
    rate: Annotated[float, typer.Option(help='With --live: frames in a second.')] = 2.0,
    overwrite: OverwriteOption = False,
) -> None:
    """
    Render a drive of a Husky on a simulated campus, as an ITLP-Campus track with its bag.

    All drives of a seed are in one map frame, so one can be mapped and the others recognised.
    """
    try:
        import numba  # noqa: F401
    except ImportError as error:
        raise InputError(
            'sim: needs numba and pillow (pip install husky_placerec[sim])'
        ) from error
    from husky_placerec.campus.drives import DriveConfig

    conditions = condition or ['summer_day']
    configs = {
        name: DriveConfig(
            seed=seed,
            drive=drive,
            condition=name,
            start_m=start,
            length_m=length,
            step_m=step,
            width=width,
            height=height,
            reverse=reverse,
            detour=detour,
            traffic=traffic,
            aliasing=aliasing,
            identical_cameras=identical_cameras,
            fault=fault,
        )
        for name in conditions
    }
    for config in configs.values():
        config.check()
    if live:
        _drive_live(output, list(configs.values()), rate)
    if output is None:
        raise InputError('no output; name the folder to make, or give --live')
    from husky_placerec.campus.recording import write_track

    paths = {name: output / name if len(conditions) > 1 else output for name in conditions}
    _refuse_existing(list(paths.values()), overwrite=overwrite, resume=resume)
    for name, path in paths.items():
        if resume and (path / 'track.csv').is_file():
            out.print(f'{path}: finished already', highlight=False)
            continue
        with bar(f'Rendering {name}') as shown:

            def show(done: int, total: int) -> None:
                shown.total = total
                shown.update(done - shown.n)

            write_track(path, configs[name], overwrite=overwrite, workers=workers, progress=show)
        out.print(f'{path}: a track, with its bag in {path / "bag"}', highlight=False)


def _drive_live(output: Path | None, configs: list[DriveConfig], rate: float) -> NoReturn:
    from husky_placerec.simulator.node import run

    if output is not None or len(configs) > 1:
        raise InputError('--live: publishes one condition and writes nothing; give no output')
    raise typer.Exit(run(configs[0], rate))


def _refuse_existing(paths: list[Path], *, overwrite: bool, resume: bool) -> None:
    """Refuse before anything is rendered, whichever of the outputs is in the way."""
    for path in paths:
        finished = resume and (path / 'track.csv').is_file()
        if path.exists() and not overwrite and not finished:
            raise InputError(f'{path}: exists already; give --overwrite, or --resume to go on')
