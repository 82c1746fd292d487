"""The spec of a descriptor: everything that made it, stored in every map and compared on load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from husky_placerec.config import Config
from husky_placerec.config.parameters import FUSED
from husky_placerec.descriptor.published.preset import DECIDED, Preset, PUBLISHED
from husky_placerec.descriptor.published.presets import preset_named, PRESETS
from husky_placerec.descriptor.shipped import SHIPPED, shipped_parameters
from husky_placerec.errors import InputError
from husky_placerec.schema import choice, integer, items, number, record, require, text

DEFAULT_EXTRACTOR = 'timm'  # of a configuration that names a backbone or weights
# Values of `weights` that name no file. The hub is timm's list of networks, whose files timm
# reads without unpickling them.
NO_FILES = ('', SHIPPED, PUBLISHED, 'hub', 'random')
# Mean and standard deviation of the channels, of images of 0 to 1.
NORMALIZATIONS = {
    'imagenet': ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    'half': ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}
# The fields of a spec that make a network, without its weights, and those of its input size.
NETWORK = ('backbone', 'backbone_options', 'normalization', 'pooling', 'head')
INPUT_SIZE = ('input_width', 'input_height')
# The fields of each extractor's spec that a configuration does not give.
DEFAULTS: dict[str, dict[str, Any]] = {
    'timm': {
        'backbone': 'convnext_tiny',
        'weights': 'hub',
        'normalization': 'imagenet',
        'pooling': 'gem',
        'input_width': 320,
        'input_height': 192,
    },
    'onnx': {},  # the spec is in the file
    'hub': {'normalization': 'imagenet', 'input_width': 320, 'input_height': 192},
    'hog': {'input_width': 320, 'input_height': 192},
    'pixels': {'input_width': 32, 'input_height': 24},
}

_NAMES = text(64, r'[A-Za-z]\w*')
SCHEMA = record(
    {
        'descriptor': record(
            {
                'cameras': items(_NAMES, least=1, most=16),
                'extractor': text(64),
                'backbone': text(255),
                'backbone_options': text(4096),
                'weights': text(),
                'weights_sha256': text(64),
                'normalization': choice('', *NORMALIZATIONS),
                'pooling': text(255),
                'head': integer(0, 65536),
                'fusion': choice('concat', *FUSED),
                'fused': items(_NAMES, most=16),
                'pinhole_focal': number(0, 100),
                'precision': text(64),
                'preprocessing': text(64),
                'input_width': integer(0, 4096),
                'input_height': integer(0, 4096),
                'size': integer(0, 1 << 20),
            }
        )
    }
)


@dataclass(frozen=True)
class DescriptorSpec:
    """
    Everything that a descriptor depends on.

    The runtime of a network is not part of it. A file that `placerec model export` wrote gives the
    same descriptors as the network itself up to the rounding of float32, which the export
    measures. The file has that network's spec, and a map that one of them built can be searched
    with the other. A runtime of lower precision has another `precision`, which a map of float32
    refuses.

    :param weights: source of the weights (a file, hub, random); only a hint, since
        `weights_sha256`, the hash of the loaded values, identifies them.
    :param cameras: names of a descriptor's rows; fusion by add or attention has a single row,
        `front_back`.
    :param fused: the cameras of that single row, in the order of the network; empty for `concat`.
    :param head: size of the projection head's output; 0 for no head.
    :param pinhole_focal: focal length of the virtual pinhole, in widths of the input; 0 for none.
    :param size: length D of a row.
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
        Make a spec from the values of `as_json`.

        :param source: the file, for the error.
        :raises InputError: for a missing or an unknown key, and for a value that no spec has.
        """
        names = {field.name for field in fields(cls)}
        if set(values) != names:
            odd = ', '.join(sorted(set(values) ^ names))
            raise InputError(f'{source}: descriptor has missing or unknown keys: {odd}')
        require({'descriptor': values}, SCHEMA, source)
        tuples = {name: tuple(values[name]) for name in ('cameras', 'fused')}
        return cls(**{**values, **tuples})

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON values, by name."""
        return {**asdict(self), 'cameras': list(self.cameras), 'fused': list(self.fused)}

    @property
    def sees(self) -> tuple[str, ...]:
        """Names of the cameras whose images make a descriptor."""
        return self.fused or self.cameras

    @property
    def limits(self) -> str:
        """A sentence on what descriptors of this fusion cannot do; empty for `concat`."""
        if self.fusion == 'concat':
            return ''
        return (
            f'fusion {self.fusion} cannot tell which way the robot faces, and one camera cannot '
            'be searched in a place that several cameras saw; fusion concat can do both'
        )

    def with_fused_rows(self) -> DescriptorSpec:
        """Return the spec of the fused descriptor, which has one row unless it is `concat`."""
        if self.fusion == 'concat':
            return self
        return replace(self, cameras=('_'.join(self.cameras),), fused=self.cameras)

    def require_size(self, width: int, height: int) -> None:
        """
        Check the input size of an extractor that has only one.

        :raises InputError: for another input size.
        """
        if (self.input_width, self.input_height) != (width, height):
            raise InputError(
                f'extractor {self.extractor}: input size is '
                f'{self.input_width}x{self.input_height}; expected {width}x{height}'
            )

    def differences(self, other: DescriptorSpec) -> list[tuple[str, Any, Any]]:
        """Return (name, own value, other's value) of each field that differs, but `weights`."""
        return [
            (field.name, getattr(self, field.name), getattr(other, field.name))
            for field in fields(self)
            if field.name != 'weights' and getattr(other, field.name) != getattr(self, field.name)
        ]

    def require_same(self, found: DescriptorSpec, source: str) -> None:
        """
        Check that a map has the descriptors of this spec.

        :param found: the spec of the map.
        :param source: the map, for the error.
        :raises InputError: for another spec; it names each difference.
        """
        differences = [
            f'{name} is {theirs!r}, the running model has {ours!r}'
            for name, ours, theirs in self.differences(found)
        ]
        if differences:
            raise InputError(f'{source}: made by another descriptor: {"; ".join(differences)}')


def resolve_spec(config: Config, stored: DescriptorSpec | None) -> DescriptorSpec:
    """
    Return the spec of the extractor to load.

    Each field comes from the configuration, else from the map, else from the defaults. Without a
    map, a configuration that names no model gets the shipped network, which needs no connection.

    :param stored: the spec in the map, if there is a map.
    :raises InputError: for an unknown extractor, and for a file of weights that only the map
        names, unless `trust_map` is set: the map may come from someone else.
    """
    cameras = tuple(config.cameras)
    if config.preset:
        return _preset_spec(config, stored)
    named = config.extractor or config.backbone or config.weights or stored
    shipped = config.weights == SHIPPED or not named
    default = 'onnx' if shipped else DEFAULT_EXTRACTOR  # the shipped network runs without torch
    extractor = config.extractor or (stored.extractor if stored else default)
    if extractor not in DEFAULTS:
        raise InputError(f'no extractor {extractor!r}; there are: {", ".join(DEFAULTS)}')
    if stored is not None and stored.extractor == extractor:
        base = stored
    else:
        network = extractor in ('timm', 'onnx')
        defaults = shipped_parameters() if shipped and network else DEFAULTS[extractor]
        base = DescriptorSpec(cameras, extractor, **defaults)
    spec = _as_given(base, config)
    network = spec.extractor in ('timm', 'onnx', 'hub')
    if network and spec.weights not in (config.weights, *NO_FILES) and not config.trust_map:
        raise InputError(
            f'weights: the map names the file {spec.weights!r}, which is not opened because a map '
            'may come from someone else; name a file that you trust (weights=FILE), or trust the '
            'map (--trust, or the parameter trust_map)'
        )
    return spec


def preset_of(spec: DescriptorSpec) -> Preset | None:
    """Return the published network of a spec; None for another network."""
    return PRESETS.get(spec.backbone) if spec.pooling == PUBLISHED else None


def _preset_spec(config: Config, stored: DescriptorSpec | None) -> DescriptorSpec:
    """
    Return the spec of a configuration that names a preset; a map of it decides what is left open.

    :raises InputError: for an unknown preset, and for a parameter that the preset decides.
    """
    name, preset = config.preset, preset_named(config.preset)
    if config.extractor not in ('', 'timm'):
        raise InputError(
            f'preset {name}: extractor is {config.extractor}; expected timm, or no preset: an '
            'exported file has its definition'
        )
    for field in DECIDED:
        if getattr(config, field):
            raise InputError(f'preset {name}: {field} is given; expected none: it decides that')
    if config.weights in ('hub', SHIPPED):
        raise InputError(
            f'preset {name}: weights is {config.weights}; expected a file, {PUBLISHED} or random'
        )
    base = DescriptorSpec(tuple(config.cameras), 'timm', **preset.fields(name))
    if stored is not None and (stored.backbone, stored.pooling) == (name, PUBLISHED):
        weights = stored.weights if stored.weights in NO_FILES or config.trust_map else ''
        base = replace(stored, weights=weights or PUBLISHED)
    spec = _as_given(base, config)
    preset.check_size(name, spec.input_width, spec.input_height)
    return spec


def _as_given(base: DescriptorSpec, config: Config) -> DescriptorSpec:
    """Return a spec with the values that the configuration gives."""
    asked = {field.name: getattr(config, field.name, None) for field in fields(DescriptorSpec)}
    given = {name: value for name, value in asked.items() if value and name != 'cameras'}
    if config.pinhole == 'off':
        given.setdefault('pinhole_focal', 0.0)
    return replace(base, cameras=tuple(config.cameras), fused=(), **given)
