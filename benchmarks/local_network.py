"""
Make the shipped network of local features, `campus.local.onnx`.

Its weights are those of the shipped network. Only the bases of its two branches are fitted here,
to images without any label: rendered ones of the calibration campuses and the real sets.

Example: python benchmarks/local_network.py campus.local.onnx --drives drives
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
from decision_drives import CALIBRATION, campus, decoded, recorded
from husky_placerec.config import make_config
from husky_placerec.descriptor.local.export import export_local
from husky_placerec.descriptor.network import make_network
from husky_placerec.descriptor.preparation import resize
from husky_placerec.descriptor.shipped import shipped_parameters
from husky_placerec.descriptor.spec import resolve_spec
from husky_placerec.types import Pixels
import numpy as np
from real_sets import DATA, real_sets

SIZE = (384, 224)
FRAMES = 2  # of each rendered drive
EVERY = 4  # real image


def main() -> None:
    """Collect the images, fit the bases, and write the network."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('out', type=Path)
    parser.add_argument('--drives', type=Path, default=Path('drives'), help='rendered drives')
    parser.add_argument('--data', type=Path, default=DATA, help='folder of the real sets')
    parser.add_argument('--without', nargs='*', default=[], help='real sets to leave out')
    args = parser.parse_args()
    cv2.setNumThreads(1)
    images = [*_rendered(args.drives), *_real(args.data, args.without)]
    spec = resolve_spec(make_config({'extractor': 'timm', **shipped_parameters()}), None)
    made = export_local(make_network(spec), images, args.out, threads=1)
    print(f'{args.out}: {len(images)} images, {made.spec}')


def _rendered(folder: Path) -> list[Pixels]:
    images = []
    for protocol in ('hard', 'standard'):
        for seed in CALIBRATION:
            for config in campus(protocol, seed).driven:
                drive = recorded(config, folder)
                for jpegs in drive.jpegs[:: len(drive.jpegs) // FRAMES][:FRAMES]:
                    images += [resize(decoded(jpeg), SIZE) for jpeg in jpegs.values()]
    return images


def _real(folder: Path, without: list[str]) -> list[Pixels]:
    return [
        resize(np.ascontiguousarray(image), SIZE)
        for real in real_sets(folder)
        if real.name not in without
        for traverse in (real.first, real.second)
        for image in traverse.images[::EVERY]
    ]


if __name__ == '__main__':
    main()
