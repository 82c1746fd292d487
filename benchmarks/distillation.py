"""
What share of a teacher's recall a distilled student keeps, on real and on simulated drives.

The teacher is ImageNet's MobileNetV2 at 320x192, GeM on a 3x5 grid. The student learns from one
traverse of each real set and from simulated drives, without their poses, by `placerec distil`. It
is measured on the other traverses, and on simulated drives of another campus. All networks are
centred by session, as a map does it. LEARN and UNSEEN are drives with a camera `front`, such as
`placerec sim` renders; the first of UNSEEN is the map of the others.

Example: python benchmarks/distillation.py out --learn sim/90/* --unseen sim/98/*
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
import csv
from pathlib import Path
import shutil
from typing import Any

from husky_placerec.config import Config, make_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.operations.compare_extractors import frame_ms
from husky_placerec.operations.drives import describe_drive
from husky_placerec.placemap.centring_choice import centred_as_asked
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.validation import recall_of_drive
from husky_placerec.training.distillation.run import distil, work_folder
from husky_placerec.training.distillation.settings import read_settings
import numpy as np
from real_sets import CAMERA, DATA

MOBILENET = {
    'extractor': 'timm',
    'backbone': 'mobilenetv2_100',
    'backbone_options': 'pad_type=same',
    'normalization': 'half',
    'weights': str(DATA / 'mobilenetv2' / 'mobilenetv2_100.pth'),
    'pooling': 'gem:3x5',
}
TEACHER = {**MOBILENET, 'input_width': 320, 'input_height': 192}
STUDENTS: Mapping[str, dict[str, Any]] = {
    'mobilenetv2_100 160x96': {**MOBILENET, 'input_width': 160, 'input_height': 96},
    'mobilenetv2_050': {
        **TEACHER,
        'backbone': 'mobilenetv2_050',
        'backbone_options': '',
        'weights': 'random',
    },
    'mobilenetv4_conv_small': {
        **TEACHER,
        'backbone': 'mobilenetv4_conv_small',
        'backbone_options': '',
        'weights': 'random',
    },
}
FRAMES_M, ROAD_M = 2.5, 5.0  # tolerances: two images of a real set, and metres on a road
START_NS = 1_700_000_000_000_000_000
Sets = Mapping[str, tuple[Path, Path, float]]


def one_camera(values: Mapping[str, Any]) -> Config:
    """Return a configuration of one camera and one thread, whose maps are centred."""
    one = {'cameras': [CAMERA], f'camera.{CAMERA}.opposite': '', 'threads': 1, 'centring': 'on'}
    return make_config({**values, **one})


def rtabmap_laps(folder: Path) -> tuple[Path, Path]:
    """Write the two laps of `rtabmap_appearance` as drives with poses."""
    source = DATA / 'rtabmap_appearance'
    with (source / 'ground_truth.csv').open(newline='', encoding='utf-8') as file:
        truth = {int(row['query']): int(row['map_nominal']) for row in csv.DictReader(file)}
    first = {number: number for number in range(1, min(truth))}
    laps = []
    for name, numbers in (('lap_1', first), ('lap_2', truth)):
        lap = folder / name
        (lap / CAMERA).mkdir(parents=True, exist_ok=True)
        with (lap / 'frames.csv').open('w', newline='', encoding='utf-8') as file:
            rows = csv.writer(file)
            rows.writerow(['stamp', CAMERA, 'x', 'y', 'z', 'yaw'])
            for number, place in sorted(numbers.items()):
                image = f'{CAMERA}/{number}.jpg'
                shutil.copyfile(source / 'images' / f'{number}.jpg', lap / image)
                rows.writerow([START_NS + number * 10**9, image, place, 0, 0, 0])
        laps.append(lap)
    return laps[0], laps[1]


def recalls(config: Config, sets: Sets) -> dict[str, float]:
    """Return recall@1 on each set, 0 to 1."""
    found, described = {}, {}
    for name, (mapped, driven, within_m) in sets.items():
        if mapped not in described:
            described[mapped] = describe_drive(mapped, config)
        place_map: PlaceMap = described[mapped]
        queries = describe_drive(driven, config, like=place_map)
        centred = centred_as_asked(place_map, config.centring)
        found[name] = float(np.mean(list(recall_of_drive(centred, queries, within_m).values())))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('output', type=Path, help='folder of the students')
    parser.add_argument('--learn', nargs='+', type=Path, default=[], metavar='LEARN')
    parser.add_argument('--unseen', nargs='+', type=Path, default=[], metavar='UNSEEN')
    parser.add_argument('--student', choices=STUDENTS, default=next(iter(STUDENTS)))
    parser.add_argument('--training', type=Path, help='settings of the training')
    parser.add_argument('--resume', action='store_true')
    options = parser.parse_args()
    laps = rtabmap_laps(options.output)
    sets: Sets = {
        'rtabmap': (*laps, FRAMES_M),
        'corridor': (DATA / 'corridor/ref', DATA / 'corridor/query', FRAMES_M),
        'stromovka': (DATA / 'stromovka/autumn', DATA / 'stromovka/snow', FRAMES_M),
        **{each.name: (options.unseen[0], each, ROAD_M) for each in options.unseen[1:]},
    }
    learned = [laps[0], DATA / 'corridor/ref', DATA / 'stromovka/autumn', *options.learn]
    student = one_camera(STUDENTS[options.student])
    output = options.output / f'{options.student.replace(" ", "_")}.onnx'
    distil(
        one_camera(TEACHER),
        student,
        learned,
        output,
        read_settings(options.training),
        resume=options.resume,
        overwrite=True,
        say=print,
    )
    methods = {
        'teacher': one_camera(TEACHER),
        'student': one_camera({'extractor': 'onnx', 'weights': str(output)}),
        'not taught': student,
    }
    found = {name: recalls(config, sets) for name, config in methods.items()}
    print(f'{work_folder(output)}; recall@1 in %, and of the teacher')
    for name, config in methods.items():
        shares = [found[name][each] / max(found['teacher'][each], 1e-9) for each in sets]
        cells = [f'{each} {100 * found[name][each]:.1f}' for each in sets]
        ms = frame_ms(load_extractor(config))
        print(f'{name}: {", ".join(cells)}; mean share {np.mean(shares):.2f}; {ms:.1f} ms')


if __name__ == '__main__':
    main()
