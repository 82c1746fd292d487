"""Run an exported network by ONNX Runtime: on the CPU, by CUDA or by TensorRT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from husky_placerec.descriptor.device import CPU, CUDA, cuda_error
from husky_placerec.descriptor.runtimes.model_file import ModelFile, not_exported
from husky_placerec.descriptor.runtimes.runtime import ONNX_RUNTIME, TENSORRT
from husky_placerec.types import FloatArray, Pixels
import numpy as np
import onnxruntime

MASKS_INPUT = 'masks'  # an input that may be left out
Provider = tuple[str, dict[str, Any]]
_ON_CPU: Provider = ('CPUExecutionProvider', {})
# TF32 has only 10 bits of mantissa; it would change the descriptors.
_ON_CUDA: Provider = ('CUDAExecutionProvider', {'use_tf32': 0})
# What TensorRT cannot run, CUDA does.
_BY_TENSORRT: Provider = ('TensorrtExecutionProvider', {})
PROVIDERS: dict[tuple[str, str], list[Provider]] = {
    (ONNX_RUNTIME, CPU): [_ON_CPU],
    (ONNX_RUNTIME, CUDA): [_ON_CUDA],
    (TENSORRT, CUDA): [_BY_TENSORRT, _ON_CUDA],
}


class OnnxRuntime:
    """
    A session of ONNX Runtime.

    :param threads: CPU threads.
    :param device: `cpu` or `cuda`.
    :param by: `onnxruntime` or `tensorrt`.
    :raises InputError: for a file that it cannot read, and for a missing device or provider.
    """

    def __init__(
        self, model: ModelFile, *, threads: int, device: str = CPU, by: str = ONNX_RUNTIME
    ) -> None:
        providers = _providers(device, by)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        if device == CPU:
            options.log_severity_level = 3  # no warning of the optional input at each start
        # Idle threads would else spin between two frames, and take the robot's time.
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        try:
            self.session = onnxruntime.InferenceSession(
                str(model.path), options, providers=providers
            )
        except Exception as error:  # ONNX Runtime raises many kinds
            raise not_exported(model.path, error) from error
        _require_running(providers[0][0], self.session.get_providers())
        self.session.disable_fallback()  # to the CPU, after an error during a drive
        self._input = self.session.get_inputs()[0].name
        optional = {each.name: each for each in self.session.get_overridable_initializers()}
        masks = optional.get(MASKS_INPUT)
        self.grid = None if masks is None else (int(masks.shape[1]), int(masks.shape[2]))
        by_name = providers[0][0].removesuffix('ExecutionProvider')
        self.words = f'ONNX Runtime {onnxruntime.__version__} ({by_name}, {model.spec.precision})'

    def run(self, images: Pixels, weights: FloatArray | None = None) -> FloatArray:
        """Describe [B, H, W, 3] images, pooled by [B, rows, columns], as [B, D] unit vectors."""
        given: dict[str, Any] = {self._input: images}
        if weights is not None and self.grid is not None:
            given[MASKS_INPUT] = weights
        (vectors,) = self.session.run(None, given)
        return np.asarray(vectors, np.float32)


def has_provider(device: str, by: str) -> bool:
    """Say whether this build of ONNX Runtime has the provider of a device."""
    wanted = PROVIDERS.get((by, device))
    return wanted is not None and wanted[0][0] in onnxruntime.get_available_providers()


def _providers(device: str, by: str) -> list[Provider]:
    """
    Return the execution providers of a device, with their options.

    :raises InputError: for a provider that this build of ONNX Runtime does not have.
    """
    if not has_provider(device, by):
        raise cuda_error(
            f'ONNX Runtime {onnxruntime.__version__} has only '
            f'{", ".join(onnxruntime.get_available_providers())}',
            'install onnxruntime-gpu in place of onnxruntime',
        )
    return PROVIDERS[by, device]


def _require_running(wanted: str, running: Sequence[str]) -> None:
    """
    Check that a session runs on its device; ONNX Runtime only warns where it does not.

    :raises InputError: for a session that fell back to another device.
    """
    if wanted not in running:
        raise cuda_error(
            f'ONNX Runtime could not start {wanted} and would run on {", ".join(running)}',
            'install the CUDA and cuDNN that the lines of ONNX Runtime above name',
        )
