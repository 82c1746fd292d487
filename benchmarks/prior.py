"""
Learn the prior of the evidence on many worlds: the real sets, and campuses of both protocols.

Each world counts the same. `--without` leaves worlds out, for figures on those.

Example: python benchmarks/prior.py prior.json --drives drives
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
import json
from pathlib import Path

from decision_drives import CALIBRATION, campus
from decision_worlds import lenses, world
from husky_placerec.campus.protocols import PROTOCOLS
from husky_placerec.config import Config, read_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.files import write_atomic
from husky_placerec.recognition.calibrating.calibrate import sampled
from husky_placerec.recognition.calibrating.leave_out import Setting
from husky_placerec.recognition.calibrating.prior_fit import fit_prior
from husky_placerec.recognition.calibrating.samples import Samples
from real_sets import DATA
from real_worlds import real_config, real_worlds

# With it, some 0.3 % of the frames on unknown roads of `hard` campuses are accepted by the prior.
PROOF = 9.0


def main() -> None:
    """Sample the worlds, fit the prior and write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('out', type=Path)
    parser.add_argument('--drives', type=Path, default=Path('drives'), help='rendered drives')
    parser.add_argument('--data', type=Path, default=DATA, help='folder of the real sets')
    parser.add_argument('--without', nargs='*', default=[], help='names of worlds to leave out')
    args = parser.parse_args()
    worlds = {}
    for name, settings, config in _worlds(args.drives, args.data):
        if name not in args.without:
            gates, places = sampled(settings, config)
            worlds[name] = Samples.join(gates), Samples.join(places)
            print(f'{name}: {len(gates)} samples of the gate, {len(places)} of the likelihood')
    made = fit_prior(worlds, PROOF)
    write_atomic(args.out, json.dumps(made.as_json(), indent=1).encode())


def _worlds(drives: Path, data: Path) -> Iterator[tuple[str, list[Setting], Config]]:
    """Yield the name of each world, its maps with the drives on them, and the parameters."""
    for real in real_worlds(data):
        settings = [Setting(real.mapped(d), (real.driven(d),)) for d in real.directions]
        yield real.name, settings, real_config()
    config = read_config(None, [*lenses(), 'local=true'])
    extractor = load_extractor(config)
    for protocol in PROTOCOLS:
        for seed in CALIBRATION:
            each = world(campus(protocol, seed), extractor, config, drives)
            driven = tuple(d.described for d in (*each.driven, *each.reversed))
            yield f'{protocol} {seed}', [Setting(each.place_map, driven)], config


if __name__ == '__main__':
    main()
