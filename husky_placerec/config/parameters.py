"""The parameters themselves: default, unit, range and meaning of each, declared once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, Field, field, fields, replace
from typing import Any

from husky_placerec.config.decisions import DecisionConfig
from husky_placerec.config.declaration import parameter
from husky_placerec.config.node import NodeConfig


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
        0.0,
        'Focal length across, for width x height; 0: not known.',
        unit='px',
        least=0.0,
        most=1e5,
    )
    fy: float = parameter(0.0, 'Focal length down; 0: as fx.', unit='px', least=0.0, most=1e5)
    cx: float = parameter(
        0.0,
        'Principal point from the left edge; 0: the middle.',
        unit='px',
        least=0.0,
        most=1e5,
    )
    cy: float = parameter(
        0.0,
        'Principal point from the upper edge; 0: the middle.',
        unit='px',
        least=0.0,
        most=1e5,
    )
    width: int = parameter(
        0,
        'Width of the images that fx is told for; 0: not known.',
        unit='px',
        least=0,
        most=65536,
    )
    height: int = parameter(
        0,
        'Height of the images that fy is told for; 0: not known.',
        unit='px',
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
class Config(NodeConfig, DecisionConfig):
    """
    All parameters; those of each camera are in `camera`, by its name.

    >>> Config().cameras
    ['front', 'back']
    """

    map: str = parameter('', 'Folder of the place map.')
    cameras: list[str] = parameter(
        ['front', 'back'], 'Names of the cameras, in the order of their descriptors.'
    )
    slop: float = parameter(
        0.05,
        "Largest distance between the stamps of a frame's images.",
        unit='s',
        least=0.0,
        most=1.0,
    )
    silence: float = parameter(
        0.5,
        'A camera that is silent this long is done without.',
        unit='s',
        least=0.05,
        most=60.0,
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
        '',
        'Options of that timm model, NAME=VALUE, separated by blanks; stages=N keeps its first N '
        'stages only; empty: as the map.',
    )
    weights: str = parameter(
        '',
        'Weights of the network or its backbone: a file (.onnx: ONNX Runtime runs it), shipped '
        '(the small network of the package, by ONNX Runtime), hub (fetched once) or random; '
        'empty: as the map.',
    )
    normalization: str = parameter(
        '',
        'Mean and deviation of the RGB input: imagenet, or half (0.5 and 0.5); empty: as the map.',
        choices=('', 'imagenet', 'half'),
    )
    pooling: str = parameter(
        '',
        'Pooling of the feature map: average, gem, gem:ROWSxCOLUMNS, netvlad[:CLUSTERS], '
        'mixvpr[:ROWS] or salad[:CLUSTERS]; empty: as the map.',
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
        0,
        'Width at which images are described; 0: as the map.',
        unit='px',
        least=0,
        most=4096,
    )
    input_height: int = parameter(
        0,
        'Height at which images are described; 0: as the map.',
        unit='px',
        least=0,
        most=4096,
    )
    pinhole_focal: float = parameter(
        0.0,
        'Focal length (0.5 sees 90 degrees) of one virtual pinhole to '
        'which all cameras are resampled; needs their intrinsics; 0: as the map, else none.',
        unit='image widths',
        least=0.0,
        most=100.0,
    )
    threads: int = parameter(2, 'CPU threads that the extractor may use.', least=1, most=256)
    device: str = parameter(
        'cpu',
        'What runs the network: cpu or cuda, which then has to be there; a map that one made '
        'serves on the other.',
        choices=('cpu', 'cuda'),
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
