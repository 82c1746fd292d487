"""Run an exported network by OpenVINO on the CPU, in float32 or bfloat16, or quantised to int8."""

from __future__ import annotations

from husky_placerec.descriptor.runtimes.model_file import ModelFile, not_exported
from husky_placerec.descriptor.runtimes.runtime import BFLOAT16, INT8
from husky_placerec.types import FloatArray, Pixels
import numpy as np
import openvino

_CPU = 'CPU'
_SUPPORTED = 'BF16'  # in the capabilities of a processor


class OpenVinoRuntime:
    """
    A network that OpenVINO compiled for a fixed number of images, which runs a tenth faster.

    Fewer images are filled up with what the buffer holds; more are run one part after another.

    :param precision: float32 or bfloat16; what a quantised network leaves in floating point runs
        in bfloat16 where the processor has it.
    :param threads: CPU threads.
    :param batch: number of images: that of the cameras.
    :raises InputError: for a file that it cannot read.
    """

    def __init__(self, model: ModelFile, *, precision: str, threads: int, batch: int) -> None:
        core = openvino.Core()
        low = precision == BFLOAT16 or (precision == INT8 and has_bfloat16())
        options = {
            'INFERENCE_PRECISION_HINT': 'bf16' if low else 'f32',
            'INFERENCE_NUM_THREADS': threads,
            'PERFORMANCE_HINT': 'LATENCY',
            'NUM_STREAMS': 1,
            'ENABLE_CPU_PINNING': False,  # a thread must be able to leave a core that is busy
        }
        try:
            read = core.read_model(str(model.path))
            read.reshape([batch, *model.shape])
            self._request = core.compile_model(read, _CPU, options).create_infer_request()
        except Exception as error:  # OpenVINO raises RuntimeError of many kinds
            raise not_exported(model.path, error) from error
        self._buffer = np.zeros((batch, *model.shape), np.uint8)
        self._request.set_input_tensor(openvino.Tensor(self._buffer, shared_memory=True))
        self.words = f'OpenVINO {openvino.__version__.split("-")[0]} ({precision})'

    def run(self, images: Pixels) -> FloatArray:
        """Describe [B, H, W, 3] images as [B, D] unit vectors."""
        found, size = [], len(self._buffer)
        for first in range(0, len(images), size):
            part = images[first : first + size]
            self._buffer[: len(part)] = part
            self._request.infer()
            found.append(np.array(self._request.get_output_tensor().data[: len(part)]))
        return found[0] if len(found) == 1 else np.concatenate(found)


def has_bfloat16() -> bool:
    """Say whether the processor multiplies matrices in bfloat16."""
    return _SUPPORTED in openvino.Core().get_property(_CPU, 'OPTIMIZATION_CAPABILITIES')
