"""`placerec map merge`, `prune`, `add`, `transform`, `align` and `export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from husky_placerec.cli.common import (
    ConfigOption,
    HeadingOption,
    IndexOption,
    KindOption,
    MapArgument,
    MAX_GAP_S,
    MaxGapOption,
    out,
    OverwriteOption,
    PosesOption,
    SetOption,
    SkipUnposedOption,
    SourceArgument,
    warn,
)
from husky_placerec.cli.drives import described_drive, DriveOptions, queries_of
from husky_placerec.cli.maps import app, check_index
from husky_placerec.errors import InputError
from husky_placerec.progress import progress
import typer

OutArgument = Annotated[Path, typer.Argument(metavar='OUT', help='Folder of the new map.')]
FrameOption = Annotated[
    str | None, typer.Option('--frame', help='Name of the new frame; the old one by default.')
]


@app.command(
    'merge',
    epilog='Example:\n\n  placerec map merge campus.map winter.map summer.map',
)
def map_merge(
    output: OutArgument,
    maps: Annotated[list[Path], typer.Argument(metavar='MAP MAP...', help='Maps to join.')],
    index: IndexOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Join maps of several tracks, seasons or robots, of one model and in one frame."""
    from husky_placerec.files import refuse_existing
    from husky_placerec.placemap.loading import load_map
    from husky_placerec.placemap.merging import merge_maps
    from husky_placerec.placemap.storage import save_map

    refuse_existing(output, overwrite)
    check_index(index)
    if len(maps) < 2:
        raise InputError(f'map merge: {len(maps)} map; expected at least two')
    merged = merge_maps([load_map(path) for path in maps])
    for old, new in merged.renamed:
        warn(f'two tracks are called {old}; the later is {new} now')
    for path, count in zip(maps[1:], merged.added):
        out.print(f'{path}: {count} places that are new', highlight=False)
    place_map = merged.place_map.indexed(index, progress('Indexing', ' blocks'))
    save_map(place_map, output, overwrite=overwrite)
    out.print(f'{output}: {len(place_map)} places', highlight=False)


@app.command(
    'prune',
    epilog='Examples:\n\n  placerec map prune campus.map small.map --every 5\n\n'
    '  placerec map prune campus.map small.map --every 3 --alike 0.9 --queries drive_2',
)
def map_prune(
    path: MapArgument,
    output: OutArgument,
    every: Annotated[
        float, typer.Option(metavar='METRES', help='Places nearer than this may go.', min=0)
    ] = 5.0,
    alike: Annotated[
        float | None,
        typer.Option(
            help='Similarity from which a place adds nothing to a near one; by default that of '
            'two neighbours on a drive.',
            min=-1,
            max=1,
        ),
    ] = None,
    queries: Annotated[
        Path | None,
        typer.Option(metavar='SOURCE', help='A drive, or a map of it: says what recall it costs.'),
    ] = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    index: IndexOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Make a smaller map: a place every few metres, and each appearance that adds something."""
    from husky_placerec.cli.map_tables import recall_table
    from husky_placerec.files import refuse_existing
    from husky_placerec.placemap.loading import load_map
    from husky_placerec.placemap.pruning import neighbours_alike, prune
    from husky_placerec.placemap.storage import save_map
    from husky_placerec.placemap.validation import recall_of_drive

    refuse_existing(output, overwrite)
    check_index(index)
    old = load_map(path)
    options = DriveOptions(config=config, settings=settings or [])
    drive = queries_of(queries, options, old) if queries else None
    bound = neighbours_alike(old) if alike is None else alike
    pruned = prune(old, every, bound)
    new = pruned.indexed(index, progress('Indexing', ' blocks'))
    if drive is not None:
        recalls = {'before': recall_of_drive(old, drive), 'after': recall_of_drive(new, drive)}
        out.print(recall_table(f'Recall@1 at 5 m of {queries}', recalls))
    save_map(new, output, overwrite=overwrite)
    out.print(
        f'{output}: {len(new)} of {len(old)} places; those within {every:g} m and of '
        f'similarity {bound:.3f} went',
        highlight=False,
    )


@app.command(
    'add',
    epilog='Example:\n\n  placerec map add campus.map drive_3 --track "first snow"',
)
def map_add(
    path: MapArgument,
    source: SourceArgument,
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
    thumbnails: Annotated[
        int,
        typer.Option(
            metavar='PIXELS', help='Store pictures of the places, so wide; 0: none.', min=0
        ),
    ] = 0,
    index: IndexOption = None,
    skip_unposed: SkipUnposedOption = False,
    kind: KindOption = None,
) -> None:
    """
    Add a drive to a map where it is; the poses must be in the frame of the map.

    A drive that is in it already changes nothing.
    """
    from husky_placerec.placemap.loading import load_map
    from husky_placerec.placemap.merging import merge_maps, Merged
    from husky_placerec.placemap.place_map import PlaceMap
    from husky_placerec.placemap.storage import edit_map

    check_index(index)
    options = DriveOptions(
        poses,
        heading,
        config,
        settings or [],
        track,
        max_gap,
        every,
        turn,
        thumbnails,
        kind,
        skip_unposed,
    )
    drive = described_drive(source, options, load_map(path))
    done: list[Merged] = []

    def change(old: PlaceMap) -> PlaceMap:
        merged = merge_maps([old, drive])
        done.append(merged)
        if merged.place_map is old:
            return old
        return merged.place_map.indexed(index, progress('Indexing', ' blocks'))

    new = edit_map(path, change)
    (added,), renamed = done[0].added, done[0].renamed
    for was, name in renamed:
        warn(f'the map has a track {was}; this one is {name}')
    if not added:
        out.print(f'{path}: unchanged; {source} is in it already', highlight=False)
        return
    known = len(drive) - added
    note = f' ({known} of {len(drive)} frames were in it already)' if known else ''
    out.print(f'{path}: {added} places added, {len(new)} now{note}', highlight=False)


@app.command(
    'transform',
    epilog='Examples:\n\n  placerec map transform campus.map --xyz 12.5 -3 0\n\n'
    '  placerec map transform campus.map --rpy 0 0 1.5708 --frame site',
)
def map_transform(
    path: MapArgument,
    xyz: Annotated[tuple[float, float, float], typer.Option(metavar='X Y Z', help='Metres.')] = (
        0.0,
        0.0,
        0.0,
    ),
    rpy: Annotated[
        tuple[float, float, float],
        typer.Option(metavar='ROLL PITCH YAW', help='Radians; turned first, then moved.'),
    ] = (0.0, 0.0, 0.0),
    frame: FrameOption = None,
) -> None:
    """Move a map where it is, as a rigid body: the pose of its frame in the new one."""
    from husky_placerec.placemap.moving import motion_of, transform
    from husky_placerec.placemap.storage import edit_map

    motion = motion_of(xyz, rpy)
    new = edit_map(path, lambda old: transform(old, motion, frame))
    out.print(f'{path}: {len(new)} places moved, frame {new.frame_id}', highlight=False)


@app.command(
    'align',
    epilog='Example:\n\n  placerec map align campus.map lap_in_nav2_map.tum --frame map',
)
def map_align(
    path: MapArgument,
    trajectory: Annotated[
        Path,
        typer.Argument(
            metavar='TRAJECTORY',
            help="Where the robot was on the map's drives, in the frame that is wanted (TUM, or a "
            'CSV with stamp, x, y, z, and qx, qy, qz, qw or yaw).',
        ),
    ],
    frame: FrameOption = None,
    max_gap: MaxGapOption = MAX_GAP_S,
) -> None:
    """
    Move a map where it is, onto a trajectory in another map's frame.

    Rigidly, by least squares over the places whose stamps the trajectory covers.
    """
    from husky_placerec.data.pose_file import read_trajectory
    from husky_placerec.placemap.loading import load_map
    from husky_placerec.placemap.moving import align, transform
    from husky_placerec.placemap.storage import edit_map
    import numpy as np

    if not trajectory.is_file():
        raise InputError(f'{trajectory}: no such file with poses')
    wanted = read_trajectory(trajectory)
    found = align(load_map(path), wanted, max_gap)
    edit_map(path, lambda old: transform(old, found.motion, frame))
    m, residuals = found.motion, found.residuals_m
    yaw, pitch, roll = m.rotation.as_euler('ZYX', degrees=True)
    out.print(
        f'moved by {m.x:.3f} {m.y:.3f} {m.z:.3f} m, roll {roll:.2f} pitch {pitch:.2f} '
        f'yaw {yaw:.2f} degrees\n'
        f'residual over {found.pairs} places: {np.sqrt(np.mean(residuals**2)):.3f} m RMS, '
        f'{np.median(residuals):.3f} m median, {residuals.max():.3f} m at most; '
        f'{found.turned_deg:.2f} degrees',
        highlight=False,
    )


@app.command(
    'export',
    epilog='Examples:\n\n  placerec map export campus.map campus.npz\n\n'
    '  placerec map export campus.map campus.tum   (for evo)',
)
def map_export(
    path: MapArgument,
    output: Annotated[
        Path, typer.Argument(metavar='OUT', help='A file .npz (all), .tum or .txt (the poses).')
    ],
    overwrite: OverwriteOption = False,
) -> None:
    """Write a map for other programs."""
    from husky_placerec.files import refuse_existing
    from husky_placerec.placemap.exporting import check_export, export_map
    from husky_placerec.placemap.loading import load_map

    check_export(output)
    refuse_existing(output, overwrite)
    place_map = load_map(path)
    export_map(place_map, output)
    out.print(f'{output}: {len(place_map)} places', highlight=False)
