"""What the commands share: options, output, progress."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
import sys
from typing import Annotated, Any

from rich.console import Console
from rich.text import Text
from tqdm import tqdm
import typer

MAX_GAP_S = 2.0

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


def warn(message: str) -> None:
    err.print(Text.assemble(('warning: ', 'yellow'), message), soft_wrap=True)


def progress(title: str) -> Any:
    """Return a function that passes items on and shows how many, how fast, and how long yet."""
    every_s = 0.1 if sys.stderr.isatty() else 5.0  # a file wants no line a frame

    def passing(items: Iterable[Any], total: int) -> Iterable[Any]:
        yield from tqdm(
            items, title, total, unit=' frames', dynamic_ncols=True, mininterval=every_s
        )

    return passing


def percent(share: float | None) -> str:
    return '-' if share is None else f'{100 * share:.1f} %'
