"""
How long the page of `placerec view` takes from a click to the pictures, in a real browser.

Makes results of a drive of 10,000 frames in a map of 10,000 places, of images of 640x360 pixels on
the disk, serves them, and clicks points far apart. The time runs from the click to the moment when
Chromium has drawn the four new images. Without a graphics card, Chromium draws the map by the
processor, which takes most of the CPU time. Needs the extra [view], playwright and Chromium.

Example: python benchmarks/viewer.py --frames 10000 --clicks 20
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
import sys
from tempfile import TemporaryDirectory
import time

import cv2
from husky_placerec.recognition.serialization import recognition_json
from husky_placerec.types import Candidate, Pose, Recognition
import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / 'test'))
from support.browser import browser, click_point, served, settled, SIZE
from support.builders import smooth_image

SPACING_M, PERIOD_NS = 1.0, 200_000_000
START_NS = 1_700_000_000_000_000_000
IMAGES = 40  # files; the frames share them


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--frames', type=int, default=10_000)
    parser.add_argument('--clicks', type=int, default=20)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        write_results(Path(folder), options.frames)
        with served(folder, 'results') as (address, _), browser() as opened:
            page = opened.new_page(viewport=SIZE)
            began = time.perf_counter()
            page.goto(address)
            page.wait_for_selector('.js-plotly-plot', timeout=120_000)
            settled(page)
            print(f'first picture: {time.perf_counter() - began:.1f} s')
            began = cpu_s()
            times = [click_s(page, row) for row in rows_of(options.frames, options.clicks)]
            cpu = (cpu_s() - began) / options.clicks
    low, median, high = np.percentile(times, [0, 50, 100])
    print(f'{options.frames} frames, {len(times)} clicks, from click to pictures:')
    print(f'least {low:.2f} s, median {median:.2f} s, most {high:.2f} s')
    print(f'CPU time of the page and of the browser: {cpu:.2f} s a click, until all is drawn')
    print(f'load of this machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores')


def cpu_s() -> float:
    """Return the CPU time of the processes that this one started."""
    times = [each.cpu_times() for each in psutil.Process().children(recursive=True)]
    return sum(each.user + each.system for each in times)


def rows_of(frames: int, clicks: int) -> list[int]:
    """Return frames far apart, each with other images than the one before and its neighbours."""
    blocks = np.random.default_rng(0).integers(frames // IMAGES, size=clicks)
    return [int(block) * IMAGES + 11 * number % IMAGES for number, block in enumerate(blocks, 1)]


def click_s(page, row: int) -> float:
    """Return the seconds from a click on a frame to its four images."""
    shown = 'Array.from(document.querySelectorAll("[data-testid=stImage] img")).slice(0, 4)'
    before = page.evaluate(f'{shown}.map(i => i.src).join()')
    click_point(page, row)
    began = time.perf_counter()
    page.wait_for_function(
        f'before => {{ const now = {shown}; return now.length === 4 '
        '&& now.map(i => i.src).join() !== before && now.every(i => i.complete) }',
        arg=before,
        polling='raf',
    )
    taken = time.perf_counter() - began
    settled(page)
    return taken


def write_results(folder: Path, count: int) -> None:
    """Write two drives, and the results of each in the map of the other."""
    for drive in ('mapped', 'driven'):
        for number in range(IMAGES):
            for camera in ('front', 'back'):
                file = folder / drive / camera / f'{number}.jpg'
                file.parent.mkdir(parents=True, exist_ok=True)
                seed = hash((drive, number, camera)) % 2**32
                cv2.imwrite(str(file), smooth_image(seed, 640, 360))
        lines = ['stamp,front,back']
        for row, stamp_ns in enumerate(stamps(count, drive)):
            n = row % IMAGES
            lines.append(f'{stamp_ns},front/{n}.jpg,back/{n}.jpg')
        (folder / drive / 'frames.csv').write_text('\n'.join(lines) + '\n')
    results = folder / 'results'
    results.mkdir()
    with (results / 'recognitions.jsonl').open('w') as file:
        for database, queries in (('mapped', 'driven'), ('driven', 'mapped')):
            for row, stamp_ns in enumerate(stamps(count, queries)):
                line = recognition_json(*decision(row, stamp_ns, count))
                file.write(json.dumps({'database': database, 'queries': queries, **line}) + '\n')
    tracks = [{'name': name, 'source': str(folder / name)} for name in ('mapped', 'driven')]
    (results / 'summary.json').write_text(json.dumps({'tracks': tracks}))


def stamps(count: int, drive: str) -> list[int]:
    """Return the stamps of a drive."""
    later = 0 if drive == 'mapped' else 86_400_000_000_000
    return [START_NS + later + row * PERIOD_NS for row in range(count)]


def decision(row: int, stamp_ns: int, count: int) -> tuple[Recognition, Pose]:
    """Return a decision about a frame on a spiral, wrong for one of a hundred, and the truth."""
    truth, wrong = pose_of(row), row % 100 == 50
    places = [(row + shift + 500 * wrong) % count for shift in (0, 1, 2, 3, 700)]
    candidates = tuple(
        Candidate(place, 0.9 - 0.05 * rank, False, pose_of(place), {}, 0.9 if not rank else 0.02)
        for rank, place in enumerate(places)
    )
    stamps_ns = {'front': stamp_ns, 'back': stamp_ns}
    accepted, reason = (row % 10 != 3), None if row % 10 != 3 else 'waiting_for_sequence'
    return (
        Recognition(
            stamp_ns,
            stamps_ns,
            accepted,
            reason,
            candidates,
            0.05,
            0.2 + 0.8 * ((row * 37) % 100) / 100,
            state='LOCALIZED',
            proof=20.0,
        ),
        truth,
    )


def pose_of(place: int) -> Pose:
    """Return the pose of a place on a spiral whose turns are 15 m apart."""
    angle = np.sqrt(4 * np.pi * place * SPACING_M / 15.0)
    radius = 15.0 * angle / (2 * np.pi)
    return Pose.planar(radius * np.cos(angle), radius * np.sin(angle), angle + np.pi / 2)


if __name__ == '__main__':
    main()
