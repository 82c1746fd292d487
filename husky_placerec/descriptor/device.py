"""
The device that runs a network: the CPU or a CUDA GPU.

Networks compute in float32 on both, so the device is not part of a descriptor's spec: a map that
was built on one device can be searched on the other. A missing GPU that was asked for is an error.
A silent fallback to the CPU would leave the robot with a latency that nobody expects.
"""

from __future__ import annotations

from husky_placerec.errors import InputError

CPU, CUDA = 'cpu', 'cuda'


def cuda_error(found: str, remedy: str) -> InputError:
    """Make the error for `device: cuda` where no GPU can be used."""
    return InputError(f'parameter device: cuda, but {found}; {remedy}, or set device: cpu')


def require_cpu(device: str, extractor: str) -> None:
    """
    Check that an extractor without a network runs on the CPU.

    :raises InputError: for cuda.
    """
    if device != CPU:
        raise cuda_error(
            f'extractor {extractor} has no network to run there', 'choose another extractor'
        )
