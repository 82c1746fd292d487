"""Landmarks of the places of a map: where they are, how sure that is, and their descriptors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from husky_placerec.errors import InputError
from husky_placerec.metric.sight import Sight, unit
from husky_placerec.metric.triangulation import Triangulated
from husky_placerec.schema import integer, number, record, require, text
from husky_placerec.types import FloatArray, Floats, Indices
import numpy as np
from numpy.typing import NDArray

BYTES_OF_PLACE = 29_000  # at most
MOST_OF_CAMERA = 200
METRES = 0.002  # of a unit of a stored position: up to 65 m each way
TAIL = 8  # bytes behind a descriptor: position as three int16, deviation, number of views
RELATIVE = 0.001  # of a unit of a stored relative deviation
SCHEMA = record(
    {
        'landmarks': record(
            {
                'network': text(),
                'network_sha256': text(64, '([0-9a-f]{64})?'),
                'input_width': integer(16, 4096),
                'key_points': integer(1, 100_000),
                'size': integer(1, 1024),
                'count': integer(1, 10_000),
                'noise_px': number(0, 100),
                'scale': number(0, 1e6),
                'map_sigma_m': number(0, 100),
                'map_sigma_rad': number(0, 10),
            }
        )
    }
)


@dataclass(frozen=True)
class LandmarkSpec:
    """
    Everything that landmarks depend on.

    :param network: a file of key points as ONNX, `shipped` or `sift`; only a hint, as
        `network_sha256` identifies it.
    :param input_width: pixels, to which wider images are resized.
    :param key_points: most of an image.
    :param size: length of a descriptor.
    :param count: landmarks of a camera of a place.
    :param noise_px: of matches about their epipolar planes, after the adjustment.
    :param map_sigma_m: standard deviation of the poses of the places, m, and `map_sigma_rad`, rad.
    :param scale: factor from the formal standard deviations of a pose to those that the places
        of the map themselves have shown.
    """

    network: str
    network_sha256: str
    input_width: int
    key_points: int
    size: int
    count: int
    noise_px: float = 0.0
    scale: float = 1.0
    map_sigma_m: float = 0.0
    map_sigma_rad: float = 0.0

    def bytes_of_place(self, cameras: int) -> int:
        """Return how many bytes the landmarks of a place take."""
        return cameras * self.count * (self.size + TAIL)

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON values, by name."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any], source: str) -> LandmarkSpec:
        """
        Make a spec from the values of `as_json`.

        :raises InputError: for a missing or an unknown key, and for a value that no spec has.
        """
        require({'landmarks': values}, SCHEMA, source)
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise InputError(f'{source}: landmarks have unknown keys: {", ".join(unknown)}')
        return cls(**values)

    def require_same(self, found: LandmarkSpec, source: str) -> None:
        """
        Check that a map has landmarks of this network.

        :raises InputError: that names each difference.
        """
        names = ('network_sha256', 'input_width', 'key_points', 'size')
        differences = [
            f'{name} is {getattr(found, name)!r}, expected {getattr(self, name)!r}'
            for name in names
            if getattr(found, name) != getattr(self, name)
        ]
        if differences:
            raise InputError(
                f'{source}: landmarks of another network of key points: '
                f'{"; ".join(differences)}; placerec map add-landmarks makes them anew'
            )


def count_for(size: int, cameras: int) -> int:
    """Return how many landmarks of a camera fit in BYTES_OF_PLACE."""
    return max(1, min(MOST_OF_CAMERA, BYTES_OF_PLACE // (cameras * (size + TAIL))))


@dataclass(frozen=True, eq=False)
class PlaceLandmarks:
    """
    The landmarks of one camera of one place.

    :param points: [M, 3] in the `base_link` of the place, in metres.
    :param relative: [M] standard deviation of the distance, as a share of it.
    :param descriptors: [M, D] unit vectors.
    """

    points: Floats
    relative: Floats
    descriptors: FloatArray

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True, eq=False)
class Landmarks:
    """
    The landmarks of N places.

    Positions are in the `base_link` of each place, so that they hold where the map is moved or
    joined with others.

    :param values: [N, C, count, size + TAIL] int8; zeros behind the last one; possibly
        memory-mapped.
    """

    spec: LandmarkSpec
    values: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.values)

    def chosen(self, rows: Indices | slice) -> Landmarks:
        """Return those of some places."""
        return replace(self, values=np.asarray(self.values[rows]))

    def joined(self, other: Landmarks) -> Landmarks:
        """Return those of both; of two noises the greater one counts."""
        noisier = {
            name: max(getattr(self.spec, name), getattr(other.spec, name))
            for name in ('noise_px', 'scale', 'map_sigma_m', 'map_sigma_rad')
        }
        spec = replace(self.spec, **noisier)
        return Landmarks(spec, np.concatenate([self.values, other.values]))

    def of(self, place: int, camera: int) -> PlaceLandmarks:
        """Return the landmarks of one camera of one place."""
        rows = np.array(self.values[place, camera])
        size = self.spec.size
        rows = rows[rows[:, -1] != 0]
        tail = np.ascontiguousarray(rows[:, size : size + 6]).view('<i2')
        relative = rows[:, size + 6].view(np.uint8) * RELATIVE
        return PlaceLandmarks(tail * METRES, relative, unit(rows[:, :size]))

    @property
    def per_place(self) -> float:
        """The mean number of landmarks of a place, all cameras together."""
        return float((self.values[..., -1] != 0).sum()) / max(1, len(self))


def packed(
    sight: Sight, found: Triangulated, origin: Floats, spec: LandmarkSpec
) -> NDArray[np.int8]:
    """
    Return [count, size + TAIL] of the best landmarks of one camera of a place.

    Those that most places see come first, and of equals the strongest key points.

    :param origin: [3] of the camera in `base_link`.
    """
    values = np.zeros((spec.count, spec.size + TAIL), np.int8)
    order = np.argsort(-found.views, kind='stable')[: spec.count]
    rows, count = found.rows[order], len(order)
    points = origin + sight.bearings[rows] / found.inverse[order, None]
    stored = np.clip(np.round(points / METRES), -32767, 32767).astype('<i2')
    values[:count, : spec.size] = sight.descriptors[rows]
    values[:count, spec.size : spec.size + 6] = stored.view(np.int8)
    deviation = np.clip(np.ceil(found.relative[order] / RELATIVE), 1, 255).astype(np.uint8)
    values[:count, spec.size + 6] = deviation.view(np.int8)
    values[:count, -1] = np.clip(found.views[order], 1, 127)
    return values


def stacked(rows: Sequence[Sequence[NDArray[np.int8]]], spec: LandmarkSpec) -> Landmarks:
    """Return the landmarks of places; rows [N][C] of what `packed` gave."""
    return Landmarks(spec, np.array(rows, np.int8))
