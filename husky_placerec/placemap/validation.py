"""The recall of a map on a drive with known poses, and what raises it: centring or whitening."""

from __future__ import annotations

from collections.abc import Mapping

from husky_placerec.descriptor.centring import LEAST_PLACES
from husky_placerec.errors import InputError
from husky_placerec.placemap.place_map import PlaceMap
import numpy as np
from scipy.spatial import cKDTree

WITHIN_M = 5.0


def recall_of_drive(
    place_map: PlaceMap, drive: PlaceMap, within_m: float = WITHIN_M
) -> dict[str, float]:
    """
    Return recall@1 of each kind of query, over the frames within `within_m` of a place.

    A drive in the direction of the map tests the forward queries, a drive in the other direction
    the reversed ones. A single camera is searched both ways.

    :param drive: its places are the queries.
    :raises InputError: for a drive of another descriptor or frame, or one that is elsewhere.
    """
    require_alike(place_map, drive)
    apart, _ = cKDTree(place_map.places.poses[:, :2]).query(drive.places.poses[:, :2])
    reachable = np.flatnonzero(apart <= within_m)
    if not len(reachable):
        raise InputError(
            f'{drive.name}: none of {len(drive)} frames is within {within_m:g} m of a place; '
            f'the nearest is {apart.min():.0f} m away'
        )
    hits: dict[str, list[bool]] = {kind.name: [] for kind in place_map.kinds}
    queries = place_map.session_queries(drive.descriptors)
    for i in reachable:
        truth = drive.places.poses[i, :2]
        for name, found in place_map.search_each(queries[i], 1).items():
            position = place_map.places.poses[found[0].place, :2] if found else truth + np.inf
            hits[name].append(bool(np.hypot(*(position - truth)) <= within_m))
    return {name: float(np.mean(hit)) for name, hit in hits.items() if hit}


def best_compared(place_map: PlaceMap, drive: PlaceMap, *, whiten: bool = True) -> PlaceMap:
    """
    Return the map compared in the way with the highest recall on a drive.

    The ways are: raw, centred by session (from LEAST_PLACES places on), and whitened. Where two
    are equally good, the first of them is used. The recalls are stored in the map.

    :param whiten: try whitening, too.
    """
    raw = place_map.whitened(None)
    ways = {'raw': raw}
    if len(place_map) >= LEAST_PLACES:
        ways['centred'] = raw.centred(raw.fit_centring())
    if whiten:
        ways['whitened'] = raw.whitened(raw.fit_whitening())
    gain = {name: recall_of_drive(way, drive) for name, way in ways.items()}
    best = ways[max(gain, key=lambda name: _mean(gain[name]))]
    if best.centring is not None:
        return best.centred(best.centring, gain)
    return best.whitened(best.whitening, gain)


def require_alike(one: PlaceMap, other: PlaceMap) -> None:
    """
    Refuse two maps of different models or frames.

    :raises InputError: that names the difference.
    """
    differences = one.spec.differences(other.spec)
    if one.frame_id != other.frame_id:
        differences.append(('frame', one.frame_id, other.frame_id))
    if one.opposites != other.opposites:
        differences.append(('opposite cameras', one.opposites, other.opposites))
    if one.origin and other.origin and one.origin != other.origin:
        differences.append(('origin', one.origin, other.origin))
    if differences:
        said = '; '.join(f'{name} is {b!r}, not {a!r}' for name, a, b in differences)
        raise InputError(f'{other.name}: does not go with {one.name}: {said}')


def _mean(recall: Mapping[str, float]) -> float:
    return float(np.mean(list(recall.values())))
