"""`placerec play`: play a bag over DDS."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from husky_placerec.cli.common import warn
from husky_placerec.errors import InputError
from husky_placerec.progress import progress
import typer

EPILOG = (
    'Examples:\n\n'
    '  placerec play drive_2\n\n'
    '  placerec play drive_2 --rate 4 --loop --clock   (nodes need use_sim_time:=true then)\n\n'
    '  placerec play drive_2 --topic /zed_node/left/image_rect_color/compressed '
    '--namespace a200_0000'
)


def play(
    bag: Annotated[
        Path,
        typer.Argument(metavar='BAG', help='A folder with metadata.yaml, an .mcap or a .db3.'),
    ],
    rate: Annotated[
        float,
        typer.Option('--rate', '-r', help='Speed, as a multiple of the recorded one.', min=0.001),
    ] = 1.0,
    loop: Annotated[
        bool, typer.Option('--loop/--no-loop', '-l', help='Begin again at the end.')
    ] = False,
    wait: Annotated[float, typer.Option(help='Longest wait for a subscriber, in s.', min=0)] = 3.0,
    clock: Annotated[bool, typer.Option(help="Tell the bag's time on /clock.")] = False,
    topic: Annotated[
        list[str] | None, typer.Option(help='Play this topic only. Repeatable; all by default.')
    ] = None,
    namespace: Annotated[str, typer.Option(help='Namespace that is put before each topic.')] = '',
) -> None:
    """
    Play a bag over DDS, as `ros2 bag play` does, where that is not installed.

    Topics whose message type is not installed are named and left out. Ctrl-C ends it.
    """
    try:
        from husky_placerec.ros.bag_player import run
    except ImportError as error:
        raise InputError(
            f"{error}; source ROS, or pip install 'husky_placerec[ros]' and pip_ros"
        ) from error
    from husky_placerec.data.bag_file import BagFile

    with BagFile(bag) as opened:
        for line in opened.problems.lines():
            warn(f'{bag}: {line}')
        run(
            opened,
            rate=rate,
            loop=loop,
            wait_s=wait,
            progress=progress('Playing', ' messages'),
            topics=topic,
            namespace=namespace,
            clock=clock,
        )
