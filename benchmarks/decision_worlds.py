"""The campuses of decisions.py, described: a map, and what is driven on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from decision_drives import Campus, described, PRODUCT, recorded
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.config import Config
from husky_placerec.descriptor.extractor import DescriptorExtractor
from husky_placerec.descriptor.local.extractor import load_local
from husky_placerec.descriptor.local.features import LocalFeatures
from husky_placerec.placemap.building import now, opposite_cameras
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.places import Places
from husky_placerec.recognition.calibrating.samples import DescribedDrive
from husky_placerec.types import FloatArray, Pose, SECOND_NS
import numpy as np
from numpy.typing import NDArray

APART_M = 30.0  # of a drive, from which a place has nothing to do with it
QUARTER = 4  # of a drive, before it leaves the map and after it has come back


@dataclass(frozen=True, eq=False)
class Driven:
    """A drive with its descriptors, as the decisions need it."""

    config: DriveConfig
    stamps_ns: NDArray[np.int64]
    poses: NDArray[np.float64]
    wheels: NDArray[np.float64]
    descriptors: FloatArray
    local: LocalFeatures

    def __len__(self) -> int:
        return len(self.stamps_ns)

    def only(self, camera: int) -> Driven:
        """Return the drive as one camera alone saw it, the others being covered."""
        seen = np.zeros_like(self.descriptors)
        seen[:, camera] = self.descriptors[:, camera]
        cells = np.zeros_like(self.local.values)
        cells[:, camera] = self.local.values[:, camera]
        return replace(self, descriptors=seen, local=replace(self.local, values=cells))

    def part(self, rows: slice) -> Driven:
        columns = ('stamps_ns', 'poses', 'wheels', 'descriptors')
        parts = {name: getattr(self, name)[rows] for name in columns}
        return replace(self, **parts, local=self.local.chosen(rows))

    @property
    def described(self) -> DescribedDrive:
        """The drive in the form that a calibration takes."""
        name = f'{self.config.seed} {self.config.condition}'
        about = self.descriptors, self.stamps_ns, self.poses, self.wheels, self.local
        return DescribedDrive(name, *about)


@dataclass(frozen=True, eq=False)
class World:
    """A campus as mapped, and what is driven on it."""

    plan: Campus
    place_map: PlaceMap
    coarse: PlaceMap | None
    driven: tuple[Driven, ...]
    reversed: tuple[Driven, ...]


def lenses() -> list[str]:
    """Return settings that tell the lenses of the cameras, for models with a virtual pinhole."""
    settings = []
    for camera in DriveConfig(**PRODUCT).rig:
        fx, fy, _, _ = camera.intrinsics(PRODUCT['width'], PRODUCT['height'])
        known = {'fx': fx, 'fy': fy, **PRODUCT}
        settings += [f'camera.{camera.name}.{key}={value}' for key, value in known.items()]
    return settings


def world(plan: Campus, extractor: DescriptorExtractor, config: Config, folder: Path) -> World:
    """Describe a campus."""
    local = load_local(config, extractor.spec)

    def driven(drive: DriveConfig) -> Driven:
        kept = recorded(drive, folder)
        seen = described(kept, extractor, local, folder)
        return Driven(drive, kept.stamps_ns, kept.poses, kept.wheels, *seen)

    return World(
        plan,
        mapped(driven(plan.mapped), extractor, config),
        mapped(driven(plan.coarse), extractor, config) if plan.coarse else None,
        tuple(map(driven, plan.driven)),
        tuple(map(driven, plan.reversed)),
    )


def mapped(drive: Driven, extractor: DescriptorExtractor, config: Config) -> PlaceMap:
    present = drive.descriptors.any(axis=2)
    return PlaceMap(
        Places(drive.stamps_ns, drive.poses, ('day',) * len(drive), present),
        drive.descriptors,
        extractor.spec,
        'map',
        opposite_cameras(config),
        {'day': 'simulated'},
        now(),
        name=f'{drive.config.seed}',
        local=drive.local,
    )


def without_near(place_map: PlaceMap, drive: Driven) -> PlaceMap | None:
    """Return the map without all that the drive comes near to; None where little is left."""
    apart = np.linalg.norm(place_map.places.poses[:, None, :2] - drive.poses[:, :2], axis=-1).min(
        axis=1
    )
    kept = np.flatnonzero(apart > APART_M)
    if len(kept) < len(place_map) / 4:
        return None
    local = None if place_map.local is None else place_map.local.chosen(kept)
    return place_map.with_places(
        place_map.places.chosen(kept), place_map.descriptors[kept], local=local
    )


def carried(drive: Driven, other: Driven) -> Driven:
    """Return a drive until it leaves the map, then the end of another, carried in between."""
    first = drive.part(slice(0, len(drive) // QUARTER))
    second = other.part(slice(-(len(other) // QUARTER), None))
    later_ns = first.stamps_ns[-1] + 60 * SECOND_NS - second.stamps_ns[0]
    # The wheels do not turn while it is carried.
    wheels = [(Pose.from_array(second.wheels[0]).inverse()).as_array()]
    begin = Pose.from_array(first.wheels[-1]) @ Pose.from_array(wheels[0])
    moved = [(begin @ Pose.from_array(pose)).as_array() for pose in second.wheels]
    return Driven(
        drive.config,
        np.concatenate([first.stamps_ns, second.stamps_ns + later_ns]),
        np.concatenate([first.poses, second.poses]),
        np.concatenate([first.wheels, moved]),
        np.concatenate([first.descriptors, second.descriptors]),
        first.local.joined(second.local),
    )


def moved_away(place_map: PlaceMap) -> PlaceMap:
    """Return the map of another campus so far off that no pose on it can be right."""
    poses = place_map.places.poses.copy()
    poses[:, :2] += 1e5
    return replace(place_map, places=replace(place_map.places, poses=poses))
