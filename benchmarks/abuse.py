"""
Abuse the node over DDS for some minutes, and print its memory and its frames.

The real node runs in a process of its own. A robot drives along its map and mixes in, at random:
broken, huge, depth and empty images; stamps of the past, of the future and of zero; odometry with
NaN; every service; parameters that are out of range; lifecycle cycles; a map whose files are
overwritten in place. At the end the node has to recognise again, with no restart.

Example: python benchmarks/abuse.py --map demo/campus.map --drive DRIVE --minutes 5
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import ExitStack
import math
from pathlib import Path
import random
import shutil
import sys
import tempfile
import time

from husky_placerec.placemap.loading import load_map
from husky_placerec.types import Pose
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'test'))
from support.robot import new_domain, node_process, Robot, scenes_of

SERVICES = ('relocalize', 'reload_map')
VALUES: tuple[dict[str, object], ...] = (
    *({'max_rate': -1.0}, {'max_rate': float('nan')}, {'min_similarity': 9.0}),
    *({'candidates': 0}, {'no_such': 1}, {'elsewhere': float('inf')}, {'min_similarity': 0.8}),
)
CYCLE = ('deactivate', 'cleanup', 'configure', 'activate')
SECOND_NS = 1_000_000_000


def abuses(robot: Robot, folder: Path, rng: random.Random) -> dict[str, Callable[[], object]]:
    """Return what may be done to the node, by name."""
    jpeg = robot.scenes[0]['front']

    def image(data: bytes, form: str = 'jpeg', shift_s: int = 0) -> None:
        now_ns = time.time_ns() + shift_s * SECOND_NS
        for camera in robot.cameras:
            robot.see(camera, max(now_ns, 0), data, form=form)

    def overwrite() -> None:
        for file in folder.iterdir():
            file.write_bytes(file.read_bytes())

    def cycle() -> None:
        for transition in CYCLE:
            robot.change(transition)

    return {
        'truncated image': lambda: image(jpeg[: rng.randrange(len(jpeg))]),
        'no image': lambda: image(b''),
        'noise': lambda: image(rng.randbytes(5000)),
        'depth image': lambda: image(jpeg, '16UC1; png'),
        'image of 400 megapixels': lambda: image(_huge()),
        'stamp of an hour ago': lambda: image(jpeg, shift_s=-3600),
        'stamp of tomorrow': lambda: image(jpeg, shift_s=86400),
        'stamp of zero': lambda: image(jpeg, shift_s=-(10**10)),
        'odometry of NaN': lambda: robot.move(
            time.time_ns(), Pose(math.nan, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
        ),
        'odometry far away': lambda: robot.move(
            time.time_ns(), Pose(1e30, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
        ),
        'service': lambda: robot.trigger(rng.choice(SERVICES)),
        'held back': lambda: (robot.enable(False), robot.enable(True)),
        'parameter': lambda: robot.set(**rng.choice(VALUES)),
        'lifecycle cycle': cycle,
        'map overwritten in place': overwrite,
    }


def _huge() -> bytes:
    """Return the header of a PNG of 20000x20000 pixels."""
    size = (20000).to_bytes(4, 'big') * 2
    return b'\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR' + size + b'\x08\x02\x00\x00\x00' + bytes(64)


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    pages = int(Path(f'/proc/{pid}/statm').read_text().split()[1])
    return pages * 4096 / 1e6


def main() -> None:
    """Abuse the node and print a table; the exit status is 1 if it does not recognise again."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--map', type=Path, required=True, help='a map')
    parser.add_argument('--drive', type=Path, required=True, help='bag of a drive along it')
    parser.add_argument('--minutes', type=float, default=5.0)
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    rng, console = random.Random(args.seed), Console(width=100)
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        shutil.copytree(args.map, work / 'map')
        spec = load_map(work / 'map').spec
        robot = Robot(scenes_of(args.drive), new_domain())
        stack.callback(robot.close)
        values = {'map': str(work / 'map'), 'extractor': spec.extractor, 'min_similarity': 0.8}
        robot.process = stack.enter_context(node_process(work, values))
        if not robot.found():
            raise SystemExit(f'the node does not listen\n{robot.log}')
        done = abuses(robot, work / 'map', rng)
        counts = dict.fromkeys(done, 0)
        robot.drive(10)
        first = most = memory_mb(robot.process.pid)
        end = time.monotonic() + 60 * args.minutes
        while time.monotonic() < end and robot.process.poll() is None:
            name = rng.choice(list(done))
            done[name]()
            counts[name] += 1
            robot.drive(rng.randrange(1, 6), period_ns=SECOND_NS // 10)
            most = max(most, memory_mb(robot.process.pid))
        alive = robot.process.poll() is None
        again = alive and robot.recovers(60)
        table = Table(title=f'{args.minutes:g} minutes of abuse', show_header=False)
        for name, count in counts.items():
            table.add_row(name, str(count))
        table.add_row('images sent', str(len(robot.sent)))
        table.add_row('poses heard', str(len(robot.heard['pose'])))
        if alive:
            table.add_row('memory, MB', f'{first:.0f}, at most {most:.0f}')
        table.add_row('alive', 'yes' if alive else f'no: status {robot.process.returncode}')
        table.add_row('recognises again', 'yes' if again else 'no')
        console.print(table)
        if 'Traceback' in robot.log:
            console.print('a traceback in the log of the node', robot.log[-2000:])
    raise SystemExit(0 if again else 1)


if __name__ == '__main__':
    main()
