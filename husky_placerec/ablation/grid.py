"""The grid of an ablation: a base network, and the alternatives for each of its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, fields, replace
import hashlib
import itertools
from pathlib import Path
import re
from typing import Any

from husky_placerec.config import Config, make_config
from husky_placerec.descriptor.spec import resolve_spec
from husky_placerec.documents import read_yaml
from husky_placerec.errors import InputError
from husky_placerec.files import sha256
from husky_placerec.training.recipe import read_recipe, Recipe

NONE, ZCA = 'none', 'zca'
KEYS = ('recipe', 'factors', 'weights', 'full')


@dataclass(frozen=True)
class Cell:
    """
    One cell of the grid: a value for each part.

    :param backbone: the backbone's name, followed by its options NAME=VALUE.
    :param whitening: whitening of the map's descriptors: none or zca.
    :param pinhole_focal: focal length of the virtual pinhole, in widths of the input; 0 for none.
    """

    backbone: str
    pooling: str
    fusion: str
    whitening: str
    pinhole_focal: float


FACTORS = tuple(field.name for field in fields(Cell))


@dataclass(frozen=True)
class Grid:
    """
    The cells of an ablation, and the recipe that trains their networks.

    Whitening and virtual pinhole need no training of their own. A network is trained once, with
    the base's pinhole, and measured with each of their values.

    :param factors: the values of each part; the first is the base's.
    :param weights: initial weights by the backbone's name; other backbones start at random.
    :param full: all combinations of values, instead of one change of the base at a time.
    """

    recipe: Recipe
    factors: Mapping[str, tuple[Any, ...]]
    weights: Mapping[str, str]
    full: bool = False

    @property
    def base(self) -> Cell:
        """The cell of the first values."""
        return Cell(*(self.factors[name][0] for name in FACTORS))

    @property
    def cells(self) -> list[Cell]:
        """All cells, the base first."""
        if self.full:
            return [
                Cell(*each)
                for each in itertools.product(*(self.factors[name] for name in FACTORS))
            ]
        others = [
            replace(self.base, **{name: value})
            for name in FACTORS
            for value in self.factors[name][1:]
        ]
        return [self.base, *others]

    def training_cell(self, cell: Cell) -> Cell:
        """Return the cell whose trained network this one uses: the base's pinhole, unwhitened."""
        return replace(cell, whitening=NONE, pinhole_focal=self.base.pinhole_focal)

    def config(self, cell: Cell) -> Config:
        """
        Return the package's parameters of a cell.

        :raises InputError: for a value that its parameter does not take.
        """
        backbone, _, options = cell.backbone.partition(' ')
        nested = self.recipe.parameters.as_dict()
        cameras = nested.pop('camera')
        changes = {
            'backbone': backbone,
            'backbone_options': options,
            'weights': self.weights.get(backbone, 'random'),
            'pooling': cell.pooling,
            'fusion': cell.fusion,
            'pinhole_focal': cell.pinhole_focal,
        }
        flat = {f'camera.{name}.{key}': v for name, of in cameras.items() for key, v in of.items()}
        return make_config({**nested, **flat, **changes}, 'factors')

    def file_name(self, cell: Cell) -> str:
        """
        Name a cell's files.

        The name holds a hash of everything that its results depend on, except the drives' images.
        """
        weights = self.weights.get(cell.backbone.partition(' ')[0], 'random')
        read = sha256(Path(weights)) if Path(weights).is_file() else weights
        about = (
            *(cell, self.training_cell(cell), read),
            *(self.recipe.text, self.recipe.drives, self.recipe.validation),
        )
        words = '-'.join(map(str, astuple(cell)))
        digest = hashlib.sha256(repr(about).encode()).hexdigest()[:8]
        return f'{re.sub("[^A-Za-z0-9.-]+", "_", words)}-{digest}'


def read_grid(path: Path) -> Grid:
    """
    Read a grid. Its recipe and files of weights are relative to its folder.

    :raises InputError: for a wrong key or value; it says what was found and what was expected.
    """
    values = read_yaml(path)
    if not isinstance(values, dict) or not isinstance(values.get('recipe'), str):
        raise InputError(
            f'{path}: expected recipe and factors, such as in config/training/ablation.yaml'
        )
    if unknown := set(values) - set(KEYS):
        raise InputError(
            f'{path}: no key {", ".join(map(str, unknown))}; there are: {", ".join(KEYS)}'
        )
    full = values.get('full', False)
    if not isinstance(full, bool):
        raise InputError(f'{path}: full is {full!r}; expected true or false')
    recipe = read_recipe(path.parent / values['recipe'])
    factors = _factors(values.get('factors'), recipe.parameters, path)
    grid = Grid(recipe, factors, _weights(values.get('weights') or {}, factors, path), full)
    for cell in grid.cells:
        grid.config(cell)
    return grid


def _factors(found: Any, parameters: Config, path: Path) -> dict[str, tuple[Any, ...]]:
    """Return the values of each part; the recipe gives the value of a part that does not vary."""
    if not isinstance(found, dict) or not set(found) <= set(FACTORS):
        raise InputError(
            f'{path}: factors are {found!r}; expected lists under some of {", ".join(FACTORS)}'
        )
    spec = resolve_spec(parameters, None)
    if spec.extractor != 'timm':
        raise InputError(f'{path}: the recipe has the extractor {spec.extractor}; expected timm')
    backbone = f'{spec.backbone} {spec.backbone_options}'.strip()
    recipes = Cell(backbone, spec.pooling, spec.fusion, NONE, spec.pinhole_focal)
    factors = {name: _values(name, found.get(name, [v]), path) for name, v in _items(recipes)}
    if odd := set(factors['whitening']) - {NONE, ZCA}:
        raise InputError(f'{path}: whitening is {", ".join(map(str, odd))}; expected none or zca')
    return factors


def _items(cell: Cell) -> Sequence[tuple[str, Any]]:
    return list(asdict(cell).items())


def _values(name: str, found: Any, path: Path) -> tuple[Any, ...]:
    good = isinstance(found, list) and found and len(set(map(str, found))) == len(found)
    if not good or (name != 'pinhole_focal' and not all(isinstance(v, str) and v for v in found)):
        raise InputError(
            f'{path}: {name} is {found!r}; expected a list of different values, the base first'
        )
    return tuple(found)


def _weights(found: Any, factors: Mapping[str, Sequence[str]], path: Path) -> dict[str, str]:
    known = {backbone.partition(' ')[0] for backbone in factors['backbone']}
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
        raise InputError(f'{path}: weights are {found!r}; expected BACKBONE: FILE')
    if unknown := set(found) - known:
        raise InputError(
            f'{path}: weights of {", ".join(map(str, unknown))}; the grid has the backbones '
            f'{", ".join(sorted(known))}'
        )
    named = ('hub', 'random')
    return {name: v if v in named else str(path.parent / v) for name, v in found.items()}
