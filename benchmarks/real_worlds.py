"""The real sets as worlds: described once, mapped and driven with a given distance a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from husky_placerec.config import Config, make_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.descriptor.local.collector import LocalCollector
from husky_placerec.descriptor.local.extractor import load_local
from husky_placerec.descriptor.local.features import LocalFeatures
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.placemap.building import now
from husky_placerec.placemap.centring_choice import centred_as_asked
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.places import Places
from husky_placerec.recognition.calibrating.samples import DescribedDrive
from husky_placerec.types import FloatArray, Indices, SECOND_NS
import numpy as np
from real_sets import CAMERA, DATA, real_sets, Traverse

EVERY_M = 5.0
SPEED = 1.0  # m/s
NOISE = 0.03  # of the length of each step of the odometry


def real_config(**parameters: object) -> Config:
    """Return the parameters for one camera, with local descriptors."""
    one = {'cameras': [CAMERA], 'camera.front.opposite': '', 'threads': 1, 'local': True}
    return make_config({**one, **parameters})


@dataclass(frozen=True, eq=False)
class DescribedTraverse:
    """
    A described drive.

    :param descriptors: [N, 1, D] float16.
    :param places: [N] the number of the place that each frame shows.
    """

    descriptors: FloatArray
    local: LocalFeatures
    places: Indices


@dataclass(frozen=True, eq=False)
class RealWorld:
    """Two described traverses of the same places; each is the map once."""

    name: str
    spec: DescriptorSpec
    traverses: tuple[DescribedTraverse, DescribedTraverse]

    @property
    def directions(self) -> tuple[int, int]:
        """The number of the traverse that is the map, for each direction."""
        return 0, 1

    def mapped(
        self, number: int, kept: Sequence[int] | None = None, every_m: float = EVERY_M
    ) -> PlaceMap:
        """Return a map of a traverse, or of some of its frames, on a straight line."""
        rows = np.arange(len(self.traverses[number].places)) if kept is None else np.array(kept)
        drive = self.drive(number, every_m)
        made = PlaceMap(
            Places(
                drive.stamps_ns[rows],
                drive.poses[rows],
                (drive.name,) * len(rows),
                np.ones((len(rows), 1), np.bool_),
            ),
            drive.descriptors[rows],
            self.spec,
            'map',
            None,
            {drive.name: self.name},
            now(),
            name=self.name,
            local=self.traverses[number].local.chosen(rows),
        )
        return centred_as_asked(made, 'auto')

    def driven(self, number: int, every_m: float = EVERY_M) -> DescribedDrive:
        """Return the other traverse than the mapped one."""
        return self.drive(1 - number, every_m)

    def drive(self, number: int, every_m: float = EVERY_M) -> DescribedDrive:
        """Return a traverse as a drive, with an odometry whose steps are off by NOISE."""
        seen = self.traverses[number]
        count = len(seen.places)
        poses = np.zeros((count, 7))
        poses[:, 0], poses[:, 6] = every_m * seen.places, 1
        steps = np.diff(poses[:, 0])
        noise = np.random.default_rng(number).normal(size=len(steps))
        wheels = poses.copy()
        wheels[1:, 0] = poses[0, 0] + np.cumsum(steps * (1 + NOISE * noise))
        stamps_ns = np.arange(1, count + 1) * round(every_m / SPEED * SECOND_NS)
        name = f'{self.name} {number + 1}'
        return DescribedDrive(name, seen.descriptors, stamps_ns, poses, wheels, seen.local)


def real_worlds(folder: Path = DATA, config: Config | None = None) -> list[RealWorld]:
    """Describe the real sets that are in the folder."""
    config = config or real_config()
    extractor = load_extractor(config)
    local = load_local(config, extractor.spec)

    def described(traverse: Traverse) -> DescribedTraverse:
        rows, cells = [], LocalCollector(local)
        for frame in traverse.frames():
            rows.append(extractor.describe(frame))
            cells.add(frame)
        found = cells.collected()
        assert found is not None
        return DescribedTraverse(np.array(rows, np.float16), found, traverse.places)

    return [
        RealWorld(each.name, extractor.spec, (described(each.first), described(each.second)))
        for each in real_sets(folder)
    ]
