"""What made a descriptor: stored in every map and compared before anything is recognised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from husky_placerec.config import Config
from husky_placerec.descriptor.shipped import SHIPPED, shipped_parameters
from husky_placerec.errors import InputError

DEFAULT_EXTRACTOR = 'timm'
# What a network is made of, weights aside, and the size of its images.
NETWORK = ('backbone', 'backbone_options', 'normalization', 'pooling', 'head')
INPUT_SIZE = ('input_width', 'input_height')
# What each extractor is made with where nothing is said.
DEFAULTS: dict[str, dict[str, Any]] = {
    'timm': {
        'backbone': 'convnext_tiny',
        'weights': 'hub',
        'normalization': 'imagenet',
        'pooling': 'gem',
        'input_width': 320,
        'input_height': 192,
    },
    'onnx': {},  # the file says
    'hog': {'input_width': 320, 'input_height': 192},
    'pixels': {'input_width': 32, 'input_height': 24},
}


@dataclass(frozen=True)
class DescriptorSpec:
    """
    Everything that a descriptor depends on.

    What runs a network is not part of it: a file that `placerec model export` wrote describes as
    the network that it was made of, to float32's noise, which the export measures; so its spec is
    that network's, and a map that one made is searched with the other. A runtime of less precision
    says so in `precision`, and is refused by a map of float32.

    :param weights: where the weights came from (a file, hub, random); only a hint, since
        `weights_sha256`, the hash of the loaded values, tells what they are.
    :param cameras: the rows of a descriptor; a fused one has a single row, `front_back`.
    :param fused: the cameras behind that row, in the order of the network; empty for `concat`.
    :param head: numbers after the projection head; 0 without one.
    :param pinhole_focal: focal length of the virtual pinhole through which all cameras look, in
        widths of the input; 0 without one.
    :param size: numbers a row.
    """

    cameras: tuple[str, ...]
    extractor: str
    backbone: str = ''
    backbone_options: str = ''
    weights: str = ''
    weights_sha256: str = ''
    normalization: str = ''
    pooling: str = ''
    head: int = 0
    fusion: str = 'concat'
    fused: tuple[str, ...] = ()
    pinhole_focal: float = 0.0
    precision: str = 'float32'
    preprocessing: str = 'INTER_AREA'
    input_width: int = 0
    input_height: int = 0
    size: int = 0

    @classmethod
    def from_json(cls, values: Mapping[str, Any], source: str) -> DescriptorSpec:
        """
        Read what `as_json` made.

        :raises InputError: for a missing or an unknown key.
        """
        names = {field.name for field in fields(cls)}
        if set(values) != names:
            odd = ', '.join(sorted(set(values) ^ names))
            raise InputError(f'{source}: descriptor has missing or unknown keys: {odd}')
        tuples = {name: tuple(values[name]) for name in ('cameras', 'fused')}
        return cls(**{**values, **tuples})

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), 'cameras': list(self.cameras), 'fused': list(self.fused)}

    @property
    def sees(self) -> tuple[str, ...]:
        """The cameras whose images a descriptor is made of."""
        return self.fused or self.cameras

    @property
    def limits(self) -> str:
        """What descriptors of this kind cannot do, in words; empty for none."""
        if self.fusion == 'concat':
            return ''
        return (
            f'fusion {self.fusion} cannot tell which way the robot faces, nor be searched by one '
            'camera of a place that several saw; concat can'
        )

    def with_fused_rows(self) -> DescriptorSpec:
        """Return the spec of what is stored: one row where the fusion keeps no camera apart."""
        if self.fusion == 'concat':
            return self
        return replace(self, cameras=('_'.join(self.cameras),), fused=self.cameras)

    def require_size(self, width: int, height: int) -> None:
        """
        Refuse an input size other than the only one that an extractor has.

        :raises InputError: for another.
        """
        if (self.input_width, self.input_height) != (width, height):
            raise InputError(
                f'extractor {self.extractor}: input size is '
                f'{self.input_width}x{self.input_height}; expected {width}x{height}'
            )

    def differences(self, other: DescriptorSpec) -> list[tuple[str, Any, Any]]:
        """Return name, own and other value of all that makes the descriptors different."""
        return [
            (field.name, getattr(self, field.name), getattr(other, field.name))
            for field in fields(self)
            if field.name != 'weights' and getattr(other, field.name) != getattr(self, field.name)
        ]

    def require_same(self, found: DescriptorSpec, source: str) -> None:
        """
        Refuse a map that another descriptor made.

        :param found: the map's.
        :raises InputError: that names each difference.
        """
        differences = [
            f'{name} is {theirs!r}, the running model has {ours!r}'
            for name, ours, theirs in self.differences(found)
        ]
        if differences:
            raise InputError(f'{source}: made by another descriptor: {"; ".join(differences)}')


def resolve(config: Config, stored: DescriptorSpec | None) -> DescriptorSpec:
    """
    Say what to load: what the configuration asks for, else as the map, else the defaults.

    :raises InputError: for an extractor that there is not.
    """
    cameras = tuple(config.cameras)
    shipped = config.weights == SHIPPED
    usual = 'onnx' if shipped else DEFAULT_EXTRACTOR  # which needs no torch
    extractor = config.extractor or (stored.extractor if stored else usual)
    if extractor not in DEFAULTS:
        raise InputError(f'no extractor {extractor!r}; there are: {", ".join(DEFAULTS)}')
    if stored is not None and stored.extractor == extractor:
        base = stored
    else:
        made = shipped_parameters() if shipped else DEFAULTS[extractor]
        base = DescriptorSpec(cameras, extractor, **made)
    asked = {field.name: getattr(config, field.name, None) for field in fields(DescriptorSpec)}
    given = {name: value for name, value in asked.items() if value and name != 'cameras'}
    return replace(base, cameras=cameras, fused=(), **given)
