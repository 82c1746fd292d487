"""`placerec map merge`, `prune`, `add`, `transform`, `align` and `export`."""

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
    map_config,
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
    TrustOption,
    warn,
)
from husky_placerec.cli.maps import app
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
    from husky_placerec.operations.change_map import merge_maps

    merged = merge_maps(maps, output, index=index, overwrite=overwrite, warn=warn, bars=progress)
    for path, count in zip(maps[1:], merged.added):
        say(f'{path}: {count} places that are new')
    say(f'{output}: {len(merged.place_map)} places')


@app.command(
    'prune',
    epilog='Examples:\n\n  placerec map prune campus.map small.map --every 5\n\n'
    '  placerec map prune campus.map small.map --every 3 --alike 0.9 --queries drive_2',
)
def map_prune(
    path: MapArgument,
    output: OutArgument,
    every: Annotated[
        float,
        typer.Option(
            metavar='METRES', help='Places nearer to another one may be left out.', min=0
        ),
    ] = 5.0,
    alike: Annotated[
        float | None,
        typer.Option(
            help='Similarity to a near place from which a place is left out; by default that of '
            'two neighbours on a drive.',
            min=-1,
            max=1,
        ),
    ] = None,
    queries: Annotated[
        Path | None,
        typer.Option(
            metavar='SOURCE',
            help='A drive, or a map of it, on which the loss of recall is measured.',
        ),
    ] = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    trust: TrustOption = False,
    allow_outside: AllowOutsideOption = False,
    index: IndexOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Make a smaller map: a place every few metres, and each appearance that adds something."""
    from husky_placerec.cli.map_tables import recall_table
    from husky_placerec.operations.change_map import prune_map
    from husky_placerec.placemap.loading import map_cameras

    done = prune_map(
        path,
        output,
        every_m=every,
        alike=alike,
        queries=queries,
        config=map_config(config, settings, map_cameras(path), trust, allow_outside),
        index=index,
        overwrite=overwrite,
        tell=tell,
        warn=warn,
        bars=progress,
    )
    if done.recalls is not None:
        out.print(recall_table(f'Recall@1 at 5 m of {queries}', done.recalls))
    say(
        f'{output}: {len(done.new)} of {len(done.old)} places; those within {every:g} m and of '
        f'similarity {done.alike:.3f} went'
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
    thumbnails: Annotated[
        int,
        typer.Option(
            metavar='PIXELS', help='Width of stored pictures of the places; 0: none.', min=0
        ),
    ] = 0,
    index: IndexOption = None,
    skip_unposed: SkipUnposedOption = False,
    max_broken: BrokenOption = MAX_BROKEN,
    strict: StrictOption = False,
    kind: KindOption = None,
    trust: TrustOption = False,
) -> None:
    """
    Add a drive to a map in its folder; the poses must be in the frame of the map.

    A drive that the map has already changes nothing.
    """
    from husky_placerec.operations.change_map import add_to_map
    from husky_placerec.operations.drives import DriveOptions
    from husky_placerec.placemap.loading import map_cameras
    from husky_placerec.placemap.thinning import Thinning

    done = add_to_map(
        path,
        source,
        config=map_config(config, settings, map_cameras(path), trust, allow_outside),
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
        index=index,
        tell=tell,
        warn=warn,
        bars=progress,
    )
    if not done.added:
        say(f'{path}: unchanged; {source} is in it already')
        return
    known = done.frames - done.added
    note = f' ({known} of {done.frames} frames were in it already)' if known else ''
    places = len(done.place_map)
    say(f'{path}: {done.added} places added, {places} now{note}')


@app.command(
    'transform',
    epilog='Examples:\n\n  placerec map transform campus.map --xyz 12.5 -3 0\n\n'
    '  placerec map transform campus.map --rpy 0 0 1.5708 --frame site',
)
def map_transform(
    path: MapArgument,
    xyz: Annotated[
        tuple[float, float, float], typer.Option(metavar='X Y Z', help='Translation in metres.')
    ] = (
        0.0,
        0.0,
        0.0,
    ),
    rpy: Annotated[
        tuple[float, float, float],
        typer.Option(
            metavar='ROLL PITCH YAW', help='Rotation in radians; it comes before the translation.'
        ),
    ] = (0.0, 0.0, 0.0),
    frame: FrameOption = None,
) -> None:
    """Move a map in its folder as a rigid body, by the pose of its frame in the new one."""
    from husky_placerec.operations.change_map import transform_map

    new = transform_map(path, xyz, rpy, frame)
    say(f'{path}: {len(new)} places moved, frame {new.frame_id}')


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
            help="Poses of the robot on the map's drives, in the new frame: a TUM file, or a CSV "
            'with stamp, x, y, z, and qx, qy, qz, qw or yaw.',
        ),
    ],
    frame: FrameOption = None,
    max_gap: MaxGapOption = MAX_GAP_S,
    max_broken: BrokenOption = MAX_BROKEN,
    strict: StrictOption = False,
) -> None:
    """
    Move a map in its folder onto a trajectory in another frame.

    The motion is rigid, by least squares over the places whose stamps the trajectory covers.
    """
    from husky_placerec.operations.change_map import align_map
    import numpy as np

    limit = broken_share(max_broken, strict)
    found = align_map(path, trajectory, frame, max_gap, max_broken=limit, warn=warn)
    m, residuals = found.motion, found.residuals_m
    yaw, pitch, roll = m.rotation.as_euler('ZYX', degrees=True)
    say(
        f'moved by {m.x:.3f} {m.y:.3f} {m.z:.3f} m, roll {roll:.2f} pitch {pitch:.2f} '
        f'yaw {yaw:.2f} degrees\n'
        f'residual over {found.pairs} places: {np.sqrt(np.mean(residuals**2)):.3f} m RMS, '
        f'{np.median(residuals):.3f} m median, {residuals.max():.3f} m at most; '
        f'{found.turned_deg:.2f} degrees'
    )


@app.command(
    'export',
    epilog='Examples:\n\n  placerec map export campus.map campus.npz\n\n'
    '  placerec map export campus.map campus.tum   (for evo)',
)
def map_export(
    path: MapArgument,
    output: Annotated[
        Path,
        typer.Argument(
            metavar='OUT', help='File to write: .npz (everything), .tum or .txt (the poses).'
        ),
    ],
    overwrite: OverwriteOption = False,
) -> None:
    """Write a map for other programs."""
    from husky_placerec.operations.change_map import export_map

    place_map = export_map(path, output, overwrite=overwrite)
    say(f'{output}: {len(place_map)} places')
