"""
Describe images by a network of a local folder with a `hubconf.py`, for what has no preset.

The code of such a folder is foreign, and it runs with the rights of the user. It runs in a process
of its own, which may load weights only, so that it cannot disturb or block the node, and a
checkpoint cannot run code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
import json
from multiprocessing.connection import Connection
import os
from pathlib import Path
import re
import subprocess
import sys
import tempfile
from typing import Any
import weakref

from husky_placerec.descriptor.fusion import normalize
from husky_placerec.descriptor.spec import DescriptorSpec, NORMALIZATIONS
from husky_placerec.documents import parse_yaml
from husky_placerec.errors import InputError
from husky_placerec.types import FloatArray, Pixels
import numpy as np

START_S = 300.0  # to import and load; a large checkpoint takes a while
ANSWER_S = 120.0  # to describe the images of a frame
MOST_SIZE = 1 << 20  # of a descriptor, as in a spec
TAIL = 300  # characters of the output that an error shows


class HubExtractor:
    """
    Describes images by an entry point of a local folder.

    The spec has the entry point as `backbone`, its arguments as `backbone_options`, and the folder
    as `weights`.

    :param threads: CPU threads of torch.
    :param device: `cpu` or `cuda`.
    :raises InputError: for a folder that is missing, or code that fails, asks, or returns no
        vectors; it shows the end of what the code printed.
    """

    def __init__(self, spec: DescriptorSpec, *, threads: int, device: str) -> None:
        folder = Path(spec.weights).absolute()
        if not (folder / 'hubconf.py').is_file():
            raise InputError(
                f'extractor hub: weights is {spec.weights!r}; expected a folder with hubconf.py'
            )
        if not spec.backbone or not spec.input_width or not spec.input_height:
            raise InputError(
                'extractor hub: expected the entry point as backbone, and input_width and '
                'input_height'
            )
        if spec.normalization not in NORMALIZATIONS:
            raise InputError(
                f'normalization is {spec.normalization!r}; expected one of '
                f'{", ".join(NORMALIZATIONS)}'
            )
        self._name = f'{folder}: {spec.backbone}'
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (as long as the process)
        self._start()
        about = {
            'folder': str(folder),
            'entry': spec.backbone,
            'arguments': hub_arguments(spec.backbone_options),
            'normalization': NORMALIZATIONS[spec.normalization],
            'threads': threads,
            'device': device,
        }
        self._requests.send_bytes(json.dumps(about).encode())
        found = self._answer(START_S, 'it did not load')
        blank = np.zeros((spec.input_height, spec.input_width, 3), np.uint8)
        size = self._raw([blank, blank]).shape[1]
        if size > MOST_SIZE:
            raise InputError(f'{self._name}: its vectors have {size} numbers; expected fewer')
        self.spec = replace(spec, weights_sha256=str(found['sha256']), size=size)

    def describe(self, images: Sequence[Pixels]) -> FloatArray:
        """Describe [H, W, 3] RGB images of the input size as [B, D] L2-normalised vectors."""
        return normalize(self._raw(images))

    def _start(self) -> None:
        theirs, mine = os.pipe(), os.pipe()  # requests, answers
        command = [sys.executable, '-m', 'husky_placerec.descriptor.hub_process']
        self._process = subprocess.Popen(
            [*command, str(theirs[0]), str(mine[1])],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            pass_fds=(theirs[0], mine[1]),
            env={
                **os.environ,
                'PYTHONPATH': os.pathsep.join(filter(None, sys.path)),
                'TORCH_FORCE_WEIGHTS_ONLY_LOAD': '1',
            },
        )
        os.close(theirs[0])
        os.close(mine[1])
        self._requests, self._answers = Connection(theirs[1]), Connection(mine[0])
        weakref.finalize(self, _end, self._process)

    def _raw(self, images: Sequence[Pixels]) -> FloatArray:
        pixels = np.ascontiguousarray(np.stack(images))
        try:
            self._requests.send_bytes(json.dumps(pixels.shape).encode())
            self._requests.send_bytes(pixels.tobytes())
        except OSError as error:
            raise self._failed('it ended') from error
        shape = self._answer(ANSWER_S, 'it did not describe')['shape']
        return np.frombuffer(self._answers.recv_bytes(), np.float32).reshape(shape)

    def _answer(self, limit_s: float, failure: str) -> dict[str, Any]:
        if not self._answers.poll(limit_s):
            self._process.kill()
            raise self._failed(f'{failure} within {limit_s:g} s')
        try:
            found = json.loads(self._answers.recv_bytes())
        except (EOFError, OSError, ValueError) as error:
            raise self._failed(failure) from error
        if 'error' in found:
            why = str(found['error'])
            if why.startswith('EOFError'):
                why += '; it asks for input, and nobody is there to answer'
            raise self._failed(why)
        return dict(found)

    def _failed(self, why: str) -> InputError:
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - TAIL))
        printed = self._log.read().decode(errors='replace').strip()
        printed = re.sub(r'\s+', ' ', printed)
        return InputError(f'{self._name}: {why}' + (f'; it printed: {printed}' if printed else ''))


def hub_arguments(text: str) -> dict[str, Any]:
    """
    Read the arguments of an entry point: NAME=VALUE, separated by blanks; plain values only.

    :raises InputError: for another form.
    """
    found: dict[str, Any] = {}
    for option in text.split():
        name, equals, value = option.partition('=')
        read = parse_yaml(value, f'backbone_options has {option}') if value else None
        if not equals or not name.isidentifier() or not isinstance(read, (str, int, float)):
            raise InputError(f'backbone_options has {option!r}; expected NAME=VALUE')
        found[name] = read
    return found


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
