"""Checks of the values of a map."""

from __future__ import annotations

from husky_placerec.descriptor.centring import Centring
from husky_placerec.descriptor.whitening import Whitening
from husky_placerec.errors import InputError
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.places import check_poses
from husky_placerec.placemap.views import BLOCK
from husky_placerec.types import FloatArray, Indices
import numpy as np

# A float16 unit vector may be this far from unit length.
NORM_TOLERANCE = 2e-3
SCALE_TOLERANCE = 0.01  # of the mean eigenvalue of a whitening, which is 1
LENGTH_TOLERANCE = 0.01  # of the length of a whitened or centred descriptor, as a share
LEAST_LENGTH = 1e-6  # of such a descriptor; those of distinct images have about 1
LENGTH_FACTOR = 4.0  # between the lengths of a sample and those of all descriptors
SAMPLE = 2000  # places


def check_map(place_map: PlaceMap) -> None:
    """
    Check every pose, stamp and descriptor.

    :raises InputError: for the first wrong value.
    """
    name, places = place_map.name, place_map.places
    _check_shape(place_map)
    try:
        check_poses(places.poses)
    except ValueError as error:
        raise InputError(f'{name}: not all poses are poses ({error})') from error
    check_stamps(place_map)
    check_descriptors(place_map)
    check_compared(place_map)


def check_stamps(place_map: PlaceMap) -> None:
    """
    Check that no track has a stamp twice.

    :raises InputError: that names the track and the stamp.
    """
    twice = place_map.places.duplicate()
    if twice:
        raise InputError(f'{place_map.name}: track {twice[0]} has two places at {twice[1]}')


def check_descriptors(place_map: PlaceMap) -> None:
    """
    Check that present cameras have unit vectors, and absent cameras zeros.

    :raises InputError: that names the first wrong one.
    """
    for first in range(0, len(place_map), BLOCK):
        _check_norms(place_map, first)


def check_compared(place_map: PlaceMap) -> None:
    """
    Check a whitening or centring, and the stored lengths of the vectors against those of a sample.

    Similarities are divided by these lengths, so that a wrong one makes any similarity.

    :raises InputError: for numbers that no whitening or centring of these descriptors has.
    """
    lengths = place_map.views.lengths
    if lengths is None:
        return
    name = place_map.name
    _check_whitening(place_map.whitening, name)
    _check_centring(place_map.centring, name)
    step = max(1, len(place_map) // SAMPLE)
    found = np.asarray(lengths)
    expected = _lengths(place_map, np.arange(0, len(place_map), step))
    apart = np.abs(found[::step] - expected)
    bounds = LENGTH_FACTOR * np.array([1 / LENGTH_FACTOR**2, 1]) * (expected.min(), expected.max())
    good = (found >= max(bounds[0], LEAST_LENGTH)) & (found <= bounds[1])
    good[::step] &= apart <= LENGTH_TOLERANCE * expected
    for place, camera in zip(*np.nonzero(~good)):  # NaN is not good
        raise InputError(
            f'{name}: the compared descriptor of place {place}, '
            f'{place_map.spec.cameras[camera]}, has length {found[place, camera]:.4g}; expected '
            + (
                f'{expected[place // step, camera]:.4g}'
                if place % step == 0
                else f'{bounds[0]:.4g} to {bounds[1]:.4g}'
            )
        )


def _check_shape(place_map: PlaceMap) -> None:
    spec, found = place_map.spec, tuple(place_map.descriptors.shape)
    expected = (len(place_map), len(spec.cameras), spec.size)
    if not len(place_map):
        raise InputError(f'{place_map.name}: an empty map; expected at least one place')
    if found != expected:
        raise InputError(f'{place_map.name}: descriptors {found}; expected {expected}')


def _check_norms(place_map: PlaceMap, first: int) -> None:
    block = slice(first, first + BLOCK)
    values = np.asarray(place_map.descriptors[block], np.float32)
    norms = np.sqrt(np.einsum('ncd,ncd->nc', values, values))
    present = place_map.places.present[block]
    wrong = ~(abs(norms - present) <= NORM_TOLERANCE)  # NaN is wrong too
    for row, camera in zip(*np.nonzero(wrong)):
        raise InputError(
            f'{place_map.name}: the descriptor of place {first + row}, '
            f'{place_map.spec.cameras[camera]}, has length {norms[row, camera]:.4f}; '
            f'expected {int(present[row, camera])}'
        )


def _check_whitening(whitening: Whitening | None, name: str) -> None:
    if whitening is None:
        return
    scale = float(np.trace(whitening.matrix, dtype=np.float64)) / len(whitening.mean)
    if not np.isfinite(whitening.mean).all() or not np.isfinite(whitening.matrix).all():
        raise InputError(f'{name}: the whitening is not finite')
    if abs(scale - 1) > SCALE_TOLERANCE or np.abs(whitening.mean).max() > 1:
        raise InputError(
            f'{name}: the eigenvalues of the whitening have the mean {scale:.4g}; expected 1'
        )


def _check_centring(centring: Centring | None, name: str) -> None:
    if centring is None:
        return
    if not np.isfinite(centring.means).all():
        raise InputError(f'{name}: the centring is not finite')
    longest = float(np.linalg.norm(centring.means, axis=2).max())
    if longest > 1 + SCALE_TOLERANCE:
        raise InputError(f'{name}: a mean of the centring has the length {longest:.4g}; at most 1')


def _lengths(place_map: PlaceMap, places: Indices) -> FloatArray:
    """Return [K, C] the lengths of the vectors of some places before normalisation."""
    rows = np.asarray(place_map.descriptors[places], np.float32)
    if place_map.centring is not None:
        return place_map.centring.lengths(places, rows)
    assert place_map.whitening is not None
    return place_map.whitening.lengths(rows)
