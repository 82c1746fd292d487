"""Pruning of a map: one place every few metres for each appearance."""

from __future__ import annotations

from husky_placerec.placemap.building import now
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.thumbnails import chosen
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

FACING_DEG = 45.0  # largest angle between places that can replace each other


def prune(place_map: PlaceMap, every_m: float, alike: float) -> PlaceMap:
    """
    Keep the places that no kept place can replace.

    A place replaces another one within `every_m` metres that faces the same way and is similar. So
    a view that is the same in every season is kept once, and a view that changes once a season.

    :param alike: mean cosine from which two places look alike.
    """
    kept = np.flatnonzero(_kept(place_map, every_m, alike))
    tracks = {place_map.places.tracks[i] for i in kept}
    pruned = place_map.with_places(
        place_map.places.chosen(kept),
        np.asarray(place_map.descriptors[kept], np.float16),
        sources={t: source for t, source in place_map.sources.items() if t in tracks},
        created=now(),
        thumbnails=chosen([(place_map.thumbnails, kept.tolist())], place_map.spec.sees),
        local=None if place_map.local is None else place_map.local.chosen(kept),
        texts=None if place_map.texts is None else place_map.texts.chosen(kept),
        landmarks=None if place_map.landmarks is None else place_map.landmarks.chosen(kept),
    )
    return pruned.whitened(pruned.fit_whitening()) if pruned.whitening else pruned


def neighbours_alike(place_map: PlaceMap) -> float:
    """
    Return the median similarity of neighbours on a drive.

    A place that is more similar to another one adds less than the next frame of a drive does.
    """
    tracks = np.array(place_map.places.tracks)
    together = np.flatnonzero(tracks[1:] == tracks[:-1])
    if not len(together):
        return 1.0
    some = together[:: max(1, len(together) // 5000)]
    return float(np.median(_similarities(place_map, some, some + 1)))


def _kept(place_map: PlaceMap, every_m: float, alike: float) -> NDArray[np.bool_]:
    poses = place_map.places.poses
    rotations = Rotation.from_quat(poses[:, 3:])
    around = cKDTree(poses[:, :3])
    kept = np.zeros(len(poses), np.bool_)
    for i in range(len(poses)):
        near = np.array(around.query_ball_point(poses[i, :3], every_m), np.int64)
        near = near[kept[near]]
        if len(near):
            turned = np.degrees((rotations[near].inv() * rotations[i]).magnitude())
            near = near[turned <= FACING_DEG]
        kept[i] = not len(near) or bool(
            _similarities(place_map, near, np.full(len(near), i)).max() < alike
        )
    return kept


def _similarities(
    place_map: PlaceMap, ones: NDArray[np.int64], others: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the mean cosine of pairs of places; -1 where their cameras differ."""
    a = np.asarray(place_map.descriptors[ones], np.float32)
    b = np.asarray(place_map.descriptors[others], np.float32)
    present = place_map.places.present
    count = present[ones].sum(axis=1)
    mean = np.einsum('ncd,ncd->n', a, b) / np.maximum(count, 1)
    same = (present[ones] == present[others]).all(axis=1) & (count > 0)
    return np.where(same, mean, -1.0)
