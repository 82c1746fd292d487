"""
Which runtime runs an exported network, in which precision.

The configuration decides; where it leaves something open, what is installed is measured once. The
measurement is kept in the user's cache, under the hash of the model, and holds for the processor
and the versions that it names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from husky_placerec.config import Config
from husky_placerec.descriptor.agreement import Probes
from husky_placerec.descriptor.device import CPU
from husky_placerec.descriptor.runtimes.measurement import (
    measure,
    Measured,
    recall,
    remember,
    Trial,
)
from husky_placerec.descriptor.runtimes.model_file import ModelFile
from husky_placerec.descriptor.runtimes.runtime import (
    BFLOAT16,
    FLOAT32,
    INT8,
    not_installed,
    ONNX_RUNTIME,
    OPENVINO,
    Runtime,
    TENSORRT,
    TORCH,
)
from husky_placerec.errors import InputError

AUTO = 'auto'
PACKAGES = {ONNX_RUNTIME: ('onnxruntime', 'onnxruntime-gpu'), OPENVINO: ('openvino',)}
INSTALL = {
    ONNX_RUNTIME: 'onnxruntime',
    TENSORRT: 'onnxruntime-gpu',
    OPENVINO: 'husky_placerec[openvino]',
}
Way = tuple[str, str]  # a runtime and a precision


@dataclass(frozen=True)
class Chosen:
    """
    A runtime that is ready to run.

    :param words: what it is, and why, in a sentence.
    """

    runtime: Runtime
    precision: str
    words: str


def choose_runtime(
    model: ModelFile, config: Config, batch: int, probes: Probes | None = None
) -> Chosen:
    """
    Load a network by the runtime that the configuration names, or by the fastest.

    :param batch: images that are usually described together.
    :param probes: of a map, on which runtimes are compared; None: random images.
    :raises InputError: for a runtime that is not installed, a precision that the runtime or the
        model does not have, and a missing device.
    """
    ways, note = _ways(model, config)

    def load(way: Way) -> Runtime:
        return _load(way, model, config, batch)

    if len(ways) == 1:
        made = load(ways[0])
        asked = config.runtime != AUTO or config.precision == BFLOAT16
        why = 'as the parameters ask' if asked else 'the only one that is installed'
        return Chosen(made, ways[0][1], f'runtime: {made.words}, {why}{note}')
    key = f'{model.key} {config.device} {config.threads} {batch}'
    return _fastest(ways, load, key, Trial.of(model.shape, batch, probes), note)


def _fastest(
    ways: list[Way],
    load: Callable[[Way], Runtime],
    key: str,
    trial: Trial,
    note: str,
) -> Chosen:
    key = ' '.join((key, trial.key, *(f'{name}:{precision}' for name, precision in ways)))
    named = [f'{runtime} {_version(runtime)} {precision}' for runtime, precision in ways]
    known = recall(key, named)
    if isinstance(known, Measured):
        best = known.best(named)
        made = load(ways[best])
        source = 'measured before'
    else:
        all_made = [load(way) for way in ways]
        measured = measure(all_made, named, trial)
        remember(key, measured)
        best, known_words = measured.best(named), known
        made = all_made[best]
        source = f'measured now{known_words}'
        known = measured
    words = f'runtime: {made.words}, because {known.words(named, best)} ({source}){note}'
    return Chosen(made, ways[best][1], words)


def _ways(model: ModelFile, config: Config) -> tuple[list[Way], str]:
    """Return the ways that are open, the one to compare the others with first, and a note."""
    precision, note = _precision(model, config)
    runtimes = [config.runtime]
    if config.runtime == TORCH:
        raise InputError(
            f'{model.path}: runtime is torch, which does not run an exported network; set '
            'extractor: timm with the weights of the network, or runtime: auto'
        )
    if config.runtime == AUTO:
        openvino = config.device == CPU and not config.masks
        runtimes = [ONNX_RUNTIME, OPENVINO] if openvino else [ONNX_RUNTIME]
        runtimes = [name for name in runtimes if _is_installed(name)] or [ONNX_RUNTIME]
    for name in runtimes:
        if not _is_installed(name):
            not_installed(name, PACKAGES[_library(name)][0], INSTALL[name])
    if OPENVINO in runtimes and config.device != CPU:
        raise InputError(
            f'runtime: openvino, but device: {config.device}; it runs on the CPU: set device: '
            'cpu, or runtime: onnxruntime'
        )
    if OPENVINO in runtimes and config.masks:
        raise InputError(
            'runtime: openvino, but masks is true, which it does not take; set runtime: '
            'onnxruntime'
        )
    if TENSORRT in runtimes and config.device == CPU:
        raise InputError('runtime: tensorrt, but device: cpu; set device: cuda')
    low = [(OPENVINO, BFLOAT16)] if OPENVINO in runtimes else []
    if precision == BFLOAT16:
        if not low:
            raise InputError(
                f'precision: bfloat16, which {" and ".join(runtimes)} does not have for an '
                'exported network; pip install husky_placerec[openvino] and set runtime: '
                'openvino, or set precision: float32'
            )
        return low, note
    full = [(name, INT8 if precision == INT8 else FLOAT32) for name in runtimes]
    return full + (low if precision == AUTO else []), note


def _precision(model: ModelFile, config: Config) -> tuple[str, str]:
    """Return the precision that is asked for, as far as the processor has it, and a note."""
    own, asked = model.spec.precision, config.precision
    if own == INT8:
        if asked in (FLOAT32, BFLOAT16):
            raise InputError(
                f'{model.path}: precision is int8; {asked} was asked for; name the file that it '
                'was quantised from'
            )
        return INT8, ''
    if asked not in (BFLOAT16, AUTO) or config.device != CPU or not _is_installed(OPENVINO):
        return (asked if asked == BFLOAT16 else FLOAT32), ''
    from husky_placerec.descriptor.runtimes.openvino_runtime import has_bfloat16

    if has_bfloat16():
        return asked, ''
    return FLOAT32, '; the processor has no bfloat16, so that float32 is taken'


def _load(way: Way, model: ModelFile, config: Config, batch: int) -> Runtime:
    name, precision = way
    if name == OPENVINO:
        from husky_placerec.descriptor.runtimes.openvino_runtime import OpenVinoRuntime

        return OpenVinoRuntime(model, precision=precision, threads=config.threads, batch=batch)
    from husky_placerec.descriptor.runtimes.onnx_runtime import OnnxRuntime

    return OnnxRuntime(model, threads=config.threads, device=config.device, by=name)


def _library(runtime: str) -> str:
    return ONNX_RUNTIME if runtime == TENSORRT else runtime


def _is_installed(runtime: str) -> bool:
    try:
        return find_spec(PACKAGES[_library(runtime)][0]) is not None
    except ValueError:  # of a module that was replaced by None
        return False


def _version(runtime: str) -> str:
    for package in PACKAGES[_library(runtime)]:
        try:
            return version(package)
        except PackageNotFoundError:
            continue
    return 'unknown'
