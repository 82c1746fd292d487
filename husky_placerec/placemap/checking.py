"""Checks of the values of a map."""

from __future__ import annotations

from husky_placerec.errors import InputError
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.places import check_poses
from husky_placerec.placemap.views import BLOCK
import numpy as np

# A float16 unit vector may be this far from unit length.
NORM_TOLERANCE = 2e-3


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
