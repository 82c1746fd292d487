"""
Every parameter of the package, declared once: default, unit, range and meaning.

The ROS node declares its parameters from these dataclasses, the command line reads the same YAML
file and `--set NAME=VALUE`, and every result is stored with the configuration that made it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, Field, field, fields, replace
from pathlib import Path
import re
from typing import Any

from husky_placerec.errors import InputError
import yaml


def parameter(
    default: Any,
    description: str,
    *,
    least: float | None = None,
    most: float | None = None,
    choices: Sequence[str] = (),
) -> Any:
    """Declare a parameter; its type is that of the default."""
    about = {'description': description, 'least': least, 'most': most, 'choices': tuple(choices)}
    if isinstance(default, list):
        return field(default_factory=lambda: list(default), metadata=about)
    return field(default=default, metadata=about)


@dataclass(frozen=True)
class CameraConfig:
    """Where the images of one camera come from; the parameters `camera.<name>.*`."""

    topic: str = parameter('', "Topic of the images; relative names follow the node's namespace.")
    transport: str = parameter(
        'compressed',
        'Message type: compressed (CompressedImage) or raw (Image).',
        choices=('compressed', 'raw'),
    )
    opposite: str = parameter('', 'Camera that looks the other way; empty if there is none.')
    fx: float = parameter(
        0.0, 'Focal length across, in px of width x height; 0: not known.', least=0.0, most=1e5
    )
    fy: float = parameter(0.0, 'Focal length down, in px; 0: as fx.', least=0.0, most=1e5)
    cx: float = parameter(
        0.0, 'Principal point from the left edge, in px; 0: the middle.', least=0.0, most=1e5
    )
    cy: float = parameter(
        0.0, 'Principal point from the upper edge, in px; 0: the middle.', least=0.0, most=1e5
    )
    width: int = parameter(
        0,
        'Width in px of the images that fx is told for; 0: not known.',
        least=0,
        most=65536,
    )
    height: int = parameter(
        0,
        'Height in px of the images that fy is told for; 0: not known.',
        least=0,
        most=65536,
    )


# The cameras of the Husky that recorded ITLP-Campus Outdoor.
HUSKY_CAMERAS = {
    'front': CameraConfig('zed_node/left/image_rect_color/compressed', opposite='back'),
    'back': CameraConfig('realsense_back/color/image_raw/compressed', opposite='front'),
}

FUSED = ('add', 'attention')  # fusions that make one vector of all cameras


@dataclass(frozen=True)
class Config:
    """All parameters; those of each camera are in `camera`, by its name."""

    map: str = parameter('', 'Folder of the place map.')
    cameras: list[str] = parameter(
        ['front', 'back'], 'Names of the cameras, in the order of their descriptors.'
    )
    slop: float = parameter(
        0.05, "Largest distance between the stamps of a frame's images, in s.", least=0.0, most=1.0
    )
    silence: float = parameter(
        0.5, 'A camera that is silent this long is done without, in s.', least=0.05, most=60.0
    )
    queue_size: int = parameter(30, 'Images a camera that wait for partners.', least=2, most=1000)

    extractor: str = parameter(
        '',
        'What describes an image: timm (a network on PyTorch), onnx (an exported network), hog '
        '(no training) or pixels (a baseline); empty: as the map.',
        choices=('', 'timm', 'onnx', 'hog', 'pixels'),
    )
    backbone: str = parameter('', 'Name of a timm model; empty: as the map.')
    backbone_options: str = parameter(
        '', 'Options of that timm model, NAME=VALUE, separated by blanks; empty: as the map.'
    )
    weights: str = parameter(
        '',
        'Weights of the network or its backbone: a file (.onnx: ONNX Runtime runs it), hub '
        '(fetched once) or random; empty: as the map.',
    )
    normalization: str = parameter(
        '',
        'Mean and deviation of the RGB input: imagenet, or half (0.5 and 0.5); empty: as the map.',
        choices=('', 'imagenet', 'half'),
    )
    pooling: str = parameter(
        '',
        'Pooling of the feature map: average, gem, gem:ROWSxCOLUMNS, netvlad[:CLUSTERS] or '
        'mixvpr[:ROWS]; empty: as the map.',
    )
    head: int = parameter(
        0,
        'Numbers to which a head with batch normalisation projects; 0: as the map, else no head.',
        least=0,
        most=65536,
    )
    fusion: str = parameter(
        '',
        'How the vectors of the cameras become a descriptor of a network: concat, or add or '
        'attention, which cannot tell the direction; empty: as the map.',
        choices=('', 'add', 'attention', 'concat'),
    )
    input_width: int = parameter(
        0, 'Width in pixels at which images are described; 0: as the map.', least=0, most=4096
    )
    input_height: int = parameter(
        0, 'Height in pixels at which images are described; 0: as the map.', least=0, most=4096
    )
    pinhole_focal: float = parameter(
        0.0,
        'Focal length, in widths of its image (0.5 sees 90 degrees), of one virtual pinhole to '
        'which all cameras are resampled; needs their intrinsics; 0: as the map, else none.',
        least=0.0,
        most=100.0,
    )
    threads: int = parameter(2, 'CPU threads that the extractor may use.', least=1, most=256)

    candidates: int = parameter(10, 'Places that a search returns.', least=1, most=1000)
    min_similarity: float = parameter(
        0.8, 'Least similarity at which a place counts as recognised.', least=-1.0, most=1.0
    )
    min_margin: float = parameter(
        0.0,
        'By how much the best place has to be more similar than any elsewhere or faced the other '
        'way.',
        least=0.0,
        most=2.0,
    )
    elsewhere: float = parameter(
        20.0, 'Distance from which a place counts as elsewhere, in m.', least=0.0, most=1000.0
    )
    search_reversed: bool = parameter(
        True, 'Also recognise places that are passed in the other direction.'
    )
    check_images: bool = parameter(
        True, 'Do without a camera whose image is black, saturated, covered or blurred.'
    )
    min_probability: float = parameter(
        0.98,
        'Probability from which a single frame of a calibrated map is accepted.',
        least=0.5,
        most=1.0,
    )
    contradiction: float = parameter(
        2.0,
        'A frame that speaks this much against the pose of the sequence gives none, as the '
        'natural logarithm of a likelihood ratio.',
        least=0.0,
        most=100.0,
    )
    sequence: bool = parameter(
        True, 'Decide by the frames until now together, where the map is calibrated.'
    )
    localized_from: float = parameter(
        0.99, 'Probability from which the sequence is LOCALIZED.', least=0.5, most=1.0
    )
    lost_below: float = parameter(
        0.9, 'Probability below which it no longer is.', least=0.0, most=1.0
    )
    evidence_every: float = parameter(
        3.0,
        'Distance in m whose frames count as one; of a robot that stands none counts.',
        least=0.1,
        most=100.0,
    )
    leave_after: float = parameter(
        300.0,
        'Distance in m after which the robot has usually left the map, or come back to it.',
        least=1.0,
        most=1e6,
    )
    jump_after: float = parameter(
        3000.0,
        'Distance in m after which it has usually been carried elsewhere.',
        least=1.0,
        most=1e6,
    )
    usual_speed: float = parameter(
        1.0, 'Speed in m/s where there is no odometry.', least=0.01, most=50.0
    )
    recognitions_file: str = parameter(
        '', 'File to which the node appends each recognition as a line of JSON; empty: none.'
    )
    camera: Mapping[str, CameraConfig] = field(default_factory=lambda: dict(HUSKY_CAMERAS))

    def camera_config(self, name: str) -> CameraConfig:
        return self.camera.get(name, CameraConfig())

    def as_dict(self) -> dict[str, Any]:
        """Return all parameters, nested as in the YAML file."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name != 'camera'}
        cameras = {name: vars(self.camera_config(name)).copy() for name in self.cameras}
        return {**values, 'camera': cameras}


def declarations(cameras: Sequence[str]) -> Iterator[tuple[str, Field[Any], Any]]:
    """Yield the name, the declaration and the default of every parameter for these cameras."""
    defaults = Config()
    for declared in fields(Config):
        if declared.name != 'camera':
            yield declared.name, declared, getattr(defaults, declared.name)
    for name in cameras:
        camera = defaults.camera_config(name)
        if camera.opposite not in cameras:
            camera = replace(camera, opposite='')
        for declared in fields(CameraConfig):
            yield f'camera.{name}.{declared.name}', declared, getattr(camera, declared.name)


def make_config(values: Mapping[str, Any], source: str = 'parameters') -> Config:
    """
    Make a configuration of flat values, such as `{'camera.front.topic': 'zed/left'}`.

    :param source: where the values come from, for the messages.
    :raises InputError: for an unknown name, a wrong type, or a value out of range.
    """
    names = values.get('cameras', Config().cameras)
    if not isinstance(names, list) or not names or not _are_names(names):
        raise InputError(
            f'{source}: cameras is {names!r}; expected a list of different names, '
            'of letters, digits and underscores'
        )
    known = {name: (declared, default) for name, declared, default in declarations(names)}
    for name in values:
        if name not in known:
            raise InputError(f'{source}: no parameter {name}; there are: {", ".join(known)}')
    checked = {
        name: check_value(name, values.get(name, default), declared, default, source)
        for name, (declared, default) in known.items()
    }
    if checked['fusion'] in FUSED:  # its descriptors keep no camera apart that could be exchanged
        checked.update({f'camera.{name}.opposite': '' for name in names})
    flat = {name: value for name, value in checked.items() if '.' not in name}
    cameras = {
        name: CameraConfig(
            **{f.name: checked[f'camera.{name}.{f.name}'] for f in fields(CameraConfig)}
        )
        for name in names
    }
    _check_opposites(cameras, source)
    return Config(**flat, camera=cameras)


def read_config(
    path: Path | None, settings: Sequence[str] = (), cameras: Sequence[str] = ()
) -> Config:
    """
    Read a ROS parameter file, then apply settings of the form NAME=VALUE (VALUE is YAML).

    :param cameras: those of the map, which count where nothing else is said.
    :raises InputError: for a file that cannot be read, and as `make_config`.
    """
    values: dict[str, Any] = {'cameras': list(cameras)} if cameras else {}
    values.update(_read_yaml(path) if path is not None else {})
    for setting in settings:
        name, equals, value = setting.partition('=')
        if not equals:
            raise InputError(f'--set {setting}: expected NAME=VALUE')
        try:
            values[name.strip()] = yaml.safe_load(value) if value else ''
        except yaml.YAMLError as error:
            raise InputError(f'--set {setting}: the value is not YAML ({error})') from error
    return make_config(values, str(path) if path is not None and not settings else 'parameters')


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding='utf-8')) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f'{path}: cannot be read as YAML ({error})') from error
    sections = document.values() if isinstance(document, dict) else ()
    found = [
        s['ros__parameters'] for s in sections if isinstance(s, dict) and 'ros__parameters' in s
    ]
    if len(found) == 1:
        document = found[0]
    if not isinstance(document, dict):
        raise InputError(
            f'{path}: expected parameters under ros__parameters, as in config/husky.yaml'
        )
    return dict(_flatten(document))


def _flatten(tree: Mapping[str, Any], prefix: str = '') -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f'{prefix}{name}.')
        else:
            yield f'{prefix}{name}', value


def _are_names(names: list[Any]) -> bool:
    """Say whether all may be part of a parameter's name, and none is there twice."""
    good = all(isinstance(name, str) and re.fullmatch(r'[A-Za-z]\w*', name) for name in names)
    return good and len(set(names)) == len(names)


def check_value(name: str, value: Any, declared: Field[Any], default: Any, source: str) -> Any:
    """Return the value in the type of its default, or say what is wrong with it."""
    expected = type(default)
    if expected is float and type(value) is int:
        value = float(value)
    if type(value) is not expected:
        raise InputError(f'{source}: {name} is {value!r}; expected {expected.__name__}')
    about = declared.metadata
    if about['choices'] and value not in about['choices']:
        choices = ', '.join(choice or "''" for choice in about['choices'])
        raise InputError(f'{source}: {name} is {value!r}; expected one of {choices}')
    if about['least'] is not None and not about['least'] <= value <= about['most']:
        bounds = f'{about["least"]} to {about["most"]}'
        raise InputError(f'{source}: {name} is {value!r}; expected {bounds}')
    return value


def _check_opposites(cameras: Mapping[str, CameraConfig], source: str) -> None:
    for name, camera in cameras.items():
        other = camera.opposite
        if other and (other == name or other not in cameras or cameras[other].opposite != name):
            raise InputError(
                f'{source}: camera.{name}.opposite is {other!r}; '
                f'expected another of {", ".join(cameras)} that names {name} in turn, or nothing'
            )
