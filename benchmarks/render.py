"""Prints what a picture pair of the campus costs: CPU time each, and the compilation before."""

from __future__ import annotations

import argparse
import statistics
import time

import cv2
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.photographer import Photographer


def main() -> None:
    """Render a drive and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--pairs', type=int, default=50)
    parser.add_argument('--condition', default='summer_day')
    parser.add_argument('--size', type=int, nargs=2, default=(640, 360), metavar='PX')
    args = parser.parse_args()
    cv2.setNumThreads(1)
    width, height = args.size
    config = DriveConfig(
        condition=args.condition, length_m=3.0 * args.pairs, width=width, height=height
    )
    began = time.process_time()
    photographer = Photographer(config)
    built = time.process_time()
    photographer.pictures(0)
    compiled = time.process_time()
    print(f'campus: {built - began:.1f} s of CPU time')
    print(f'first pair, with compilation unless it is cached: {compiled - built:.1f} s')
    times_ms = []
    for frame in range(args.pairs):
        start = time.process_time()
        photographer.pictures(frame)
        times_ms.append(1000 * (time.process_time() - start))
    median, mean = statistics.median(times_ms), statistics.mean(times_ms)
    print(f'a pair: {median:.0f} ms of CPU time (median; mean {mean:.0f} ms)')


if __name__ == '__main__':
    main()
