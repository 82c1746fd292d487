"""`placerec convert`: a drive in another format."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TYPE_CHECKING

from husky_placerec.cli.common import (
    AllowOutsideOption,
    broken_share,
    BrokenOption,
    ConfigOption,
    HeadingOption,
    KindOption,
    MAX_BROKEN,
    MAX_GAP_S,
    MaxGapOption,
    OverwriteOption,
    PosesOption,
    say,
    SetOption,
    SourceArgument,
    StrictOption,
    tell,
    warn,
    warn_of_poses,
)
from husky_placerec.errors import InputError
from husky_placerec.progress import progress
import typer

if TYPE_CHECKING:
    from husky_placerec.config import Config
    from husky_placerec.data.source import Source
    from husky_placerec.data.trajectory import Trajectory

FORMATS = ('track', 'bag', 'vpr', 'tum')

EPILOG = (
    'Examples:\n\n'
    '  placerec convert drive_1 drive_1.track   (a bag: images as PNG, track.csv)\n\n'
    '  placerec convert 00_2023-02-10 winter.bag   (a track: an mcap with images and poses)\n\n'
    '  placerec convert drive_1 drive_1.vpr --to vpr   (for VPR-methods-evaluation: '
    '--database_folder drive_1.vpr/front)\n\n'
    '  placerec convert drive_1 truth.tum --to tum   (for evo)'
)


def convert(
    source: SourceArgument,
    output: Annotated[Path, typer.Argument(metavar='OUT', help='Folder to make; a file for tum.')],
    to: Annotated[
        str | None,
        typer.Option(
            metavar='FORMAT',
            help='track, bag, vpr or tum. By default a bag becomes a track, and any other drive '
            'becomes a bag.',
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
    Write a drive as an ITLP-Campus track, as a bag, or for other tools of the field.

    A bag that is converted to a track and back keeps its stamps and poses, and its pixels as PNG.
    The format vpr takes x and y of the map frame for east and north.
    """
    from husky_placerec.config import read_config
    from husky_placerec.data import convert as formats
    from husky_placerec.data.bag import Bag
    from husky_placerec.data.source import open_source
    from husky_placerec.files import refuse_existing
    from husky_placerec.operations.reading import tell_reading
    from husky_placerec.output_folder import check_output_folder

    if to is not None and to not in FORMATS:
        raise InputError(f'--to {to}: expected {", ".join(FORMATS[:-1])} or {FORMATS[-1]}')
    if output.resolve() in (source.resolve(), *source.resolve().parents):
        raise InputError(f'{output}: is what is to be converted, or has it inside')
    if to == 'tum':
        refuse_existing(output, overwrite)
        _require_tum(output)
    else:
        check_output_folder(output, overwrite)
    parameters = read_config(config, settings or [], allow_outside=allow_outside)
    with open_source(source, kind, broken_share(max_broken, strict)) as drive:
        form = to or ('track' if isinstance(drive, Bag) else 'bag')
        if form != 'tum':
            drive.check(parameters)
        trajectory = _trajectory(drive, poses, heading, needed=form in ('vpr', 'tum'))
        shown = progress('Converting', ' messages' if form == 'bag' else ' frames')
        if form == 'tum':
            assert trajectory is not None  # it is needed
            made = f'{formats.to_tum(trajectory, output)} poses'
        elif form == 'vpr':
            assert trajectory is not None
            count = formats.to_vpr(drive, output, parameters, trajectory, max_gap, shown)
            made = f'{count} frames, in a folder a camera'
        elif form == 'track':
            count = formats.to_track(drive, output, parameters, trajectory, max_gap, shown)
            made = f'a track of {count} frames'
        else:
            count = formats.to_bag(drive, output, parameters, trajectory, shown)
            made = f'a bag with {count} images'
            _warn_of_slop(formats.widest_frame_ns(drive, parameters), parameters)
        tell_reading(drive, tell, warn)
        odometry = drive.odometry(parameters.odometry_topic)
        if odometry is not None and form in ('track', 'bag'):
            count = len(odometry.stamps_ns)
            tell(f'{drive.path}: {count} poses of odometry, {odometry.source}, kept apart')
    say(f'{output}: {made}')


def _require_tum(output: Path) -> None:
    """Refuse to overwrite a file that is no trajectory."""
    from husky_placerec.data.pose_file import read_tum

    if output.exists():
        try:
            read_tum(output)
        except InputError as error:
            raise InputError(
                f'{output}: exists and is no trajectory in TUM format; it is not overwritten'
            ) from error


def _trajectory(
    drive: Source, poses: str | None, heading: str | None, *, needed: bool
) -> Trajectory | None:
    from husky_placerec.data.source import find_trajectory, steady_topics

    if poses is None and not steady_topics(drive) and not needed:
        warn(f'{drive.path}: has no poses; neither has what is made of it')
        return None
    trajectory = find_trajectory(drive, poses, heading, refuse=False)
    warn_of_poses(trajectory)
    return trajectory


def _warn_of_slop(widest_ns: int, parameters: Config) -> None:
    """Warn if a bag will be paired differently from the track that it is made of."""
    if widest_ns > parameters.slop * 1e9:
        warn(
            f'images of one frame are up to {widest_ns / 1e6:.0f} ms apart, more than slop: '
            f'use the bag with --set slop={widest_ns / 1e9 + 0.01:.2f}'
        )
