"""Run an exported network by OpenVINO on the CPU, in float32 or bfloat16, or quantised to int8."""

from __future__ import annotations

from typing import Any

from husky_placerec.descriptor.runtimes.model_file import ModelFile, not_exported
from husky_placerec.descriptor.runtimes.runtime import FLOAT32, INT8
from husky_placerec.types import FloatArray, Pixels
import numpy as np
import openvino

_CPU = 'CPU'
_SUPPORTED = 'BF16'  # in the capabilities of a processor


class OpenVinoRuntime:
    """
    A network that OpenVINO compiled for a fixed number of images, which runs a tenth faster.

    Fewer images are filled up with what the buffer holds; more are run one part after another.

    It takes no masks: to OpenVINO, an input with an initial value is a constant.

    :param precision: float32 or bfloat16; what a quantised network leaves in floating point runs
        in bfloat16 where the processor has it.
    :param threads: CPU threads.
    :param batch: number of images: that of the cameras.
    :raises InputError: for a file that it cannot read.
    """

    grid: tuple[int, int] | None = None

    def __init__(self, model: ModelFile, *, precision: str, threads: int, batch: int) -> None:
        options = {
            'INFERENCE_NUM_THREADS': threads,
            'PERFORMANCE_HINT': 'LATENCY',
            'NUM_STREAMS': 1,
            'ENABLE_CPU_PINNING': False,  # a thread must be able to leave a core that is busy
        }
        hints = ['f32'] if precision == FLOAT32 else ['bf16']
        if precision == INT8:  # some quantised networks have layers that do not go with bfloat16
            hints = ['bf16', 'f32'] if has_bfloat16() else ['f32']
        self._request = _compiled(model, hints, options, batch)
        self._buffer = np.zeros((batch, *model.shape), np.uint8)
        self._request.set_input_tensor(openvino.Tensor(self._buffer, shared_memory=True))
        self.words = f'OpenVINO {openvino.__version__.split("-")[0]} ({precision})'

    def run(self, images: Pixels, weights: FloatArray | None = None) -> FloatArray:
        """Describe [B, H, W, 3] images as [B, D] unit vectors."""
        assert weights is None, 'grid is None'
        found, size = [], len(self._buffer)
        for first in range(0, len(images), size):
            part = images[first : first + size]
            self._buffer[: len(part)] = part
            self._request.infer()
            found.append(np.array(self._request.get_output_tensor().data[: len(part)]))
        return found[0] if len(found) == 1 else np.concatenate(found)


def _compiled(model: ModelFile, hints: list[str], options: dict[str, Any], batch: int) -> Any:
    """Return a request of the network, in the first precision in which it can be compiled."""
    core = openvino.Core()
    for hint in hints:
        try:
            read = core.read_model(str(model.path))
            read.reshape([batch, *model.shape])
            made = core.compile_model(read, _CPU, {'INFERENCE_PRECISION_HINT': hint, **options})
            return made.create_infer_request()
        except Exception as error:  # OpenVINO raises RuntimeError of many kinds
            if hint == hints[-1]:
                raise not_exported(model.path, error) from error
    raise AssertionError(hints)


def has_bfloat16() -> bool:
    """Say whether the processor multiplies matrices in bfloat16."""
    return _SUPPORTED in openvino.Core().get_property(_CPU, 'OPTIMIZATION_CAPABILITIES')
