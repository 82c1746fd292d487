"""Options and output that the commands share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, TYPE_CHECKING

from husky_placerec.errors import InputError
from husky_placerec.printable import printable, printable_lines
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text
import typer

if TYPE_CHECKING:
    from husky_placerec.config import Config
    from husky_placerec.data.trajectory import Trajectory
    from husky_placerec.descriptor.spec import DescriptorSpec

MAX_GAP_S = 2.0
MAX_BROKEN = '5%'


class SafeConsole(Console):
    """
    A console that shows text as it is.

    Square brackets and colons in a name are no markup, and control characters are shown as
    escapes, so that a name from elsewhere cannot move the cursor or forge a line.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield the segments of a text or a table, without a control character in them."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(printable_lines(segment.text), segment.style)


out = SafeConsole()
err = SafeConsole(stderr=True)

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
        help='Set one parameter, named as in a parameter file: camera.front.topic=/zed/left. '
        'Repeatable.',
    ),
]
AllowOutsideOption = Annotated[
    bool,
    typer.Option(
        '--allow-outside',
        help='Also read images that lie outside of the folder of the table that names them.',
    ),
]
PosesOption = Annotated[
    str | None,
    typer.Option(
        help='Topic with poses (Odometry, PoseStamped, PoseWithCovarianceStamped, '
        'TransformStamped, NavSatFix, or /tf with map to base_link), or a TUM file, or a CSV with '
        'stamp, x, y, z, and qx, qy, qz, qw or yaw. '
        'By default: the poses of the source that do not drift, if it has only one kind of them.'
    ),
]
HeadingOption = Annotated[
    str | None,
    typer.Option(
        metavar='TOPIC|motion|poses',
        help='Source of the orientations: a topic (Imu, Odometry, PoseStamped); `motion`, the '
        'direction of motion, for a robot that never drives backwards; or `poses`, the '
        'orientations of the poses, even where the motion contradicts them. By default: the '
        'poses, and for satellite fixes (NavSatFix) the motion.',
    ),
]
ToleranceOption = Annotated[
    list[float] | None,
    typer.Option(
        help='Distance within which a place counts as right, in m. Repeatable; by default 5, 10 '
        'and 25.',
        min=0.001,
    ),
]
MaxGapOption = Annotated[
    float,
    typer.Option(
        help='Longest time between two poses over which poses are interpolated, in s.', min=0
    ),
]
BrokenOption = Annotated[
    str,
    typer.Option(
        '--max-broken',
        metavar='SHARE',
        help='Largest share of the images of a camera, or of the poses of a topic, that may be '
        'broken, such as 0.1 or 10%. Broken ones are left out and named.',
    ),
]
StrictOption = Annotated[
    bool, typer.Option('--strict', help='Refuse a drive that has a broken image or pose.')
]
LocalOption = Annotated[
    bool | None,
    typer.Option(
        '--local/--no-local',
        help='Store local descriptors in the map. They rank the candidates again and tell wrong '
        'places from right ones. By default the parameter `local` decides.',
    ),
]
TextsOption = Annotated[
    bool | None,
    typer.Option(
        '--texts/--no-texts',
        help='Store the texts of signs in the map. The parameter `texts` says how they are read; '
        'by default by OCR in the boxes that a track lists.',
    ),
]
LandmarksOption = Annotated[
    bool | None,
    typer.Option(
        '--landmarks/--no-landmarks',
        help='Store landmarks in the map, which give poses in centimetres. By default the '
        'parameter `landmarks` decides.',
    ),
]
OverwriteOption = Annotated[
    bool,
    typer.Option('--overwrite', help='Replace an earlier output of placerec, and nothing else.'),
]
TrustOption = Annotated[
    bool,
    typer.Option(
        '--trust',
        help='Open the file of weights that the map names if you name none. Use it only for maps '
        'that you made or whose maker you trust.',
    ),
]
SkipUnposedOption = Annotated[
    bool,
    typer.Option(
        '--skip-unposed', help='Leave out frames without a pose instead of refusing the drive.'
    ),
]
IndexOption = Annotated[
    str | None,
    typer.Option(
        metavar='KIND',
        help='Search index: flat, sq8, hnsw, ivf_sq8 or ivf_places. By default the size of the '
        'map decides.',
    ),
]
MapArgument = Annotated[Path, typer.Argument(metavar='MAP', help='Folder of a place map.')]
SOURCE_HELP = (
    'A track (a folder with track.csv, or train.csv, val.csv or test.csv with a column "track"), '
    'a bag (a folder with metadata.yaml, an .mcap or a .db3), or a folder of images with a CSV: '
    'stamp, one column of paths for each camera (front, back), and if known x, y, z, and qx, qy, '
    'qz, qw or yaw.'
)
SourceArgument = Annotated[Path, typer.Argument(metavar='SOURCE', help=SOURCE_HELP)]
KindOption = Annotated[
    str | None,
    typer.Option('--as', metavar='KIND', help='Read SOURCE as this kind: track, bag or folder.'),
]


def broken_share(text: str, strict: bool) -> float:
    """
    Return the share of broken things that is allowed, 0 to 1; 0 with --strict.

    :raises InputError: for a text that is no share.
    """
    try:
        number = float(text.strip().removesuffix('%'))
    except ValueError:
        number = -1.0
    share = number / 100 if text.strip().endswith('%') or number > 1 else number
    if not 0 <= share <= 1:
        raise InputError(f'--max-broken {text}: expected a share, such as 0.1 or 10%')
    return 0.0 if strict else share


def tell(message: str) -> None:
    """Print what was read."""
    say(message)


def map_config(
    config: Path | None,
    settings: list[str] | None,
    cameras: Sequence[str],
    trust: bool,
    allow_outside: bool = False,
) -> Config:
    """
    Read the configuration of a command that uses a map.

    :param cameras: those of the map.
    :param trust: the file of weights that the map names may be opened.
    :param allow_outside: the images of a table may be outside of its folder.
    :raises InputError: as `read_config`.
    """
    from husky_placerec.config import read_config

    read = read_config(config, settings or [], allow_outside=allow_outside, cameras=cameras)
    return replace(read, trust_map=True) if trust else read


def warn(message: str) -> None:
    """Print a warning on stderr."""
    err.print(Text.assemble(('warning: ', 'yellow'), printable(message)), soft_wrap=True)


def say(text: object, mark: str = '') -> None:
    """
    Print a line that names files; a line end in a name is shown as an escape.

    :param mark: a green word before it.
    """
    begin = (f'{mark}  ', 'green') if mark else ''
    out.print(Text.assemble(begin, printable(text)), soft_wrap=True)


def percent(share: float | None) -> str:
    """Return a share as a percentage; a dash where it is not known."""
    return '-' if share is None else f'{100 * share:.1f} %'


def warn_of_limits(spec: DescriptorSpec) -> None:
    """Print what a kind of descriptor cannot do."""
    if spec.limits:
        warn(spec.limits)


def warn_of_poses(trajectory: Trajectory) -> None:
    """Print what is doubtful about the poses."""
    for note in trajectory.warnings:
        warn(f'{trajectory.source}: {note}')


def with_landmarks(config: Config, landmarks: bool | None) -> Config:
    """Return a configuration with --landmarks or --no-landmarks, if it was given."""
    return config if landmarks is None else replace(config, landmarks=landmarks)


def with_local(config: Config, local: bool | None) -> Config:
    """Return a configuration with the option --local or --no-local, if it was given."""
    return config if local is None else replace(config, local=local)
