"""What every runtime of an exported network offers."""

from __future__ import annotations

from typing import NoReturn, Protocol

from husky_placerec.errors import InputError
from husky_placerec.types import FloatArray, Pixels

FLOAT32, BFLOAT16, INT8 = 'float32', 'bfloat16', 'int8'
TORCH, ONNX_RUNTIME, TENSORRT, OPENVINO = 'torch', 'onnxruntime', 'tensorrt', 'openvino'


class Runtime(Protocol):
    """
    A network that is loaded and ready to run.

    :ivar words: the program, its version and its precision.
    :ivar grid: rows and columns of the weights that it takes; None where it takes none.
    """

    words: str
    grid: tuple[int, int] | None

    def run(self, images: Pixels, weights: FloatArray | None = None) -> FloatArray:
        """
        Describe [B, H, W, 3] images of the input size as [B, D] unit vectors, any B.

        :param weights: [B, rows, columns] of the pooling; None: all count the same.
        """
        ...


def not_installed(runtime: str, library: str, extra: str) -> NoReturn:
    """
    Refuse a runtime whose library is missing.

    :raises InputError: that says what to install.
    """
    raise InputError(
        f'runtime: {runtime}, but {library} is not installed; pip install {extra}, or set '
        'runtime: auto'
    )
