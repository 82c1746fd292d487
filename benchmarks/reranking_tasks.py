"""The candidates of reranking.py: what the global descriptor finds, and the images to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from decision_drives import campus, decoded, described, Recorded, recorded
from decision_worlds import Driven, lenses, mapped
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.config import Config, make_config, read_config
from husky_placerec.descriptor.extractor import DescriptorExtractor, load_extractor
from husky_placerec.descriptor.local.extractor import load_local
from husky_placerec.descriptor.preparation import Preparation
from husky_placerec.placemap.building import now
from husky_placerec.placemap.centring_choice import AUTO, centred_as_asked
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.places import Places
from husky_placerec.types import FloatArray, Floats, Frame, Indices, Mask, Pixels, SECOND_NS
import numpy as np
from real_sets import CAMERA, real_sets, Traverse

WIDTH, HEIGHT = 384, 224
COUNT = 10  # candidates
NEAR_M, FACING = 5.0, np.radians(30)  # of a right candidate
CONDITIONS = 'night', 'autumn_rain', 'winter_dusk', 'winter_night'


@dataclass(frozen=True, eq=False)
class View:
    """What one camera saw: the prepared image [HEIGHT, WIDTH, 3], and its global descriptor."""

    image: Pixels
    descriptor: FloatArray


Views = Callable[[int], Sequence[View]]  # by camera, of a place or a frame


@dataclass(frozen=True, eq=False)
class Task:
    """
    The candidates of the frames of one drive on one map.

    :param mapped: the views of the places, and `driven` those of the frames.
    :param frames: [Q] of the drive, whose place is in the map.
    :param candidates: [Q, COUNT] places, with `similarity`; `reverse` where they are passed the
        other way round.
    :param right: [Q, COUNT] by tolerance: whether the candidate is right.
    :param offsets: [Q, COUNT, 3] how far the frame is ahead and to the left of the candidate, and
        by how many radians it faces further to the left; None where no poses are known.
    :param headings: [N] of the places in radians; None where they are not known.
    """

    name: str
    places: int
    mapped: Views
    driven: Views
    opposites: Sequence[int]
    frames: Indices
    candidates: Indices
    reverse: Mask
    similarity: Floats
    right: Mapping[str, Mask]
    offsets: Floats | None = None
    headings: Floats | None = None


def simulated(seed: int, folder: Path, frames: int, *, backwards: bool = False) -> Iterator[Task]:
    """
    Yield the drives on a `hard` campus under CONDITIONS; at most so many frames of each.

    :param backwards: the drives the other way round, too, by day and night.
    """
    plan, config = campus('hard', seed), read_config(None, [*lenses(), 'threads=1'])
    extractor = load_extractor(config)
    drives = [each for each in plan.driven if each.condition in CONDITIONS]
    if backwards:
        drives += plan.reversed
    local = load_local(config, extractor.spec)
    kept = {each: recorded(each, folder) for each in (plan.mapped, *drives)}
    prepare = _preparation(extractor, config)

    def driven(drive: DriveConfig) -> Driven:
        seen = kept[drive]
        made = described(seen, extractor, local, folder)
        return Driven(drive, seen.stamps_ns, seen.poses, seen.wheels, *made)

    place_map = centred_as_asked(mapped(driven(plan.mapped), extractor, config), AUTO)
    place_views = _views_of(kept[plan.mapped], place_map.descriptors, prepare)
    for each in drives:
        drive = driven(each)
        apart, _ = place_map.positions.query(drive.poses[:, :2])
        on_map = np.flatnonzero(apart <= NEAR_M)
        chosen = on_map[np.linspace(0, len(on_map) - 1, min(frames, len(on_map))).astype(int)]
        found = _found(place_map, drive.descriptors, chosen)
        apart_by = offsets(place_map, drive.poses[chosen], *found[:2])
        yield Task(
            f'{seed} {each.condition}' + (' reverse' if each.reverse else ''),
            len(place_map),
            place_views,
            _views_of(kept[each], drive.descriptors, prepare),
            place_map.opposites or (),
            chosen,
            *found,
            {'5 m': near(apart_by, NEAR_M)},
            apart_by,
            yaws(place_map.places.poses),
        )


def real(folder: Path) -> Iterator[Task]:
    """Yield both directions of each real set; one camera of unknown intrinsics."""
    config = make_config({'cameras': [CAMERA], 'camera.front.opposite': '', 'threads': 1})
    extractor = load_extractor(config)
    prepare = _preparation(extractor, config)
    for each in real_sets(folder):
        vectors = {id(t): _described(t, extractor) for t in (each.first, each.second)}
        for name, first, second in each.directions():
            stored = vectors[id(first)]
            place_map = centred_as_asked(one_track(stored, extractor), AUTO)
            queries = vectors[id(second)]
            frames = np.arange(len(queries))
            found = _found(place_map, queries, frames)
            apart = np.abs(first.places[found[0]] - second.places[:, None])
            yield Task(
                name,
                len(place_map),
                _views_of(first, stored, prepare),
                _views_of(second, queries, prepare),
                (),
                frames,
                *found,
                {f'±{t}' if t else 'exact': apart <= t for t in each.tolerances},
            )


def _preparation(extractor: DescriptorExtractor, config: Config) -> Preparation:
    spec = replace(extractor.spec, input_width=WIDTH, input_height=HEIGHT)
    return Preparation.of(spec, config, None)


def _views_of(seen: Recorded | Traverse, vectors: FloatArray, prepare: Preparation) -> Views:
    def view(number: int) -> list[View]:
        if isinstance(seen, Traverse):
            images = {CAMERA: seen.images[number]}
        else:
            images = {name: decoded(jpeg) for name, jpeg in seen.jpegs[number].items()}
        prepared = [prepare(camera, np.ascontiguousarray(i)) for camera, i in images.items()]
        return [View(i, np.float32(v)) for i, v in zip(prepared, vectors[number])]

    return lru_cache(maxsize=64)(view)


def _found(
    place_map: PlaceMap, descriptors: FloatArray, frames: Indices
) -> tuple[Indices, Mask, Floats]:
    """Return the places, directions and similarities [Q, COUNT] of the best candidates."""
    queries = place_map.session_queries(descriptors)[frames]
    both_ways = place_map.opposites is not None
    rows = [place_map.search(each, COUNT, both_ways=both_ways) for each in queries]
    return (
        np.array([[c.place for c in row] for row in rows], np.int64),
        np.array([[bool(c.reversed) for c in row] for row in rows], np.bool_),
        np.array([[c.similarity for c in row] for row in rows], np.float64),
    )


def offsets(place_map: PlaceMap, truths: Floats, candidates: Indices, reverse: Mask) -> Floats:
    """Return how frames stand to candidates; see `Task`."""
    poses = place_map.places.poses
    facing = yaws(poses)[candidates] + np.pi * reverse
    east, north = np.moveaxis(truths[:, None, :2] - poses[candidates, :2], 2, 0)
    ahead = east * np.cos(facing) + north * np.sin(facing)
    left = north * np.cos(facing) - east * np.sin(facing)
    turn = (yaws(truths)[:, None] - facing + np.pi) % (2 * np.pi) - np.pi
    return np.stack([ahead, left, turn], axis=2)


def near(offsets: Floats, within_m: float) -> Mask:
    """Return which candidates are near the truth and face as it does."""
    apart = np.hypot(offsets[..., 0], offsets[..., 1])
    return np.asarray((apart <= within_m) & (np.abs(offsets[..., 2]) <= FACING))


def yaws(poses: Floats) -> Floats:
    """Return the headings in radians of [N, 7] poses."""
    x, y, z, w = poses[:, 3:].T
    return np.asarray(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)))


def _described(traverse: Traverse, extractor: DescriptorExtractor) -> FloatArray:
    frames: Iterator[Frame[Pixels]] = traverse.frames()
    return np.array([extractor.describe(frame) for frame in frames], np.float16)


def one_track(vectors: FloatArray, extractor: DescriptorExtractor) -> PlaceMap:
    stamps, poses = np.arange(len(vectors)) * SECOND_NS, np.zeros((len(vectors), 7))
    poses[:, 0], poses[:, 6] = np.arange(len(vectors)), 1.0
    places = Places(stamps, poses, ('track',) * len(vectors), vectors.any(axis=2))
    return PlaceMap(places, vectors, extractor.spec, 'map', None, {'track': 'images'}, now())
