"""Run an exported network by ONNX Runtime, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
import json
from pathlib import Path
from typing import Any

from husky_placerec.descriptor.device import CPU, CUDA, cuda_error
from husky_placerec.descriptor.pooling_weights import on_grid
from husky_placerec.descriptor.shipped import weights_file
from husky_placerec.descriptor.spec import DescriptorSpec, INPUT_SIZE, NETWORK
from husky_placerec.errors import InputError
from husky_placerec.types import FloatArray, Pixels
import numpy as np
import onnxruntime

SPEC_KEY = 'descriptor'  # in the model's metadata
MASKS_INPUT = 'masks'
PROVIDERS: dict[str, tuple[str, dict[str, Any]]] = {
    CPU: ('CPUExecutionProvider', {}),
    # TF32 has only 10 bits of mantissa; it would change the descriptors.
    CUDA: ('CUDAExecutionProvider', {'use_tf32': 0}),
}
FIXED_BY_FILE = (*NETWORK, *INPUT_SIZE)  # the configuration may only repeat these values


class OnnxExtractor:
    """
    Describes images by a network that `placerec model export` wrote.

    :param asked: the spec that the configuration or the map asks for; the file fills empty fields.
    :param threads: CPU threads of ONNX Runtime.
    :param device: `cpu` or `cuda`.
    :raises InputError: for a file that is missing or no such model, for a model other than the one
        asked for, and for a missing device.
    """

    def __init__(self, asked: DescriptorSpec, *, threads: int, device: str = CPU) -> None:
        path = Path(weights_file(asked.weights, '.onnx'))
        if not path.is_file():
            raise InputError(
                f'extractor onnx: weights is {asked.weights!r}; '
                'expected a file that `placerec model export` wrote'
            )
        providers = _providers(device)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        if device == CPU:
            options.log_severity_level = 3  # no warning of the optional input at each start
        try:
            self._session = onnxruntime.InferenceSession(
                path.read_bytes(), options, providers=providers
            )
            about = json.loads(self._session.get_modelmeta().custom_metadata_map[SPEC_KEY])
        except Exception as error:  # ONNX Runtime raises many kinds
            raise InputError(
                f'{path}: not a model that `placerec model export` wrote ({error!r})'
            ) from error
        _require_running(device, self._session.get_providers())
        self._session.disable_fallback()  # to the CPU, after an error during a drive
        made = DescriptorSpec.from_json(about, str(path))
        for name in FIXED_BY_FILE:
            wanted, found = getattr(asked, name), getattr(made, name)
            if wanted and wanted != found:
                raise InputError(f'{path}: {name} is {found!r}; {wanted!r} was asked for')
        self._input = self._session.get_inputs()[0].name
        optional = {each.name: each for each in self._session.get_overridable_initializers()}
        masks = optional.get(MASKS_INPUT)
        self._grid = None if masks is None else (int(masks.shape[1]), int(masks.shape[2]))
        self.spec = replace(
            made,
            cameras=asked.cameras,
            weights=asked.weights,
            fusion=asked.fusion,
            pinhole_focal=asked.pinhole_focal,
        )

    @property
    def takes_masks(self) -> bool:
        """Whether the file has the optional input for masks."""
        return self._grid is not None

    def describe(
        self, images: Sequence[Pixels], masks: Sequence[FloatArray] | None = None
    ) -> FloatArray:
        """
        Describe [H, W, 3] RGB images of the input size as [B, D] L2-normalised vectors.

        :param masks: [H, W] weight of each pixel in the pooling, for each image.
        """
        given: dict[str, Any] = {self._input: np.stack(images)}
        if masks is not None and self._grid is not None:
            given[MASKS_INPUT] = on_grid(masks, self._grid)
        (vectors,) = self._session.run(None, given)
        return np.asarray(vectors, np.float32)


def _providers(device: str) -> list[tuple[str, dict[str, Any]]]:
    """
    Return the execution providers of a device, with their options.

    :raises InputError: for cuda if ONNX Runtime was built without CUDA.
    """
    found = onnxruntime.get_available_providers()
    if PROVIDERS[device][0] not in found:
        raise cuda_error(
            f'ONNX Runtime {onnxruntime.__version__} has only {", ".join(found)}',
            'install onnxruntime-gpu in place of onnxruntime',
        )
    return [PROVIDERS[device]]


def _require_running(device: str, running: Sequence[str]) -> None:
    """
    Check that a session runs on its device; ONNX Runtime only warns where it does not.

    :raises InputError: for a session that fell back to another device.
    """
    wanted, _ = PROVIDERS[device]
    if wanted not in running:
        raise cuda_error(
            f'ONNX Runtime could not start {wanted} and would run on {", ".join(running)}',
            'install the CUDA and cuDNN that the lines of ONNX Runtime above name',
        )
