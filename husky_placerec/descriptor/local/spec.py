"""The spec of local descriptors: everything that made them, stored in the map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from husky_placerec.errors import InputError
from husky_placerec.schema import integer, number, record, require, text

BRANCH = r'[A-Za-z]\w{0,63}'
SCHEMA = record(
    {
        'local': record(
            {
                'weights': text(),
                'weights_sha256': text(64, '[0-9a-f]{64}'),
                'branch': text(64, BRANCH),
                'pinhole_focal': number(0, 100),
                'input_width': integer(16, 4096),
                'input_height': integer(16, 4096),
                'rows': integer(1, 256),
                'columns': integer(1, 256),
                'size': integer(1, 256),
            }
        )
    }
)


@dataclass(frozen=True)
class LocalSpec:
    """
    Everything that local descriptors depend on.

    :param weights: the file of the network, or `shipped`; only a hint, as `weights_sha256`, the
        hash of the file, identifies it.
    :param branch: the output of the network whose features are used.
    :param pinhole_focal: focal length of the virtual pinhole in widths of the input; 0 for none.
    :param rows: of the grid of cells, and `columns`.
    :param size: length of the vector of a cell.
    """

    weights: str
    weights_sha256: str
    branch: str
    pinhole_focal: float
    input_width: int
    input_height: int
    rows: int
    columns: int
    size: int

    @property
    def cells(self) -> int:
        """The number of cells of the grid."""
        return self.rows * self.columns

    def bytes_of_place(self, cameras: int) -> int:
        """Return how many bytes the local descriptors of a place take."""
        return cameras * self.cells * self.size

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON values, by name."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any], source: str) -> LocalSpec:
        """
        Make a spec from the values of `as_json`.

        :raises InputError: for a missing or an unknown key, and for a value that no spec has.
        """
        require({'local': values}, SCHEMA, source)
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise InputError(f'{source}: local has unknown keys: {", ".join(unknown)}')
        return cls(**values)

    def require_same(self, found: LocalSpec, source: str) -> None:
        """
        Check that a map has the local descriptors of this spec.

        :param found: the spec of the map.
        :raises InputError: that names each difference.
        """
        pairs = [(f.name, getattr(found, f.name), getattr(self, f.name)) for f in fields(self)]
        differences = [
            f'{name} is {theirs!r}, expected {ours!r}'
            for name, theirs, ours in pairs
            if name != 'weights' and theirs != ours
        ]
        if differences:
            raise InputError(
                f'{source}: local descriptors of another network: {"; ".join(differences)}; '
                'placerec map add-local makes them anew'
            )
