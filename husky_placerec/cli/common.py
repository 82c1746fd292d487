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
        help='Set one parameter, as in that file: camera.front.topic=/zed/left. Repeatable.',
    ),
]
AllowOutsideOption = Annotated[
    bool,
    typer.Option(
        '--allow-outside', help='Read images outside of the folder of the table that names them.'
    ),
]
PosesOption = Annotated[
    str | None,
    typer.Option(
        help='Topic with poses (Odometry, PoseStamped, PoseWithCovarianceStamped, '
        'TransformStamped, NavSatFix, or /tf with map to base_link), or a TUM file, or a CSV with '
        'stamp, x, y, z, and qx, qy, qz, qw or yaw. '
        'By default the only ones that the source has and that do not drift.'
    ),
]
HeadingOption = Annotated[
    str | None,
    typer.Option(
        metavar='TOPIC|motion|poses',
        help='Where the orientations are: a topic (Imu, Odometry, PoseStamped); `motion`, the '
        'direction of motion of a robot that never drives backwards; or `poses`, which are then '
        'taken as they are, also where the motion contradicts them. By default those of the '
        'poses, and for satellite fixes (NavSatFix) the motion.',
    ),
]
ToleranceOption = Annotated[
    list[float] | None,
    typer.Option(
        help='Tolerance of a recall, in m. Repeatable; 5, 10 and 25 by default.', min=0.001
    ),
]
MaxGapOption = Annotated[
    float, typer.Option(help='Longest time between two poses to interpolate, in s.', min=0)
]
BrokenOption = Annotated[
    str,
    typer.Option(
        '--max-broken',
        metavar='SHARE',
        help='Largest share of the images of a camera, or of the poses of a topic, that may be '
        'broken, as 0.1 or 10%. What is broken is left out and named.',
    ),
]
StrictOption = Annotated[
    bool, typer.Option('--strict', help='Refuse a drive with anything broken.')
]
LocalOption = Annotated[
    bool | None,
    typer.Option(
        '--local/--no-local',
        help='Give maps local descriptors, by which candidates are ranked again and wrong places '
        'are told from right ones; the parameter local by default.',
    ),
]
TextsOption = Annotated[
    bool | None,
    typer.Option(
        '--texts/--no-texts',
        help='Read the texts of signs into the map; the parameter texts says how, by default by '
        'OCR in the boxes of a track.',
    ),
]
LandmarksOption = Annotated[
    bool | None,
    typer.Option(
        '--landmarks/--no-landmarks',
        help='Give maps landmarks, from which poses come in centimetres; the parameter landmarks '
        'by default.',
    ),
]
OverwriteOption = Annotated[
    bool,
    typer.Option('--overwrite', help='Replace an old output of placerec, and nothing else.'),
]
TrustOption = Annotated[
    bool,
    typer.Option(
        '--trust',
        help='Open the file of weights that the map names, where you name none. Only for maps '
        'that you made or whose maker you trust.',
    ),
]
SkipUnposedOption = Annotated[
    bool,
    typer.Option('--skip-unposed', help='Leave out frames without a pose, not refuse them.'),
]
IndexOption = Annotated[
    str | None,
    typer.Option(
        metavar='KIND',
        help='How the map is searched: flat, sq8, hnsw, ivf_sq8 or ivf_places. By default '
        'by its size.',
    ),
]
MapArgument = Annotated[Path, typer.Argument(metavar='MAP', help='Folder of a place map.')]
SOURCE_HELP = (
    'A track (a folder with track.csv, or train.csv, val.csv or test.csv with a column "track"), '
    'a bag (a folder with metadata.yaml, an .mcap or a .db3), or a folder of images with a CSV: '
    'stamp, a column of paths a camera (front, back), and if known x, y, z, and qx, qy, qz, qw or '
    'yaw.'
)
SourceArgument = Annotated[Path, typer.Argument(metavar='SOURCE', help=SOURCE_HELP)]
KindOption = Annotated[
    str | None,
    typer.Option('--as', metavar='KIND', help='Take SOURCE for a track, a bag or a folder.'),
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
