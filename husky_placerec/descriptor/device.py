"""
Where a network runs: on the CPU, or on a GPU that has to be there.

On both it computes in float32, so that the device is no part of a descriptor's spec: a map that
one made is searched with the other. What is asked for and is not there is an error, since a robot
that falls back to its CPU unnoticed is a robot that is late.
"""

from __future__ import annotations

from husky_placerec.errors import InputError

CPU, CUDA = 'cpu', 'cuda'


def no_cuda(found: str, remedy: str) -> InputError:
    """Return the error for a GPU that was asked for."""
    return InputError(f'parameter device: cuda, but {found}; {remedy}, or set device: cpu')


def require_cpu(device: str, extractor: str) -> None:
    """
    Refuse a GPU for what has no network.

    :raises InputError: for cuda.
    """
    if device != CPU:
        raise no_cuda(f'extractor {extractor} has no network to run there', 'choose another')
