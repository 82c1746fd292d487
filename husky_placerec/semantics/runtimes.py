"""The runtimes of segmentation networks, ONNX Runtime and LiteRT, behind one interface."""

from __future__ import annotations

from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any, Protocol

from husky_placerec.errors import InputError
from husky_placerec.optional import require
import numpy as np
from numpy.typing import NDArray

CLASSES_KEY = 'classes'  # in the metadata of an ONNX file: a JSON list of names
USUAL_SIDES = 288, 512  # of a network that takes any height and width


@dataclass(frozen=True)
class Input:
    """
    What a network takes, a single image at a time.

    :param channels_first: [1, 3, H, W], else [1, H, W, 3].
    :param dtype: uint8 and int8 take the pixels themselves.
    """

    height: int
    width: int
    channels_first: bool
    dtype: Any


class Runtime(Protocol):
    """A loaded network."""

    @property
    def takes(self) -> Input:
        """What it takes."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its classes, where its file tells them; else empty."""

    def run(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return the first output."""


def load_runtime(file: Path, threads: int) -> Runtime:
    """
    Load a network by the suffix of its file: .onnx or .tflite.

    :raises InputError: for a file that is missing or no such network, for an input that is no
        image, and for a runtime that is not installed.
    """
    if file.suffix not in ('.onnx', '.tflite') or not file.is_file():
        raise InputError(
            f'segmentation is {str(file)!r}; expected the file of a network, .onnx or .tflite'
        )
    return OnnxRuntime(file, threads) if file.suffix == '.onnx' else LiteRuntime(file, threads)


class OnnxRuntime:
    """A network in a file of ONNX."""

    def __init__(self, file: Path, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(
                file.read_bytes(), options, providers=['CPUExecutionProvider']
            )
        except Exception as error:  # ONNX Runtime raises many kinds
            raise InputError(f'{file}: not a network in ONNX ({error!r})') from error
        self._name = self._session.get_inputs()[0].name
        about = self._session.get_modelmeta().custom_metadata_map
        self.names = _names(about.get(CLASSES_KEY, '[]'), file)
        given = self._session.get_inputs()[0]
        kinds = {'tensor(float)': np.float32, 'tensor(uint8)': np.uint8, 'tensor(int8)': np.int8}
        self.takes = _input(given.shape, kinds.get(given.type), file)

    def run(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return the first output."""
        return np.asarray(self._session.run(None, {self._name: image})[0])


class LiteRuntime:
    """A network in a file of TFLite."""

    names: tuple[str, ...] = ()

    def __init__(self, file: Path, threads: int) -> None:
        require('ai_edge_litert')
        from ai_edge_litert.interpreter import Interpreter

        try:
            self._interpreter = Interpreter(str(file), num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise InputError(f'{file}: not a network of TFLite ({error})') from error
        about = self._interpreter.get_input_details()[0]
        self._into = about['index']
        self._out = self._interpreter.get_output_details()[0]['index']
        self.takes = _input([int(n) for n in about['shape']], about['dtype'], file)

    def run(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return the first output."""
        self._interpreter.set_tensor(self._into, image)
        self._interpreter.invoke()
        return np.asarray(self._interpreter.get_tensor(self._out))


def _input(shape: list[Any], dtype: Any, file: Path) -> Input:
    """
    Return what a network takes, by the shape of its input.

    :raises InputError: for an input that is no image of three channels.
    """
    sides = [n if isinstance(n, int) and n > 0 else None for n in shape]
    if dtype not in (np.float32, np.uint8, np.int8) or len(shape) != 4 or 3 not in sides[1:]:
        raise InputError(
            f'{file}: takes {shape} of {getattr(dtype, "__name__", dtype)}; expected an image, '
            '[1, 3, H, W] or [1, H, W, 3] of float32 or 8 bits'
        )
    first = sides[1] == 3
    height, width = sides[2:] if first else sides[1:3]
    return Input(height or USUAL_SIDES[0], width or USUAL_SIDES[1], first, dtype)


def _names(text: str, file: Path) -> tuple[str, ...]:
    try:
        found = json.loads(text)
        return tuple(str(name).lower() for name in found)
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(f'{file}: {CLASSES_KEY} in its metadata is no list of names') from error
