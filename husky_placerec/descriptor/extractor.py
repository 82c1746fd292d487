"""From the images of a frame to its descriptor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
from husky_placerec.config import Config
from husky_placerec.descriptor.device import require_cpu
from husky_placerec.descriptor.fusion import added
from husky_placerec.descriptor.hog import HogExtractor
from husky_placerec.descriptor.pinhole import make_pinhole, VirtualPinhole
from husky_placerec.descriptor.pixels import PixelExtractor
from husky_placerec.descriptor.shipped import SHIPPED
from husky_placerec.descriptor.spec import DescriptorSpec, resolve
from husky_placerec.errors import InputError
from husky_placerec.types import FloatArray, Frame, Pixels
import numpy as np

Fusing = Callable[[FloatArray], FloatArray]  # [C, D], zeros for absent cameras, to [D]


class ImageExtractor(Protocol):
    """Describes images of one size; knows nothing of cameras."""

    spec: DescriptorSpec

    def describe(self, images: Sequence[Pixels]) -> FloatArray:
        """Describe [H, W, 3] RGB images of the input size as [B, D] L2-normalised vectors."""
        ...


@dataclass(frozen=True)
class Preparation:
    """
    Brings a camera's image to the input size: resized, or seen by the virtual pinhole.

    :param size: width and height.
    """

    size: tuple[int, int]
    pinhole: VirtualPinhole | None = None

    @classmethod
    def of(cls, spec: DescriptorSpec, config: Config) -> Preparation:
        """
        Make the preparation of a model's input.

        :raises InputError: for a virtual pinhole and a camera whose intrinsics are not known.
        """
        size = (spec.input_width, spec.input_height)
        return cls(size, make_pinhole(config, spec.pinhole_focal, size))

    def __call__(self, camera: str, image: Pixels) -> Pixels:
        if self.pinhole is not None:
            return self.pinhole.resample(camera, image)
        return resize(image, self.size)


WITHOUT_NETWORK: dict[str, Callable[[DescriptorSpec], ImageExtractor]] = {
    'hog': HogExtractor,
    'pixels': PixelExtractor,
}


class DescriptorExtractor:
    """
    Describes frames: a unit vector for each camera that is there, zeros for one that is not.

    With fusion by `add` or `attention` there is one vector for all that are there.
    """

    def __init__(
        self,
        images: ImageExtractor,
        prepare: Preparation,
        fuse: Fusing | None = None,
    ) -> None:
        self._images = images
        self._fuse = fuse
        self._prepare = prepare
        focal = prepare.pinhole.focal if prepare.pinhole else 0.0
        self.spec = replace(images.spec.with_fused_rows(), pinhole_focal=focal)

    def describe(self, frame: Frame[Pixels]) -> FloatArray:
        """
        Return the frame's descriptor, [C, D], or [1, D] where it is fused.

        :raises KeyError: for a camera that the extractor was not made for.
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
    """Resize to (width, height); areas are averaged, so that fine texture does not alias."""
    if (image.shape[1], image.shape[0]) == size:
        return image
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def load_extractor(config: Config, stored: DescriptorSpec | None = None) -> DescriptorExtractor:
    """
    Load the extractor that the configuration asks for.

    :param stored: the map's; fills what the configuration leaves open.
    :raises InputError: for a model or weights that cannot be loaded, or a missing device.
    """
    spec = resolve(config, stored)
    prepare = Preparation.of(spec, config)
    if spec.extractor in WITHOUT_NETWORK:
        require_cpu(config.device, spec.extractor)
        return DescriptorExtractor(WITHOUT_NETWORK[spec.extractor](spec), prepare)
    if _is_exported(spec, config):
        exported = _load_onnx(spec, config)
        prepare = Preparation.of(exported.spec, config)
        return DescriptorExtractor(exported, prepare, added if spec.fusion == 'add' else None)
    # Imported here: a robot that runs without a network needs no torch.
    try:
        from husky_placerec.descriptor.torch_extractor import TorchExtractor
    except ImportError as error:
        raise InputError(
            f'extractor timm: {error}; it needs torch and timm (pip install husky_placerec[timm])'
        ) from error
    images = TorchExtractor(spec, threads=config.threads, device=config.device)
    fusions: dict[str, Fusing | None] = {'concat': None, 'add': added, 'attention': images.fuse}
    return DescriptorExtractor(images, prepare, fusions[spec.fusion])


def describing_spec(config: Config) -> DescriptorSpec:
    """
    Say what a configuration describes by; of an exported network its file says it.

    :raises InputError: for an exported network that cannot be read.
    """
    spec = resolve(config, None)
    return _load_onnx(spec, config).spec if _is_exported(spec, config) else spec


def _is_exported(spec: DescriptorSpec, config: Config) -> bool:
    shipped = spec.weights == SHIPPED and config.extractor != 'timm'  # which asks for torch
    named = spec.extractor == 'timm' and (shipped or spec.weights.endswith('.onnx'))
    return spec.extractor == 'onnx' or named


def _load_onnx(spec: DescriptorSpec, config: Config) -> ImageExtractor:
    if spec.fusion == 'attention':
        raise InputError(f'{spec.weights}: fusion is attention, which is not exported')
    try:
        from husky_placerec.descriptor.onnx_extractor import OnnxExtractor
    except ImportError as error:
        raise InputError(
            f'extractor onnx: {error}; it needs ONNX Runtime (pip install husky_placerec[onnx])'
        ) from error
    return OnnxExtractor(spec, threads=config.threads, device=config.device)
