"""An exported network on ONNX Runtime as an image extractor; it needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
import json
from pathlib import Path

from husky_placerec.descriptor.shipped import weights_file
from husky_placerec.descriptor.spec import DescriptorSpec, INPUT_SIZE, NETWORK
from husky_placerec.errors import InputError
from husky_placerec.types import FloatArray, Pixels
import numpy as np
import onnxruntime

SPEC_KEY = 'descriptor'  # of the model's metadata
OF_THE_FILE = (*NETWORK, *INPUT_SIZE)  # the configuration may only say the same


class OnnxExtractor:
    """
    A network that `placerec model export` wrote.

    :param asked: what the configuration or the map says; empty fields are the file's.
    :raises InputError: for a file that is missing, no such model, or another than was asked for.
    """

    def __init__(self, asked: DescriptorSpec, *, threads: int) -> None:
        path = Path(weights_file(asked.weights, '.onnx'))
        if not path.is_file():
            raise InputError(
                f'extractor onnx: weights is {asked.weights!r}; '
                'expected a file that `placerec model export` wrote'
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(
                path.read_bytes(), options, providers=['CPUExecutionProvider']
            )
            about = json.loads(self._session.get_modelmeta().custom_metadata_map[SPEC_KEY])
        except Exception as error:  # ONNX Runtime has a dozen kinds of its own
            raise InputError(
                f'{path}: not a model that `placerec model export` wrote ({error!r})'
            ) from error
        made = DescriptorSpec.from_json(about, str(path))
        for name in OF_THE_FILE:
            wanted, found = getattr(asked, name), getattr(made, name)
            if wanted and wanted != found:
                raise InputError(f'{path}: {name} is {found!r}; {wanted!r} was asked for')
        self._input = self._session.get_inputs()[0].name
        self.spec = replace(
            made,
            cameras=asked.cameras,
            weights=asked.weights,
            fusion=asked.fusion,
            pinhole_focal=asked.pinhole_focal,
        )

    def describe(self, images: Sequence[Pixels]) -> FloatArray:
        """Describe [H, W, 3] RGB images of the input size as [B, D] L2-normalised vectors."""
        (vectors,) = self._session.run(None, {self._input: np.stack(images)})
        return np.asarray(vectors, np.float32)
