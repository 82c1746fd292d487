"""Export of a map for other programs: arrays for NumPy, or a trajectory for evo."""

from __future__ import annotations

import io
from pathlib import Path

from husky_placerec.errors import InputError
from husky_placerec.files import write_atomic
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.types import Pose, tum_line
import numpy as np

SUFFIXES = ('.npz', '.tum', '.txt')


def check_export(path: Path) -> None:
    """
    Check the suffix of an export before any work.

    :raises InputError: for an unknown suffix.
    """
    if path.suffix not in SUFFIXES:
        raise InputError(f'{path}: expected a name that ends in {", ".join(SUFFIXES)}')


def export_map(place_map: PlaceMap, path: Path) -> None:
    """
    Write a map as .npz (stamps_ns, poses, tracks, cameras, present, descriptors) or as TUM.

    A TUM file has the places of all tracks in the order of their stamps.

    :raises InputError: for an unknown suffix.
    """
    check_export(path)
    write_atomic(path, _npz(place_map) if path.suffix == '.npz' else _tum(place_map))


def _npz(place_map: PlaceMap) -> bytes:
    data = io.BytesIO()
    places = place_map.places
    np.savez(
        data,
        stamps_ns=places.stamps_ns,
        poses=places.poses,
        tracks=np.array(places.tracks),
        cameras=np.array(place_map.spec.cameras),
        present=places.present,
        descriptors=np.asarray(place_map.descriptors),
    )
    return data.getvalue()


def _tum(place_map: PlaceMap) -> bytes:
    places = place_map.places
    order = np.argsort(places.stamps_ns, kind='stable')
    lines = [tum_line(int(places.stamps_ns[i]), Pose.from_array(places.poses[i])) for i in order]
    return ''.join(lines).encode()
