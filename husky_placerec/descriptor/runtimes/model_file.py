"""
An exported network on the disk: its path, and the spec in its metadata.

The metadata are read without a library of ONNX: every runtime needs them, and a robot may have
only one of them. The format is that of Protocol Buffers; `ModelProto` of onnx.proto3 numbers its
fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
import hashlib
import json
from pathlib import Path

from husky_placerec.descriptor.shipped import weights_file
from husky_placerec.descriptor.spec import DescriptorSpec, INPUT_SIZE, NETWORK
from husky_placerec.errors import InputError

SPEC_KEY = 'descriptor'  # in the model's metadata
FIXED_BY_FILE = (*NETWORK, *INPUT_SIZE)  # the configuration may only repeat these values
_METADATA, _KEY, _VALUE = 14, 1, 2  # numbers of fields: of ModelProto, of an entry of it
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types


@dataclass(frozen=True)
class ModelFile:
    """
    A network that `placerec model export` or `quantize` wrote.

    :param spec: of the network, as the file has it.
    """

    path: Path
    spec: DescriptorSpec

    @classmethod
    def read(cls, asked: DescriptorSpec) -> ModelFile:
        """
        Read the spec of the file that a spec asks for.

        :param asked: the file fills its empty fields.
        :raises InputError: for a file that is missing or no such model, and for a model other than
            the one asked for.
        """
        path = Path(weights_file(asked.weights, '.onnx'))
        if not path.is_file():
            raise InputError(
                f'extractor onnx: weights is {asked.weights!r}; '
                'expected a file that `placerec model export` wrote'
            )
        try:
            about = json.loads(metadata_of(path.read_bytes())[SPEC_KEY])
        except (LookupError, ValueError, RecursionError) as error:
            raise not_exported(path, error) from error
        if not isinstance(about, dict):
            raise not_exported(path, ValueError(f'{SPEC_KEY} is no object'))
        made = DescriptorSpec.from_json(about, str(path))
        for name in FIXED_BY_FILE:
            wanted, found = getattr(asked, name), getattr(made, name)
            if wanted and wanted != found:
                raise InputError(f'{path}: {name} is {found!r}; {wanted!r} was asked for')
        return cls(path, made)

    def spec_for(self, asked: DescriptorSpec) -> DescriptorSpec:
        """Return the spec of the file with what the one that asks decides."""
        return replace(
            self.spec,
            cameras=asked.cameras,
            weights=asked.weights,
            fusion=asked.fusion,
            pinhole_focal=asked.pinhole_focal,
        )

    @property
    def key(self) -> str:
        """A hash of the weights, the layers, the input size and the precision of the network."""
        about = {**self.spec.as_json(), 'weights': '', 'cameras': [], 'fused': []}
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an input image."""
        return self.spec.input_height, self.spec.input_width, 3


def not_exported(path: Path, error: Exception) -> InputError:
    """Make the error for a file that a runtime cannot read."""
    return InputError(f'{path}: not a model that `placerec model export` wrote ({error!r})')


def metadata_of(model: bytes) -> dict[str, str]:
    """
    Return the metadata of an ONNX file.

    :raises ValueError: for bytes that are no message of Protocol Buffers.
    """
    found = {}
    for number, value in _fields(memoryview(model)):
        if number == _METADATA:
            entry = {key: bytes(text).decode() for key, text in _fields(value)}
            found[entry.get(_KEY, '')] = entry.get(_VALUE, '')
    return found


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield number and bytes of the fields of a message that hold bytes; skip the others."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        size = {_FIXED64: 8, _FIXED32: 4}.get(wire, 0)
        if wire in (_VARINT, _BYTES):
            size, at = _varint(message, at)
        elif not size:
            raise ValueError(f'wire type {wire}')
        if wire == _VARINT:
            continue
        if at + size > len(message):
            raise ValueError('the file ends within a field')
        if wire == _BYTES:
            yield number, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, and where it ends."""
    value = 0
    for shift in range(0, 64, 7):
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError('the file ends within a number')
