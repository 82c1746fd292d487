"""
The memory and the start of the running node, by the size of its map; needs rclpy.

    python benchmarks/speed_node.py --places 600 5000 100000
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
import subprocess
import sys
import tempfile
import time
from typing import Any

from husky_placerec.config import make_config
import numpy as np

PLACES = 600, 5000, 100_000
DRIVE_S, RATE_HZ = 8.0, 10.0
STARTS = 3  # of an interpreter


def node_rows(places: tuple[int, ...] = PLACES) -> list[dict[str, Any]]:
    """Return rows of memory (MB) and of start-up (s)."""
    os.environ.setdefault('ROS_DOMAIN_ID', str(os.getpid() % 100 + 1))
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    from node import encoded, node, Robot, scenes, told, write_map  # it starts rclpy

    found = [{'row': 'node_import_s', 'value': round(import_s(), 2)}]
    seen = scenes()
    messages = encoded(seen, 'compressed')
    for count in places:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            config = make_config(
                {
                    'weights': 'shipped',
                    'map': str(folder / 'road.map'),
                    'min_similarity': 0.5,
                    'check_images': False,  # the scenes have no edges
                }
            )
            write_map(folder / 'road.map', config, seen, count, None)
            files = (folder / 'road.map').rglob('*')
            map_mb = sum(file.stat().st_size for file in files) / 1e6
            began = time.monotonic()
            with node(folder, config) as process:
                robot = Robot(config)
                robot.found()
                started = time.monotonic() - began
                while not robot.waits_ms and time.monotonic() < began + 60:
                    robot.drive(messages, RATE_HZ, 0.3)
                first = time.monotonic() - began
                robot.waits_ms.clear()
                robot.drive(messages, RATE_HZ, DRIVE_S)
                last = robot.reports[-1][1]
                rows = {
                    'start_s': started,
                    'first_pose_s': first,
                    'map_mb': map_mb,
                    'rss_mb': rss_mb(process.pid),
                    'decode_ms': told(last, 'decoding p50 ms'),
                    'recognise_ms': told(last, 'recognising p50 ms'),
                    'latency_ms': float(np.median(robot.waits_ms or [np.nan])),
                }
                robot.close()
            found += [
                {'row': f'node_{count}_{key}', 'value': round(value, 2)}
                for key, value in rows.items()
            ]
    return found


def import_s() -> float:
    """Return how long the import of the node takes, beside an empty interpreter."""

    def started(code: str) -> float:
        times = []
        for _ in range(STARTS):
            began = time.perf_counter()
            subprocess.run([sys.executable, '-c', code], check=True)
            times.append(time.perf_counter() - began)
        return min(times)

    return started('import husky_placerec.ros.node') - started('pass')


def rss_mb(process: int) -> float:
    """Return the resident memory of a process."""
    status = Path(f'/proc/{process}/status').read_text()
    return int(status.split('VmRSS:')[1].split()[0]) / 1000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--places', type=int, nargs='*', default=list(PLACES))
    for line in node_rows(tuple(parser.parse_args().places)):
        print(f'{line["row"]:28} {line["value"]:10.2f}')


if __name__ == '__main__':
    main()
