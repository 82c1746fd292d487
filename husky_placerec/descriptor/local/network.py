"""Run a network of local features by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
import hashlib
import json
from pathlib import Path

from husky_placerec.descriptor.local.spec import LocalSpec
from husky_placerec.descriptor.shipped import weights_file
from husky_placerec.errors import InputError
from husky_placerec.types import FloatArray, Pixels
import numpy as np
from numpy.typing import NDArray
import onnxruntime

SUFFIX = '.local.onnx'
SPEC_KEY = 'local'  # in the model's metadata
BRANCHES_KEY = 'branches'
DISTANCE = 'distance'  # the output that tells how far an image is from those of the training
# Of the distance, from which the second branch is trusted (see `descriptor.anchor`). At this input
# size the median is 2.1 to 2.5 on rendered drives, and 6.7 and more on the real sets.
FAR = 4.0
SCALE = 127  # of the stored integers

LocalValues = NDArray[np.int8]  # [..., cells, D]: unit vectors times SCALE


class LocalNetwork:
    """
    Describes the cells of images, by a file that `placerec model local` wrote.

    :param weights: the file, or `shipped`.
    :param threads: CPU threads of ONNX Runtime.
    :raises InputError: for a file that is missing, or no such network.
    :ivar branches: the names of its outputs; the first is for images like those of its training.
    :ivar spec: of its first branch, without a virtual pinhole.
    """

    def __init__(self, weights: str, *, threads: int) -> None:
        path = Path(weights_file(weights, SUFFIX))
        if not path.is_file():
            raise InputError(
                f'local_weights is {weights!r}; expected `shipped` or a file that `placerec model '
                'local` wrote'
            )
        model = path.read_bytes()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Idle threads would else spin between two frames, and take the robot's time.
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        try:
            self._session = onnxruntime.InferenceSession(
                model, options, providers=['CPUExecutionProvider']
            )
            about = self._session.get_modelmeta().custom_metadata_map
            values = dict(json.loads(about[SPEC_KEY]))
            self.branches = tuple(str(name) for name in json.loads(about[BRANCHES_KEY]))
        except Exception as error:  # ONNX Runtime raises many kinds
            raise InputError(
                f'{path}: not a network that `placerec model local` wrote ({error!r})'
            ) from error
        outputs = {each.name for each in self._session.get_outputs()}
        if not self.branches or not set(self.branches) <= outputs:
            raise InputError(
                f'{path}: has the outputs {", ".join(sorted(outputs))}; expected '
                f'{", ".join(self.branches) or "at least one branch"}'
            )
        digest = hashlib.sha256(model).hexdigest()
        known = {'weights': weights, 'weights_sha256': digest, 'branch': self.branches[0]}
        self.spec = LocalSpec.from_json({**values, 'pinhole_focal': 0.0, **known}, str(path))
        self._input = self._session.get_inputs()[0].name
        self._tells_distance = DISTANCE in outputs
        # ONNX Runtime computes every output of a network unless it is told not to.
        self._run = onnxruntime.RunOptions()
        self._run.add_run_config_entry('only_execute_path_to_fetches', '1')

    def of_branch(self, branch: str) -> LocalSpec:
        """
        Return the spec of one branch.

        :raises InputError: for a branch that the network does not have.
        """
        if branch not in self.branches:
            raise InputError(
                f'{self.spec.weights}: no branch {branch!r}; there are {", ".join(self.branches)}'
            )
        return replace(self.spec, branch=branch)

    def describe(self, images: Sequence[Pixels], branches: Sequence[str]) -> list[LocalValues]:
        """Return [B, cells, D] of [H, W, 3] RGB images of the input size, for each branch."""
        outputs = self._session.run(list(branches), {self._input: np.stack(images)}, self._run)
        return [quantized(each) for each in outputs]

    def far(self, images: Sequence[Pixels]) -> list[bool]:
        """Return for each image whether it is unlike those of the training."""
        if not self._tells_distance:
            return [False] * len(images)
        (distances,) = self._session.run([DISTANCE], {self._input: np.stack(images)}, self._run)
        return [bool(each > FAR) for each in distances]


def quantized(vectors: FloatArray) -> LocalValues:
    """Return unit vectors [..., D] as integers, a quarter of their bytes."""
    return np.round(np.asarray(vectors) * SCALE).astype(np.int8)


def restored(values: LocalValues) -> FloatArray:
    """Return the unit vectors of integers that `quantized` returned, up to rounding."""
    return np.asarray(values, np.float32) / np.float32(SCALE)
