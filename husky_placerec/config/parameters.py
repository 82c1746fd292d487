"""The parameters of cameras, images and model, and the configuration of all parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, Field, field, fields, replace
from typing import Any

from husky_placerec.config.decisions import DecisionConfig
from husky_placerec.config.declaration import parameter
from husky_placerec.config.masks import MaskConfig
from husky_placerec.config.node import NodeConfig


@dataclass(frozen=True)
class CameraConfig:
    """The topic, the opposite and the intrinsics of one camera: parameters `camera.<name>.*`."""

    topic: str = parameter(
        '', "Topic of the images; a relative name is resolved in the node's namespace."
    )
    transport: str = parameter(
        'compressed',
        'Message type: compressed (CompressedImage) or raw (Image).',
        choices=('compressed', 'raw'),
    )
    info_topic: str = parameter(
        '',
        'Topic of the CameraInfo; empty: camera_info beside the images, as is usual in ROS. What '
        'it tells counts where the parameters below are not set.',
    )
    opposite: str = parameter(
        '',
        'Camera that looks the other way; empty: none. Where static TF or `mounting` tells how '
        'every camera looks, that counts instead (within 20 degrees).',
    )
    fx: float = parameter(
        0.0,
        'Horizontal focal length, for images of width x height; 0: unknown.',
        unit='px',
        least=0.0,
        most=1e5,
    )
    fy: float = parameter(
        0.0, 'Vertical focal length; 0: equal to fx.', unit='px', least=0.0, most=1e5
    )
    cx: float = parameter(
        0.0,
        'Distance of the principal point from the left edge; 0: half the width.',
        unit='px',
        least=0.0,
        most=1e5,
    )
    cy: float = parameter(
        0.0,
        'Distance of the principal point from the upper edge; 0: half the height.',
        unit='px',
        least=0.0,
        most=1e5,
    )
    width: int = parameter(
        0,
        'Width of the images to which the intrinsics belong; 0: unknown.',
        unit='px',
        least=0,
        most=65536,
    )
    height: int = parameter(
        0,
        'Height of the images to which the intrinsics belong; 0: unknown.',
        unit='px',
        least=0,
        most=65536,
    )
    distortion_model: str = parameter(
        '',
        'Model of the distortion, as in CameraInfo: plumb_bob, rational_polynomial or equidistant '
        '(a fisheye); empty: plumb_bob.',
        choices=('', 'plumb_bob', 'rational_polynomial', 'equidistant'),
    )
    distortion: str = parameter(
        '',
        'Coefficients of the distortion in the order of CameraInfo, separated by blanks; empty: '
        'none.',
    )
    mounting: str = parameter(
        '',
        'Pose of the optical frame (x right, y down, z ahead) in base_link: x y z in m and the '
        'quaternion qx qy qz qw, separated by blanks; empty: by static TF, or unknown.',
    )
    mask_topic: str = parameter(
        '',
        'Topic of the masks of the images, with their stamps: the number of a class in each '
        'pixel; empty: none.',
    )
    mask_transport: str = parameter(
        'raw',
        'Message type of the masks: raw (Image, mono8) or compressed (CompressedImage, PNG).',
        choices=('compressed', 'raw'),
    )
    ego_mask: str = parameter(
        '',
        'Where the robot itself is in the images: corners x,y in shares of width and height, '
        'separated by blanks, polygons by semicolons (0,0.9 1,0.9 1,1 0,1); or the file of a '
        'picture that is not black there; empty: nowhere. Counts where `masks` is true.',
    )


# The cameras of the Husky that recorded ITLP-Campus Outdoor.
HUSKY_CAMERAS = {
    'front': CameraConfig('zed_node/left/image_rect_color/compressed', opposite='back'),
    'back': CameraConfig('realsense_back/color/image_raw/compressed', opposite='front'),
    # Of robots with four; `cameras` names two by default.
    'left': CameraConfig('realsense_left/color/image_raw/compressed', opposite='right'),
    'right': CameraConfig('realsense_right/color/image_raw/compressed', opposite='left'),
}

FUSED = ('add', 'attention')  # fusions that give a single vector for all cameras


@dataclass(frozen=True)
class Config(NodeConfig, DecisionConfig, MaskConfig):
    """
    All parameters; those of each camera are in `camera`, by its name.

    `allow_outside` lets the images of a table be outside of its folder.

    >>> Config().cameras
    ['front', 'back']
    """

    map: str = parameter('', 'Folder of the place map.')
    cameras: list[str] = parameter(
        ['front', 'back'], 'Names of the cameras, in the order of concatenation.'
    )
    slop: float = parameter(
        0.05,
        "Largest difference between the stamps of a frame's images.",
        unit='s',
        least=0.0,
        most=1.0,
    )
    silence: float = parameter(
        0.5,
        'Time without an image after which a camera counts as lost, and frames go on without it.',
        unit='s',
        least=0.05,
        most=60.0,
    )
    queue_size: int = parameter(
        30, 'Largest number of images per camera that wait for partners.', least=2, most=1000
    )
    max_pixels: int = parameter(
        50_000_000,
        'Largest number of pixels (width * height) of an image; a larger one is not decoded and '
        'counts as broken.',
        unit='px',
        least=1,
        most=1_000_000_000,
    )

    extractor: str = parameter(
        '',
        'Method that describes an image: timm (a network on PyTorch), onnx (an exported network), '
        'hub (an entry point of a local folder with hubconf.py, whose code runs), hog (no '
        'training) or pixels (a baseline); empty: as in the map.',
        choices=('', 'timm', 'onnx', 'hub', 'hog', 'pixels'),
    )
    preset: str = parameter(
        '',
        'Name of a published network for place recognition, such as eigenplaces50 or megaloc; '
        '`placerec model list` shows them. It decides backbone, pooling and normalization; empty: '
        'as in the map.',
    )
    backbone: str = parameter(
        '',
        'Name of the network, a model of timm or of this package, or the entry point of a hub '
        'folder; empty: as in the map.',
    )
    backbone_options: str = parameter(
        '',
        'Options of the backbone, NAME=VALUE, separated by blanks; stages=N keeps only its first '
        'N stages; other names are those of timm that change the layers, such as img_size; empty: '
        'as in the map.',
    )
    weights: str = parameter(
        '',
        'Weights of the network or of its backbone: a file (ONNX Runtime runs an .onnx), or the '
        'folder of extractor hub; shipped '
        '(the small network of the package; ONNX Runtime runs it by default), hub (downloaded '
        'once), published (those of the preset, downloaded once) or random; empty: as in the map.',
    )
    trust_map: bool = parameter(
        False,
        'Where `weights` is empty, open the file of weights that the map names. Only for maps '
        'that you made or whose maker you trust.',
    )
    normalization: str = parameter(
        '',
        'Mean and standard deviation of the RGB input: imagenet, or half (0.5 and 0.5); empty: as '
        'in the map.',
        choices=('', 'imagenet', 'half'),
    )
    pooling: str = parameter(
        '',
        'Pooling of the feature map: average, gem, gem:ROWSxCOLUMNS, netvlad[:CLUSTERS], '
        'mixvpr[:ROWS] or salad[:CLUSTERS]; empty: as in the map.',
    )
    head: int = parameter(
        0,
        'Output size of a projection head with batch normalisation; 0: as in the map, or no head.',
        least=0,
        most=65536,
    )
    fusion: str = parameter(
        '',
        'Fusion of the vectors of the cameras: concat, add or attention; add and attention cannot '
        'tell the direction; empty: as in the map.',
        choices=('', 'add', 'attention', 'concat'),
    )
    input_width: int = parameter(
        0,
        'Width to which an image is resized before it is described; 0: as in the map.',
        unit='px',
        least=0,
        most=4096,
    )
    input_height: int = parameter(
        0,
        'Height to which an image is resized before it is described; 0: as in the map.',
        unit='px',
        least=0,
        most=4096,
    )
    pinhole: str = parameter(
        'auto',
        'Whether the images of all cameras are resampled to one virtual pinhole camera: auto (as '
        'in the map; for a new map where the intrinsics are known and the views differ) or off.',
        choices=('auto', 'off'),
    )
    pinhole_focal: float = parameter(
        0.0,
        'Focal length of the virtual pinhole camera to which the images of all cameras are '
        'resampled; 0.5 is a field of view of 90 degrees; needs the intrinsics of all cameras; '
        '0: as `pinhole` says.',
        unit='image widths',
        least=0.0,
        most=100.0,
    )
    centring: str = parameter(
        'auto',
        'Whether a new map compares descriptors by how they differ from the mean of their '
        'session: on, off, or auto (on where most of a descriptor is common to its whole track).',
        choices=('auto', 'on', 'off'),
    )
    local: bool = parameter(
        False,
        'Give a new map local descriptors, by which candidates are ranked again and wrong places '
        'are told from right ones.',
    )
    local_weights: str = parameter(
        '',
        'Network of the local descriptors: shipped, or a file that `placerec model local` wrote; '
        'empty: as in the map.',
    )
    texts: str = parameter(
        'off',
        'Texts of signs in maps and frames: off, labels (those that a track lists, as they are '
        'written there) or ocr (read by tesseract, where a track has boxes of texts or '
        '`text_detector` finds any).',
        choices=('off', 'labels', 'ocr'),
    )
    text_encoder: str = parameter(
        'ngrams',
        'What compares texts: ngrams (of letters; finds misread words), e5 (multilingual E5 '
        'small), or the folder of a sentence-transformers model.',
    )
    text_detector: str = parameter(
        '',
        'ONNX file of a text detector of PaddleOCR, such as PP-OCRv6_det_small.onnx, which finds '
        'signs where no boxes of texts are known; empty: none.',
    )
    landmarks: bool = parameter(
        False,
        'Give a new map landmarks, from which poses come in centimetres; it needs the intrinsics '
        'and the mounting of each camera.',
    )
    key_points: str = parameter(
        '',
        'Network of the key points of landmarks: shipped (XFeat), sift (RootSIFT, without a '
        'network), or an ONNX file as benchmarks/xfeat.py writes it; empty: as in the map.',
    )
    key_point_width: int = parameter(
        0,
        'Width to which a wider image is resized before its key points are found; 0: as in the '
        'map, or 640.',
        unit='px',
        least=0,
        most=4096,
        zero_or=64,
    )
    threads: int = parameter(
        2, 'Number of CPU threads that the extractor may use.', least=1, most=256
    )
    device: str = parameter(
        'cpu',
        'Device that runs the network; a missing GPU is an error. A map that was built on one '
        'device can be used on the other.',
        choices=('cpu', 'cuda'),
    )
    runtime: str = parameter(
        'auto',
        'Program that runs the network: torch (of extractor timm), onnxruntime, tensorrt (ONNX '
        'Runtime with TensorRT, of device cuda) or openvino; auto: torch for extractor timm, and '
        'for an exported network the fastest that is installed, by a short measurement that is '
        "kept in the user's cache.",
        choices=('auto', 'torch', 'onnxruntime', 'tensorrt', 'openvino'),
    )
    precision: str = parameter(
        '',
        'Precision of the network: float32, bfloat16, or auto (the fastest whose descriptors '
        'agree with those of float32); empty: float32. A file that was quantised runs in int8. A '
        'map takes another precision only if the descriptors of its probes agree.',
        choices=('', 'auto', 'float32', 'bfloat16'),
    )
    torch_compile: bool = parameter(
        False,
        'Compile a network of extractor timm when it is loaded, which takes a minute and a C++ '
        'compiler, and makes it faster.',
    )
    camera: Mapping[str, CameraConfig] = field(default_factory=lambda: dict(HUSKY_CAMERAS))
    # No parameter: only the user gives it, with --allow-outside, and no file from elsewhere.
    allow_outside: bool = False

    def camera_config(self, name: str) -> CameraConfig:
        """Return the parameters of a camera; the defaults for a camera that has none."""
        return self.camera.get(name, CameraConfig())

    def as_dict(self) -> dict[str, Any]:
        """Return all parameters, nested as in the YAML file."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.metadata}
        cameras = {name: vars(self.camera_config(name)).copy() for name in self.cameras}
        return {**values, 'camera': cameras}


def declarations(cameras: Sequence[str]) -> Iterator[tuple[str, Field[Any], Any]]:
    """Yield the name, the dataclass field and the default of every parameter for some cameras."""
    defaults = Config()
    for declared in fields(Config):
        if declared.metadata:
            yield declared.name, declared, getattr(defaults, declared.name)
    for name in cameras:
        camera = defaults.camera_config(name)
        if camera.opposite not in cameras:
            camera = replace(camera, opposite='')
        for declared in fields(CameraConfig):
            yield f'camera.{name}.{declared.name}', declared, getattr(camera, declared.name)
