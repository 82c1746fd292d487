"""`placerec`: the package on the command line."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
import sys
from typing import Annotated, Any, TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text
from tqdm import tqdm
import typer

from husky_placerec import __version__
from husky_placerec.errors import InputError

if TYPE_CHECKING:  # heavy modules are imported when a command runs, so that --help is quick
    from husky_placerec.data.bag import Bag
    from husky_placerec.data.trajectory import Trajectory
    from husky_placerec.placemap.place_map import PlaceMap

MAX_GAP_S = 2.0

app = typer.Typer(
    help='Visual place recognition for a robot with several cameras.',
    no_args_is_help=True,
    rich_markup_mode='rich',
    context_settings={'help_option_names': ['-h', '--help']},
)
map_app = typer.Typer(help='Build and inspect place maps.', no_args_is_help=True)
app.add_typer(map_app, name='map')

out = Console()
err = Console(stderr=True)

ConfigOption = Annotated[
    Path | None,
    typer.Option('--config', '-c', help='Parameter file, such as config/husky.yaml.'),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        '--set',
        '-s',
        metavar='NAME=VALUE',
        help='Set one parameter, as in that file: camera.front.topic=/zed/left. Repeatable.',
    ),
]
PosesOption = Annotated[
    str | None,
    typer.Option(
        help='Topic with poses (Odometry, PoseStamped, PoseWithCovarianceStamped), or a TUM file. '
        'By default the only such topic of the bag.'
    ),
]
MaxGapOption = Annotated[
    float, typer.Option(help='Longest time between two poses to interpolate, in s.', min=0)
]
OverwriteOption = Annotated[bool, typer.Option('--overwrite', help='Replace an old output.')]
MapArgument = Annotated[Path, typer.Argument(metavar='MAP', help='Folder of a place map.')]
SourceArgument = Annotated[
    Path,
    typer.Argument(
        metavar='SOURCE', help='A bag: a folder with metadata.yaml, an .mcap or a .db3.'
    ),
]


@map_app.command(
    'build',
    epilog='Examples:\n\n'
    '  placerec map build drive_1 campus.map --set extractor=hog\n\n'
    '  placerec map build drive_1 campus.map --poses /odometry/global -c config/husky.yaml\n\n'
    '  placerec map build lap.mcap lap.map --poses lap.tum --set cameras=\\[front] '
    '--set camera.front.topic=/camera/image_raw --set camera.front.transport=raw',
)
def map_build(
    source: SourceArgument,
    output: Annotated[Path, typer.Argument(metavar='OUT', help='Folder of the new map.')],
    poses: PosesOption = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    track: Annotated[str, typer.Option(help="Name of the drive; the bag's by default.")] = '',
    max_gap: MaxGapOption = MAX_GAP_S,
    overwrite: OverwriteOption = False,
) -> None:
    """
    Build a place map from a drive: every pair of images becomes a place.

    The drive needs poses of base_link in the map frame that cover every frame.
    """
    from husky_placerec.config import read_config
    from husky_placerec.data.bag import Bag
    from husky_placerec.data.source import find_trajectory
    from husky_placerec.descriptor.extractor import load_extractor
    from husky_placerec.files import refuse_existing
    from husky_placerec.placemap.building import build_map
    from husky_placerec.placemap.storage import save_map

    refuse_existing(output, overwrite)
    parameters = read_config(config, settings or [])
    with Bag(source) as bag:
        bag.camera_topics(parameters)
        trajectory = find_trajectory(bag, poses)
        _warn_of_frames(trajectory)
        extractor = load_extractor(parameters)
        place_map = build_map(
            bag,
            trajectory,
            extractor,
            parameters,
            track=track or source.stem,
            max_gap_s=max_gap,
            progress=progress('Describing'),
        )
    save_map(place_map, output, overwrite=overwrite)
    lone = int((~place_map.places.present.all(axis=1)).sum())
    if lone:
        warn(f'{lone} of {len(place_map)} frames lack a camera')
    out.print(f'{output}: {len(place_map)} places', highlight=False)


@map_app.command('info', epilog='Example:\n\n  placerec map info campus.map')
def map_info(path: MapArgument) -> None:
    """Show what is in a map and what made it."""
    from husky_placerec.placemap.storage import load_map

    out.print(_map_table(load_map(path)))


@map_app.command('verify', epilog='Example:\n\n  placerec map verify campus.map')
def map_verify(path: MapArgument) -> None:
    """Check every hash, pose and descriptor of a map."""
    from husky_placerec.placemap.storage import verify_map

    for checked in verify_map(path):
        out.print(f'[green]ok[/]  {checked}', highlight=False)


@app.command(
    epilog='Examples:\n\n'
    '  placerec replay drive_2 --map campus.map -o drive_2.results\n\n'
    "  placerec replay drive_2 --map campus.map --stamps recognitions.jsonl   (a node's frames)"
)
def replay(
    source: SourceArgument,
    map_path: Annotated[Path, typer.Option('--map', help='Folder of the place map.')],
    output: Annotated[
        Path | None,
        typer.Option('--output', '-o', help='Folder of the results; a dated one by default.'),
    ] = None,
    stamps: Annotated[
        Path | None,
        typer.Option(
            help='Repeat these frames: the recognitions_file of a node, or a stamp (ns) a line.'
        ),
    ] = None,
    poses: PosesOption = None,
    tolerance: Annotated[
        list[float] | None,
        typer.Option(help='Tolerance of a recall, in m. Repeatable; 5, 10 and 25 by default.'),
    ] = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    max_gap: MaxGapOption = MAX_GAP_S,
    overwrite: OverwriteOption = False,
) -> None:
    """
    Recognise a drive offline, by the code that the node runs, and score it where truth is known.

    Truth is the bag's only pose topic when its frame is the map's, or what --poses names.
    """
    from husky_placerec.config import read_config
    from husky_placerec.data.bag import Bag
    from husky_placerec.data.selection import read_selection
    from husky_placerec.evaluation.metrics import TOLERANCES_M
    from husky_placerec.evaluation.replay import replay as replay_bag
    from husky_placerec.evaluation.results import summary, used_parameters, write_results
    from husky_placerec.files import refuse_existing
    from husky_placerec.placemap.storage import load_map
    from husky_placerec.recognition.recognizer import Recognizer

    output = output or Path('results') / f'replay-{datetime.now():%Y%m%d-%H%M%S}'
    refuse_existing(output, overwrite)
    selection = read_selection(stamps) if stamps else None
    with Bag(source) as bag:
        place_map = load_map(map_path)
        parameters = read_config(config, settings or [], cameras=place_map.spec.cameras)
        topics = bag.camera_topics(parameters)
        truth = _find_truth(bag, poses, place_map)
        recognizer = Recognizer.load(place_map, parameters)
        frames = replay_bag(
            bag, recognizer, parameters, truth=truth, max_gap_s=max_gap, selection=selection
        )
        total = len(selection.frames) if selection else min(map(bag.message_count, topics))
        results = list(progress('Recognising')(frames, total))
    if not results:
        raise InputError(f'{source}: no frames')
    numbers = summary(results, place_map, tolerance or TOLERANCES_M)
    used = used_parameters(
        parameters,
        place_map,
        source=str(source),
        stamps=str(stamps) if stamps else None,
        truth=truth.source if truth else None,
    )
    write_results(output, results, numbers, used)
    out.print(_summary_table(numbers))
    out.print(
        f'{output}: recognitions.jsonl, poses.tum, summary.json, config.yaml', highlight=False
    )


def main() -> None:
    """Run `placerec`; what the user can mend is said in one line, without a traceback."""
    try:
        app()
    except InputError as error:
        err.print(Text.assemble(('error: ', 'bold red'), str(error)), soft_wrap=True)
        sys.exit(2)


@app.callback(invoke_without_command=True)
def _main(
    version: Annotated[bool, typer.Option('--version', help='Show the version.')] = False,
) -> None:
    if version:
        out.print(f'placerec {__version__}', highlight=False)
        raise typer.Exit


def warn(message: str) -> None:
    err.print(Text.assemble(('warning: ', 'yellow'), message), soft_wrap=True)


def progress(title: str) -> Any:
    """Return a function that passes items on and shows how many, how fast, and how long yet."""

    def passing(items: Iterable[Any], total: int) -> Iterable[Any]:
        yield from tqdm(items, title, total, unit=' frames', dynamic_ncols=True)

    return passing


def _warn_of_frames(trajectory: Trajectory) -> None:
    if trajectory.frame_id == 'odom':
        warn(f'{trajectory.source}: poses in the frame odom drift; a map wants poses that do not')
    if trajectory.child_frame_id not in ('', 'base_link'):
        warn(f'{trajectory.source}: poses of {trajectory.child_frame_id} are taken for base_link')


def _find_truth(bag: Bag, poses: str | None, place_map: PlaceMap) -> Trajectory | None:
    """Odometry is no truth: without being told, only poses in the map's own frame are taken."""
    from husky_placerec.data.source import read_poses

    if poses is not None:
        return read_poses(bag, poses)
    topics = bag.pose_topics()
    if len(topics) != 1 or place_map.frame_id == 'odom':
        return None
    trajectory = bag.trajectory(topics[0])
    return trajectory if trajectory.frame_id == place_map.frame_id else None


def _map_table(place_map: PlaceMap) -> Table:
    spec, places = place_map.spec, place_map.places
    low, high = places.poses[:, :2].min(axis=0), places.poses[:, :2].max(axis=0)
    table = Table(title=place_map.name, show_header=False, title_justify='left')
    model = f'{spec.backbone}, weights {spec.weights} ({spec.weights_sha256[:12]})'
    rows = {
        'places': f'{len(place_map)} on {len(set(places.tracks))} track(s)',
        'cameras': ', '.join(spec.cameras) + ('' if place_map.opposites else ' (no opposites)'),
        'with all cameras': str(int(places.present.all(axis=1).sum())),
        'descriptor': model if spec.extractor == 'timm' else spec.extractor,
        'input': f'{spec.input_width}x{spec.input_height}',
        'pooling, fusion': f'{spec.pooling}; {spec.fusion}',
        'size': f'{len(spec.cameras)} x {spec.size}, stored as float16',
        'frame': place_map.frame_id,
        'extent': f'{high[0] - low[0]:.0f} x {high[1] - low[1]:.0f} m',
        'created': place_map.created,
        'sources': ', '.join(place_map.sources),
    }
    for name, value in rows.items():
        table.add_row(name, Text(value))
    return table


def _summary_table(numbers: dict[str, Any]) -> Table:
    table = Table(title='Recognitions', title_justify='left', show_header=False)
    table.add_row('frames', str(numbers['frames']))
    table.add_row('accepted', str(numbers['accepted']))
    latency = numbers['latency_ms']
    table.add_row('latency p50 / p95', f'{latency["p50"]:.1f} / {latency["p95"]:.1f} ms')
    for tolerance, recalls in numbers.get('recall', {}).items():
        shares = ' / '.join(percent(recalls[k]) for k in recalls)
        table.add_row(f'recall@{"/".join(recalls)} at {tolerance} m', shares)
    if 'recall' in numbers:
        off_map = numbers['off_map']
        table.add_row('precision of accepted', percent(numbers['precision']))
        table.add_row('off the map, accepted', f'{off_map["accepted"]} of {off_map["frames"]}')
        table.add_row('median top-1 distance', f'{numbers["median_top1_distance_m"]:.2f} m')
    else:
        table.add_row('truth', 'not known')
    return table


def percent(share: float | None) -> str:
    return '-' if share is None else f'{100 * share:.1f} %'


if __name__ == '__main__':
    main()
