"""Describe frames: prepare each camera's image, describe it, and fuse the cameras' vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Protocol, runtime_checkable

from husky_placerec.config import Config
from husky_placerec.descriptor.agreement import MOST_ERROR, Probes
from husky_placerec.descriptor.device import require_cpu
from husky_placerec.descriptor.exported import ExportedExtractor
from husky_placerec.descriptor.fusion import fuse_by_sum
from husky_placerec.descriptor.hog import HogExtractor
from husky_placerec.descriptor.masking import Masking, Shares
from husky_placerec.descriptor.pixels import PixelExtractor
from husky_placerec.descriptor.preparation import Cameras, choose_for, Preparation
from husky_placerec.descriptor.projection import Projection
from husky_placerec.descriptor.runtimes.model_file import ModelFile
from husky_placerec.descriptor.runtimes.runtime import BFLOAT16, TORCH
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


@runtime_checkable
class MaskedExtractor(Protocol):
    """An extractor whose pooling can weigh the pixels of an image."""

    spec: DescriptorSpec

    @property
    def takes_masks(self) -> bool:
        """Whether it can."""

    def describe(
        self, images: Sequence[Pixels], masks: Sequence[FloatArray] | None = None
    ) -> FloatArray:
        """Describe images; `masks` has the weight of each pixel, [H, W] for each image."""
        ...


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
    :param view: how the common view was chosen, in words; empty: by the map, or by parameters.
    :param projection: makes the descriptors smaller, as in a map; None: none.
    :param precision: that of the map with whose descriptors these agree; empty: the own one.
    :ivar masking: makes weights of the frames' masks; None: masks are not used.
    """

    def __init__(
        self,
        images: ImageExtractor,
        prepare: Preparation,
        fuse: Fusion | None = None,
        view: str = '',
        projection: Projection | None = None,
        precision: str = '',
    ) -> None:
        self._images = images
        self.masking: Masking | None = None
        self._fuse = fuse
        self._prepare = prepare
        self.view = view
        self._projection = projection
        focal = prepare.pinhole.focal if prepare.pinhole else 0.0
        self._precision = precision
        self._described = replace(
            images.spec.with_fused_rows(),
            pinhole_focal=focal,
            precision=precision or images.spec.precision,
        )
        self.spec = projection.of(self._described) if projection else self._described

    @property
    def words(self) -> str:
        """Which runtime runs the network, and why, in a sentence; empty without a network."""
        return getattr(self._images, 'words', '')

    @property
    def preparation(self) -> Preparation:
        """How each camera's image is brought to the input size."""
        return self._prepare

    def seen_by(self, config: Config, mapped: Cameras | None = None) -> DescriptorExtractor:
        """
        Return the same extractor for other cameras.

        :param config: tells what is known of the cameras.
        :param mapped: the cameras of the map that is searched.
        :raises InputError: as `Preparation.of`.
        """
        prepare = Preparation.of(self.spec, config, mapped)
        kept = self._fuse, self.view, self._projection, self._precision
        other = DescriptorExtractor(self._images, prepare, *kept)
        other.masking = self.masking
        return other

    def probes(self, images: Sequence[Pixels]) -> Probes | None:
        """
        Return images of a drive with their descriptors, by which others compare theirs.

        :param images: of different places, prepared; None comes of fewer than two, and without a
            network, whose descriptors are the same everywhere.
        """
        if len(images) < 2 or self.spec.extractor in WITHOUT_NETWORK:
            return None
        return Probes(np.stack(images), self._images.describe(images).astype(np.float16))

    def agreeing_with(
        self, stored: DescriptorSpec, probes: Probes | None, name: str
    ) -> DescriptorExtractor:
        """
        Return the extractor for a map that another runtime or precision may have made.

        :param stored: the spec of the map.
        :param probes: of the map; None: then its precision has to be that of the extractor.
        :param name: of the map, for the error.
        :raises InputError: for another model, and for descriptors that do not agree.
        """
        # That which runs, also where another map before had another precision.
        own = replace(self.spec, precision=self._images.spec.precision)
        replace(own, precision=stored.precision).require_same(stored, name)
        if probes is None:
            own.require_same(stored, name)
            return self
        error = probes.error(self._images.describe(list(probes.images)))
        if error > MOST_ERROR:
            raise InputError(
                f'{name}: made in {stored.precision}; the descriptors of its {len(probes.images)} '
                f'probes differ by e = {error:.3f} from those of {own.precision} here; expected '
                f'at most {MOST_ERROR:g}; set precision or runtime as they were, or build the map '
                'anew'
            )
        kept = self._fuse, self.view, self._projection, stored.precision
        other = DescriptorExtractor(self._images, self._prepare, *kept)
        other.masking = self.masking
        return other

    def use_masks(self, config: Config) -> None:
        """
        Weigh the pixels from now on as a configuration says.

        :raises InputError: for an extractor that cannot, and as `Masking.of`.
        """
        masking = Masking.of(config)
        if masking is not None:
            _require_masks(self._images)
        self.masking = masking

    def static_shares(self, frame: Frame[Pixels]) -> dict[str, FloatArray]:
        """Return the static share of each pixel of the input by camera; empty without masks."""
        return {} if self.masking is None else self.masking.shares(frame, self._prepare)

    def describe(self, frame: Frame[Pixels], shares: Shares | None = None) -> FloatArray:
        """
        Return the frame's descriptor, [C, D], or [1, D] with fusion by `add` or `attention`.

        :param shares: what `static_shares` returned for the frame; None: it is asked now.
        :raises KeyError: for a camera that is not in the spec.
        """
        shares = self.static_shares(frame) if shares is None else shares
        spec = self._described
        descriptor = np.zeros((len(spec.sees), spec.size), np.float32)
        if frame.images:
            row = {name: i for i, name in enumerate(spec.sees)}
            rows = [row[name] for name in frame.images]
            images = [self._prepare(camera, image) for camera, image in frame.images.items()]
            descriptor[rows] = self._described_images(list(frame.images), images, shares)
        fused = descriptor if self._fuse is None else self._fuse(descriptor)[None]
        return fused if self._projection is None else self._projection.apply(fused)

    def _described_images(
        self, cameras: Sequence[str], images: Sequence[Pixels], shares: Mapping[str, FloatArray]
    ) -> FloatArray:
        if self.masking is None or not any(camera in shares for camera in cameras):
            return self._images.describe(images)
        assert isinstance(self._images, MaskedExtractor)
        whole = np.ones(images[0].shape[:2], np.float32)
        weights = [self.masking.weights(shares.get(camera, whole)) for camera in cameras]
        return self._images.describe(images, weights)


def load_extractor(
    config: Config,
    stored: DescriptorSpec | None = None,
    mapped: Cameras | None = None,
    projection: Projection | None = None,
    probes: Probes | None = None,
) -> DescriptorExtractor:
    """
    Load the extractor that the configuration asks for.

    Without a stored spec it is for a new map: the virtual pinhole is then chosen by what is known
    of the cameras, unless the configuration decides that.

    :param stored: the spec in the map; it decides what the configuration leaves open.
    :param mapped: the cameras of that map.
    :param projection: that of the map.
    :param probes: of the map, for the choice of the runtime.
    :raises InputError: for a model or weights that cannot be loaded, a missing device, and cameras
        that do not fit the map.
    """
    config = _run_by_torch(config, stored)
    spec = resolve_spec(config, stored)
    images, fuse = _load_images(spec, config, probes)
    choice = choose_for(images.spec, config) if stored is None else None
    focal = spec.pinhole_focal if choice is None else choice.focal
    spec = replace(images.spec, pinhole_focal=focal)
    if projection is not None and stored is not None and len(projection.mean) != spec.size:
        spec.with_fused_rows().require_same(stored, 'the map')  # another model, which is named
    if stored is not None and mapped is None:
        mapped = {}
    view = '' if choice is None else str(choice)
    prepare = Preparation.of(spec, config, mapped)
    extractor = DescriptorExtractor(images, prepare, fuse, view, projection)
    extractor.use_masks(config)
    return extractor


def _require_masks(images: ImageExtractor) -> None:
    """
    Refuse masks for an extractor that has no pooling to weigh.

    :raises InputError: that says what to do.
    """
    if isinstance(images, MaskedExtractor) and images.takes_masks:
        return
    if isinstance(images, MaskedExtractor):
        raise InputError(
            f'{images.spec.weights}: masks is true, and the file has no input for masks; export '
            'the network again (placerec model export)'
        )
    raise InputError(
        f'extractor {images.spec.extractor}: masks is true; expected a network with a pooling '
        '(extractor timm or onnx)'
    )


def _load_images(
    spec: DescriptorSpec, config: Config, probes: Probes | None
) -> tuple[ImageExtractor, Fusion | None]:
    if spec.extractor in WITHOUT_NETWORK:
        require_cpu(config.device, spec.extractor)
        return WITHOUT_NETWORK[spec.extractor](spec), None
    if spec.extractor == 'hub':
        return _load_hub(spec, config), fuse_by_sum if spec.fusion == 'add' else None
    if _is_exported(spec, config):
        return _load_onnx(spec, config, probes), fuse_by_sum if spec.fusion == 'add' else None
    if config.runtime not in ('auto', TORCH):
        raise InputError(
            f'runtime is {config.runtime}, which runs exported networks, and extractor is timm; '
            'export the network (placerec model export), or set runtime: torch'
        )
    # Imported here because a robot that runs an exported network has no torch.
    try:
        from husky_placerec.descriptor.torch_extractor import TorchExtractor
    except ImportError as error:
        raise InputError(
            f'extractor timm: {error}; it needs torch and timm (pip install husky_placerec[timm])'
        ) from error
    images = TorchExtractor(
        spec,
        threads=config.threads,
        device=config.device,
        bfloat16=config.precision == 'bfloat16',
        compiled=config.torch_compile,
    )
    fusions: dict[str, Fusion | None] = {
        'concat': None,
        'add': fuse_by_sum,
        'attention': images.fuse,
    }
    return images, fusions[spec.fusion]


def load_spec(config: Config) -> DescriptorSpec:
    """
    Return the spec of a configuration's extractor; an exported network's is in its file.

    :raises InputError: for an exported network that cannot be read.
    """
    config = _run_by_torch(config, None)
    spec = resolve_spec(config, None)
    return ModelFile.read(spec).spec_for(spec) if _is_exported(spec, config) else spec


def _is_exported(spec: DescriptorSpec, config: Config) -> bool:
    # The shipped network exists as ONNX and for torch; only `extractor: timm` asks for torch.
    shipped = spec.weights == SHIPPED and config.extractor != 'timm'
    named = spec.extractor == 'timm' and (shipped or spec.weights.endswith('.onnx'))
    return spec.extractor == 'onnx' or named


def _run_by_torch(config: Config, stored: DescriptorSpec | None) -> Config:
    """Return the configuration with extractor timm where it asks for the runtime torch."""
    network = stored is None or stored.extractor in ('timm', 'onnx')
    if config.runtime != TORCH or config.extractor or not network:
        return config
    named = config.weights or config.backbone or config.preset or stored
    return replace(config, extractor='timm', weights=config.weights if named else SHIPPED)


def _load_onnx(spec: DescriptorSpec, config: Config, probes: Probes | None) -> ImageExtractor:
    if spec.fusion == 'attention':
        raise InputError(
            f'{spec.weights}: fusion is attention, which an exported network does not have; '
            'expected concat or add'
        )
    return ExportedExtractor(spec, config, probes)


def _load_hub(spec: DescriptorSpec, config: Config) -> ImageExtractor:
    if spec.fusion == 'attention':
        raise InputError('extractor hub: fusion is attention; expected concat or add')
    if config.runtime not in ('auto', TORCH) or config.precision == BFLOAT16:
        raise InputError(
            f'extractor hub: runtime is {config.runtime}, precision is {config.precision!r}; '
            'expected torch and float32'
        )
    if find_spec('torch') is None:
        raise InputError('extractor hub: needs torch (pip install husky_placerec[timm])')
    from husky_placerec.descriptor.hub_extractor import HubExtractor

    return HubExtractor(spec, threads=config.threads, device=config.device)
