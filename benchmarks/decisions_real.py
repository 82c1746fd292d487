"""
The decisions on real images: two laps through a corridor, the first of them mapped.

Each quarter of the map is left out in turn, so that each frame of the second lap is on the map
three times and unknown once. The images have no poses, and there is no third lap: a frame counts
as 5 m, and the map is calibrated by its own frames. A pose is right within 10 m, two frames, by
the correspondence that comes with the images.

python benchmarks/decisions_real.py FOLDER --set extractor=timm --set backbone=mobilenetv2_100 \
    --set backbone_options=pad_type=same --set normalization=half --set weights=FILE
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import csv
from dataclasses import replace
from pathlib import Path

import cv2
from decision_judging import decided, Frames, judged
from decision_tables import table
from husky_placerec.config import Config, read_config
from husky_placerec.descriptor.extractor import DescriptorExtractor, load_extractor
from husky_placerec.placemap.building import now
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.places import Places
from husky_placerec.recognition.calibrating.calibrate import calibrate, itself
from husky_placerec.recognition.calibrating.leave_out import Setting
from husky_placerec.recognition.calibrating.reliability import recall_at
from husky_placerec.recognition.calibrating.samples import DescribedDrive
from husky_placerec.recognition.calibration import MAP_ALONE
from husky_placerec.types import Frame, SECOND_NS
import numpy as np
from rich.console import Console

CAMERA = 'front'
FRAME_M = 5.0
STRETCHES = 4


def lap(
    names: Sequence[int], at: Sequence[int], folder: Path, extractor: DescriptorExtractor
) -> DescribedDrive:
    """
    Describe the images of a lap.

    :param names: of the images.
    :param at: the frame of the map that each image shows.
    """
    rows = []
    for name in names:
        bgr = cv2.imread(str(folder / 'images' / f'{name}.jpg'))
        if bgr is None:
            raise SystemExit(f'{folder}/images/{name}.jpg: expected an image')
        image = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
        rows.append(extractor.describe(Frame(0, {CAMERA: image}, {CAMERA: 0})))
    poses = np.zeros((len(names), 7))
    poses[:, 0], poses[:, 6] = FRAME_M * np.array(at), 1
    stamps_ns = np.arange(1, len(names) + 1) * round(FRAME_M) * SECOND_NS
    return DescribedDrive('lap', np.array(rows, np.float16), stamps_ns, poses)


def mapped(drive: DescribedDrive, kept: np.ndarray, extractor: DescriptorExtractor) -> PlaceMap:
    """Return a map of some of the places of a lap."""
    count = len(kept)
    assert drive.poses is not None
    return PlaceMap(
        Places(
            drive.stamps_ns[kept], drive.poses[kept], ('lap',) * count, np.ones((count, 1), bool)
        ),
        drive.descriptors[kept],
        extractor.spec,
        'map',
        None,
        {'lap': 'images'},
        now(),
        name='corridor',
    )


def measured(
    first: DescribedDrive, second: DescribedDrive, config: Config, extractor: DescriptorExtractor
) -> list[Frames]:
    """Return the judged decisions with each stretch of the map left out in turn."""
    parts = np.array_split(np.arange(len(first)), STRETCHES)
    frames = []
    for left_out in parts:
        kept = np.setdiff1d(np.arange(len(first)), left_out)
        place_map = mapped(first, kept, extractor)
        drive = itself(place_map)
        calibration = calibrate([Setting(place_map, (drive,))], config, kind=MAP_ALONE)
        said = decided(place_map, second, config, calibration, wheels=False)
        frames.append(judged(said, second, place_map, threshold=np.inf))
    return frames


def with_threshold(frames: Sequence[Frames], precision: float = 0.995) -> list[Frames]:
    """Return the frames with the baseline's threshold fitted to them, which favours it."""
    similarity = np.concatenate([f.similarity for f in frames])
    true = np.concatenate([f.right['similarity'] for f in frames])
    known = sum(int(f.on_map.sum()) for f in frames)
    _, least = recall_at(precision, similarity, true, known)
    most = np.inf if least is None else least
    return [
        replace(f, accepted={**f.accepted, 'similarity': f.similarity >= most}) for f in frames
    ]


def main() -> None:
    """Describe, decide and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('folder', type=Path, help='with images and ground_truth.csv')
    parser.add_argument('--set', dest='settings', action='append', default=[], help='NAME=VALUE')
    args = parser.parse_args()
    config = read_config(None, [f'cameras=[{CAMERA}]', *args.settings])
    extractor = load_extractor(config)
    with (args.folder / 'ground_truth.csv').open() as file:
        truth = {int(row['query']): int(row['map_nominal']) for row in csv.DictReader(file)}
    count = min(truth) - 1
    first = lap(range(1, count + 1), range(1, count + 1), args.folder, extractor)
    second = lap(sorted(truth), [truth[q] for q in sorted(truth)], args.folder, extractor)
    frames = with_threshold(measured(first, second, config, extractor))
    Console(width=150).print(table('corridor, a stretch of the map left out', frames))


if __name__ == '__main__':
    main()
