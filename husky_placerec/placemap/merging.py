"""Merging of maps of several tracks, seasons or robots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from husky_placerec.descriptor.local.features import LocalFeatures
from husky_placerec.errors import InputError
from husky_placerec.metric.landmarks import Landmarks
from husky_placerec.placemap.building import now
from husky_placerec.placemap.geographic import at_origin_of, distance_m
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.places import joined, Places
from husky_placerec.placemap.thumbnails import chosen
from husky_placerec.placemap.validation import require_alike
from husky_placerec.texts.map_texts import MapTexts
import numpy as np
from numpy.typing import NDArray

# Two descriptions of a drive differ by the rounding of float16 only.
SAME_COSINE = 0.999


@dataclass(frozen=True, eq=False)
class Merged:
    """
    The result of a merge.

    :param added: for each map after the first, the number of its places that are new.
    :param renamed: old and new name of each track whose name was taken.
    :param moved: name of each map that was moved to the geographic origin of the first, and the
        distance of the two origins in metres.
    """

    place_map: PlaceMap
    added: tuple[int, ...]
    renamed: tuple[tuple[str, str], ...]
    moved: tuple[tuple[str, float], ...] = ()


def merge_maps(maps: Sequence[PlaceMap]) -> Merged:
    """
    Join maps of the same model in the same frame.

    Each track keeps its name and source; a track whose name is taken gets a number. A place with
    the stamp and the descriptor of an earlier one is left out. If the first map is whitened, the
    whitening is fitted again to all places. The merged map has no index. A map with another
    geographic origin is moved to that of the first.

    :raises InputError: for no maps, or maps of another model or frame.
    """
    if not maps:
        raise InputError('no maps to merge')
    merged = maps[0]
    added, renamed, moved = [], [], []
    for each in maps[1:]:
        other = at_origin_of(merged, each)
        if other is not each:
            moved.append((each.name, distance_m(merged, each)))
        require_alike(merged, other)
        new = np.flatnonzero(~already_there(merged, other))
        names = _names(merged, other, new)
        renamed += [(old, name) for old, name in names.items() if old != name]
        added.append(len(new))
        if len(new):
            merged = _joined(merged, other, new, names)
    if merged is not maps[0] and merged.whitening is not None:
        merged = merged.whitened(merged.fit_whitening())
    return Merged(merged, tuple(added), tuple(renamed), tuple(moved))


def already_there(place_map: PlaceMap, other: PlaceMap) -> NDArray[np.bool_]:
    """Return for each place of another map whether this map has its stamp and descriptor."""
    stamps = place_map.places.stamps_ns
    order = np.argsort(stamps, kind='stable')
    known = np.zeros(len(other), np.bool_)
    wanted = other.places.stamps_ns
    first = np.searchsorted(stamps[order], wanted, 'left')
    end = np.searchsorted(stamps[order], wanted, 'right')
    for i in np.flatnonzero(end > first):
        candidates = order[first[i] : end[i]]
        seen = np.asarray(place_map.descriptors[candidates], np.float32)
        cosines = np.einsum('kcd,cd->kc', seen, np.asarray(other.descriptors[i], np.float32))
        alike = (cosines >= SAME_COSINE) | ~other.places.present[i]
        same_cameras = (place_map.places.present[candidates] == other.places.present[i]).all(
            axis=1
        )
        known[i] = bool((alike.all(axis=1) & same_cameras).any())
    return known


def _names(one: PlaceMap, other: PlaceMap, new: NDArray[np.int64]) -> dict[str, str]:
    """
    Return a name for each track of the other map with new places.

    A track that continues one of the first map keeps its name.
    """
    taken = set(one.places.tracks)
    again = bool(np.isin(other.places.stamps_ns[new], one.places.stamps_ns).any())
    names: dict[str, str] = {}
    for track in dict.fromkeys(other.places.tracks[i] for i in new):
        more = not again and track in taken and one.sources.get(track) == other.sources.get(track)
        name, number = track, 2
        while name in taken and not more:
            name, number = f'{track}-{number}', number + 1
        names[track] = name
        taken.add(name)
    return names


def _joined(
    one: PlaceMap, other: PlaceMap, new: NDArray[np.int64], names: dict[str, str]
) -> PlaceMap:
    extra: Places = other.places.chosen(new)
    extra = replace(extra, tracks=tuple(names[track] for track in extra.tracks))
    descriptors = np.concatenate(
        [
            np.asarray(one.descriptors, np.float16),
            np.asarray(other.descriptors[new], np.float16),
        ]
    )
    sources = {names[t]: source for t, source in other.sources.items() if t in names}
    pictures = chosen(
        [(one.thumbnails, range(len(one))), (other.thumbnails, new.tolist())], one.spec.sees
    )
    return one.with_places(
        joined([one.places, extra]),
        descriptors,
        sources={**one.sources, **sources},
        created=now(),
        origin=one.origin or other.origin,
        simulated=one.simulated and other.simulated,
        thumbnails=pictures,
        local=_joined_local(one, other, new),
        texts=_joined_texts(one, other, new),
        landmarks=_joined_landmarks(one, other, new),
    )


def _joined_local(one: PlaceMap, other: PlaceMap, new: NDArray[np.int64]) -> LocalFeatures | None:
    """Return the local descriptors of both; None unless both have those of one network."""
    if one.local is None or other.local is None or one.local.spec != other.local.spec:
        return None
    return one.local.joined(other.local.chosen(new))


def _joined_texts(one: PlaceMap, other: PlaceMap, new: NDArray[np.int64]) -> MapTexts | None:
    """Return the texts of both; None unless both were looked through for texts."""
    if one.texts is None or other.texts is None:
        return None
    return one.texts.joined(other.texts.chosen(new))


def _joined_landmarks(one: PlaceMap, other: PlaceMap, new: NDArray[np.int64]) -> Landmarks | None:
    """Return the landmarks of both; None unless both have those of one network, and as many."""
    mine, theirs = one.landmarks, other.landmarks
    if mine is None or theirs is None or mine.values.shape[1:] != theirs.values.shape[1:]:
        return None
    if mine.spec.network_sha256 != theirs.spec.network_sha256:
        return None
    return mine.joined(theirs.chosen(new))
