"""Describe frames: prepare each camera's image, describe it, and fuse the cameras' vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
from husky_placerec.config import Config
from husky_placerec.descriptor.device import require_cpu
from husky_placerec.descriptor.fusion import fuse_by_sum
from husky_placerec.descriptor.hog import HogExtractor
from husky_placerec.descriptor.pinhole import make_pinhole, VirtualPinhole
from husky_placerec.descriptor.pixels import PixelExtractor
from husky_placerec.descriptor.shipped import SHIPPED
from husky_placerec.descriptor.spec import DescriptorSpec, resolve_spec
from husky_placerec.errors import InputError
from husky_placerec.types import FloatArray, Frame, Pixels
import numpy as np

Fusion = Callable[[FloatArray], FloatArray]  # from [C, D], zeros for absent cameras, to [D]


class ImageExtractor(Protocol):
    """Describes single images of one size, whichever camera took them."""

    spec: DescriptorSpec

    def describe(self, images: Sequence[Pixels]) -> FloatArray:
        """Describe [H, W, 3] RGB images of the input size as [B, D] L2-normalised vectors."""
        ...


@dataclass(frozen=True)
class Preparation:
    """
    Brings a camera's image to the input size, through the virtual pinhole where there is one.

    :param size: width and height in pixels.
    """

    size: tuple[int, int]
    pinhole: VirtualPinhole | None = None

    @classmethod
    def of(cls, spec: DescriptorSpec, config: Config) -> Preparation:
        """
        Make the preparation that a descriptor's spec and the cameras' intrinsics require.

        :raises InputError: for a virtual pinhole and a camera of unknown intrinsics.
        """
        size = (spec.input_width, spec.input_height)
        return cls(size, make_pinhole(config, spec.pinhole_focal, size))

    def __call__(self, camera: str, image: Pixels) -> Pixels:
        """Return the image at the input size."""
        if self.pinhole is not None:
            return self.pinhole.resample(camera, image)
        return resize(image, self.size)


WITHOUT_NETWORK: dict[str, Callable[[DescriptorSpec], ImageExtractor]] = {
    'hog': HogExtractor,
    'pixels': PixelExtractor,
}


class DescriptorExtractor:
    """
    Describes frames: a unit vector for each camera that is present, zeros for an absent one.

    Fusion by `add` or `attention` gives a single vector for all cameras that are present.

    :param images: describes the prepared images.
    :param prepare: brings each camera's image to the input size.
    :param fuse: fuses the cameras' vectors; None for fusion by `concat`, which keeps them apart.
    """

    def __init__(
        self,
        images: ImageExtractor,
        prepare: Preparation,
        fuse: Fusion | None = None,
    ) -> None:
        self._images = images
        self._fuse = fuse
        self._prepare = prepare
        focal = prepare.pinhole.focal if prepare.pinhole else 0.0
        self.spec = replace(images.spec.with_fused_rows(), pinhole_focal=focal)

    def describe(self, frame: Frame[Pixels]) -> FloatArray:
        """
        Return the frame's descriptor, [C, D], or [1, D] with fusion by `add` or `attention`.

        :raises KeyError: for a camera that is not in the spec.
        """
        spec = self.spec
        descriptor = np.zeros((len(spec.sees), spec.size), np.float32)
        if frame.images:
            row = {name: i for i, name in enumerate(spec.sees)}
            rows = [row[name] for name in frame.images]
            images = [self._prepare(camera, image) for camera, image in frame.images.items()]
            descriptor[rows] = self._images.describe(images)
        return descriptor if self._fuse is None else self._fuse(descriptor)[None]


def resize(image: Pixels, size: tuple[int, int]) -> Pixels:
    """Resize to (width, height); the average over areas keeps fine texture from aliasing."""
    if (image.shape[1], image.shape[0]) == size:
        return image
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def load_extractor(config: Config, stored: DescriptorSpec | None = None) -> DescriptorExtractor:
    """
    Load the extractor that the configuration asks for.

    :param stored: the spec in the map; it decides what the configuration leaves open.
    :raises InputError: for a model or weights that cannot be loaded, and a missing device.
    """
    spec = resolve_spec(config, stored)
    prepare = Preparation.of(spec, config)
    if spec.extractor in WITHOUT_NETWORK:
        require_cpu(config.device, spec.extractor)
        return DescriptorExtractor(WITHOUT_NETWORK[spec.extractor](spec), prepare)
    if _is_exported(spec, config):
        exported = _load_onnx(spec, config)
        prepare = Preparation.of(exported.spec, config)
        fuse = fuse_by_sum if spec.fusion == 'add' else None
        return DescriptorExtractor(exported, prepare, fuse)
    # Imported here because a robot that runs an exported network has no torch.
    try:
        from husky_placerec.descriptor.torch_extractor import TorchExtractor
    except ImportError as error:
        raise InputError(
            f'extractor timm: {error}; it needs torch and timm (pip install husky_placerec[timm])'
        ) from error
    images = TorchExtractor(spec, threads=config.threads, device=config.device)
    fusions: dict[str, Fusion | None] = {
        'concat': None,
        'add': fuse_by_sum,
        'attention': images.fuse,
    }
    return DescriptorExtractor(images, prepare, fusions[spec.fusion])


def load_spec(config: Config) -> DescriptorSpec:
    """
    Return the spec of a configuration's extractor; an exported network's is in its file.

    :raises InputError: for an exported network that cannot be read.
    """
    spec = resolve_spec(config, None)
    return _load_onnx(spec, config).spec if _is_exported(spec, config) else spec


def _is_exported(spec: DescriptorSpec, config: Config) -> bool:
    # The shipped network exists as ONNX and for torch; only `extractor: timm` asks for torch.
    shipped = spec.weights == SHIPPED and config.extractor != 'timm'
    named = spec.extractor == 'timm' and (shipped or spec.weights.endswith('.onnx'))
    return spec.extractor == 'onnx' or named


def _load_onnx(spec: DescriptorSpec, config: Config) -> ImageExtractor:
    if spec.fusion == 'attention':
        raise InputError(
            f'{spec.weights}: fusion is attention, which an exported network does not have; '
            'expected concat or add'
        )
    try:
        from husky_placerec.descriptor.onnx_extractor import OnnxExtractor
    except ImportError as error:
        raise InputError(
            f'extractor onnx: {error}; it needs ONNX Runtime (pip install husky_placerec[onnx])'
        ) from error
    return OnnxExtractor(spec, threads=config.threads, device=config.device)
