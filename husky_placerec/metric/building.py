"""Landmarks of all places of a map, and better poses of them where the given ones are noisy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from husky_placerec.errors import InputError
from husky_placerec.metric.adjustment import adjust, PosePrior
from husky_placerec.metric.landmarks import Landmarks, LandmarkSpec, packed, stacked
from husky_placerec.metric.matching import NeighbourMatches
from husky_placerec.metric.noise import epipolar_sigma, excess_of, gate_of, RANGE_PX
from husky_placerec.metric.rig import Rig
from husky_placerec.metric.sight import Sight
from husky_placerec.metric.triangulation import Bundle, bundle_of, triangulate, Triangulated
from husky_placerec.progress import Passing
from husky_placerec.types import Floats
import numpy as np

NOISY_PX = 1.8  # of matches about their epipolar planes, from which the poses are refined
MOST_NOISE_PX = 3.0  # after the refinement; above it poses or calibration are wrong
WINDOW, OVERLAP = 240, 12  # places that are adjusted together, and those that two windows share
ASSUMED_DISTANCE_M = 6.0  # at which half of a noise comes from positions, half from headings
LEAST_PER_PLACE = 20  # landmarks, on average, from which frames can be solved
WRONG_FOCAL, WRONG_MOUNT_DEG, WRONG_MOUNT_M = 0.015, 0.8, 0.05  # corrections that are told
ADJUSTMENTS = 2
CHECKED = 60  # places by which the calibration is checked
WIDE_PX = 8.0  # most residual of a match there, as a wrong calibration makes them large
EXACT = PosePrior(0.01, 0.002)  # of poses that agree with the key points
# Shares of the noise of positions and headings that stay after an adjustment, on simulated drives.
LEFT = 0.65, 0.25


@dataclass(frozen=True, eq=False)
class Built:
    """
    The landmarks of a map.

    :param poses: [N, 7] of the places, refined where they were noisy.
    :param notes: what was found of noise and calibration, in sentences.
    :param doubts: what is wrong with it, in sentences.
    """

    landmarks: Landmarks
    poses: Floats
    notes: tuple[str, ...]
    doubts: tuple[str, ...] = ()


def build_landmarks(
    poses: Floats,
    tracks: Sequence[str],
    sights: Sequence[Sequence[Sight]],
    rig: Rig,
    spec: LandmarkSpec,
    source: str,
    *,
    refine: bool = True,
    progress: Passing = lambda items, _: items,
) -> Built:
    """
    Triangulate the key points of places by those of their neighbours.

    :param poses: [N, 7] of the places, in the order of each track.
    :param sights: [N][C] what the cameras saw there.
    :param source: of the poses, for errors.
    :param refine: adjust poses that are noisy.
    :raises InputError: where hardly any key point gets a distance; it says why.
    """
    matches = NeighbourMatches(poses, tracks, sights)
    focals = rig.focals(spec.input_width)
    bundles = _bundles(matches, poses, rig, focals, progress)
    sigma, near = _noise(bundles)
    notes, doubts = [f'noise of the epipolar geometry: {sigma:.1f} px'], []
    noisy = bool(np.isfinite(sigma) and sigma > NOISY_PX)
    prior = _prior(sigma, float(focals.mean())) if noisy else PosePrior(0.0, 0.0)
    left = LEFT if refine else (1.0, 1.0)
    if np.isfinite(sigma) and not noisy:
        doubts += _checked(poses, bundles, rig)
    if noisy and refine:
        before, first = sigma, poses
        for _ in range(ADJUSTMENTS):
            poses, said, wrong = _adjusted(poses, bundles, rig, prior, sigma)
            bundles = _bundles(matches, poses, rig, focals, lambda items, _: items)
            sigma, near = _noise(bundles)
        moved = np.linalg.norm(poses[:, :3] - first[:, :3], axis=1)
        notes.append(
            f'poses refined by bundle adjustment: moved by {np.median(moved):.3f} m (median) and '
            f'{moved.max():.3f} m (most); noise {before:.1f} px before, {sigma:.1f} px after'
        )
        notes += said
        doubts += wrong
        _require_fit(sigma, source)
    found = [[triangulate(b, gate_of(sigma), sigma) for b in each] for each in bundles]
    _require_enough(found, poses, near, sigma, source)
    made = replace(
        spec,
        noise_px=round(float(sigma), 2),
        map_sigma_m=round(left[0] * prior.metres, 4),
        map_sigma_rad=round(left[1] * prior.radians, 5),
    )
    rows = [
        [
            packed(sights[place][camera], each, rig.origins[camera], made)
            for camera, each in enumerate(of_place)
        ]
        for place, of_place in enumerate(found)
    ]
    return Built(stacked(rows, made), poses, tuple(notes), tuple(doubts))


def _bundles(
    matches: NeighbourMatches, poses: Floats, rig: Rig, focals: Floats, progress: Passing
) -> list[list[Bundle]]:
    origins = rig.origins
    return [
        [
            bundle_of(matches, poses, origins, place, camera, float(focals[camera]))
            for camera in range(len(rig))
        ]
        for place in progress(range(len(poses)), len(poses))
    ]


def _noise(bundles: Sequence[Sequence[Bundle]]) -> tuple[float, float]:
    """Return the noise of the worst camera's matches with near places, and matches a place."""
    sigmas, right = [float('nan')], 0
    for of_camera in zip(*bundles):
        errors = np.concatenate([bundle.plane_errors()[:2].ravel() for bundle in of_camera])
        right += int((errors < RANGE_PX).sum())
        sigmas.append(epipolar_sigma(errors))
    found = [sigma for sigma in sigmas if np.isfinite(sigma)]
    return max(found, default=float('nan')), right / max(1, len(bundles))


def _prior(sigma: float, focal: float) -> PosePrior:
    """Return how noisy poses are by the noise of the epipolar geometry."""
    radians = max(excess_of(sigma), 0.2) / focal / np.sqrt(2)
    return PosePrior(float(radians) * ASSUMED_DISTANCE_M, float(radians))


def _adjusted(
    poses: Floats,
    bundles: Sequence[Sequence[Bundle]],
    rig: Rig,
    prior: PosePrior,
    sigma: float,
) -> tuple[Floats, list[str], list[str]]:
    """Return poses, window by window, and what was found of the cameras."""
    gate = gate_of(sigma)
    found = [[triangulate(b, gate, sigma) for b in each] for each in bundles]
    axes = rig.axes[:, :, 2]
    refined = poses.copy()
    mountings: list[Floats] = []
    focals: list[Floats] = []
    for first in range(0, len(poses), WINDOW - OVERLAP):
        last = min(first + WINDOW, len(poses))
        # What another window has refined already counts as given.
        part = [[_within(b, first, last) for b in each] for each in bundles[first:last]]
        kept = [
            [_kept(b, t, first, last) for b, t in zip(*both)]
            for both in zip(bundles[first:last], found[first:last])
        ]
        done = adjust(refined[first:last], part, kept, rig.origins, axes, prior)
        begun = first if first == 0 else first + OVERLAP // 2
        refined[begun:last] = done.poses[begun - first :]
        mountings.append(done.mountings)
        focals.append(done.focals)
        if last == len(poses):
            break
    said, wrong = _about_cameras(rig, np.mean(mountings, axis=0), np.mean(focals, axis=0))
    return refined, said, wrong


def _checked(poses: Floats, bundles: Sequence[Sequence[Bundle]], rig: Rig) -> list[str]:
    """
    Return what is wrong with the cameras of exact poses, in sentences.

    A wrong focal length hardly shows about the epipolar planes of a robot that drives ahead, but
    in the distances by several neighbours.
    """
    some = slice(0, CHECKED)
    found = [[triangulate(b, WIDE_PX, 1.0) for b in each] for each in bundles[some]]
    part = [[_within(b, 0, CHECKED) for b in each] for each in bundles[some]]
    kept = [[_kept(b, t, 0, CHECKED) for b, t in zip(*both)] for both in zip(bundles, found)]
    done = adjust(poses[some], part, kept, rig.origins, rig.axes[:, :, 2], EXACT)
    return _about_cameras(rig, done.mountings, done.focals)[1]


def _within(bundle: Bundle, first: int, last: int) -> Bundle:
    """Return a bundle whose neighbours are counted from the first place of a window."""
    inside = [number for number, other in enumerate(bundle.others) if first <= other < last]
    return replace(
        bundle,
        others=tuple(bundle.others[number] - first for number in inside),
        seen=bundle.seen[inside],
        across=bundle.across[inside],
    )


def _kept(bundle: Bundle, found: Triangulated, first: int, last: int) -> Triangulated:
    inside = [number for number, other in enumerate(bundle.others) if first <= other < last]
    return replace(found, agree=found.agree[inside])


def _about_cameras(rig: Rig, mountings: Floats, focals: Floats) -> tuple[list[str], list[str]]:
    """Return the corrections of the cameras in sentences: all, and those that are too large."""
    said: list[str] = []
    wrong: list[str] = []
    for camera, fix, focal in zip(rig.cameras, mountings, focals):
        turned = float(np.degrees(np.linalg.norm(fix[3:])))
        moved = float(np.linalg.norm(fix[:3]))
        sentence = (
            f'camera {camera.name}: the key points fit a focal length that is '
            f'{abs(focal):.1%} {"longer" if focal > 0 else "shorter"}, and a mounting that is '
            f'turned by {turned:.1f} degrees and moved by {moved:.2f} m'
        )
        far = abs(focal) > WRONG_FOCAL or turned > WRONG_MOUNT_DEG or moved > WRONG_MOUNT_M
        (wrong if far else said).append(sentence)
    return said, [f'{each}; check its calibration' for each in wrong]


def _require_fit(sigma: float, source: str) -> None:
    if not sigma < MOST_NOISE_PX:
        raise InputError(
            f'{source}: the key points do not fit the poses: after the bundle adjustment their '
            f'noise is {sigma:.1f} px; expected below {MOST_NOISE_PX:g} px. Check the poses, the '
            'intrinsics and the mounting of the cameras'
        )


def _require_enough(
    found: Sequence[Sequence[Triangulated]],
    poses: Floats,
    near: float,
    sigma: float,
    source: str,
) -> None:
    """Refuse a map of which hardly any frame could be solved, and say what its drive lacks."""
    mean = sum(len(each.rows) for of_place in found for each in of_place) / max(1, len(found))
    if mean >= LEAST_PER_PLACE:
        return
    steps = np.linalg.norm(np.diff(poses[:, :3], axis=0), axis=1)
    step = float(np.median(steps)) if len(steps) else 0.0
    if not len(steps):
        why = 'a single place has no neighbour'
    elif step > 8.0:
        why = f'places are {step:.0f} m apart; expected a place every 3 m or so'
    elif step < 0.05:
        why = 'the places lie on one spot, where nothing but the heading changes'
    elif near < LEAST_PER_PLACE:
        why = f'neighbours share {near:.0f} key points; the images show too little'
    else:
        why = (
            f'{near:.0f} key points that neighbours share do not fit the poses (noise '
            f'{sigma:.0f} px): check the poses, the intrinsics and the mounting of the cameras'
        )
    raise InputError(
        f'{source}: {mean:.0f} landmarks a place; expected at least {LEAST_PER_PLACE}: {why}'
    )
