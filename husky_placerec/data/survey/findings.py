"""The problems of a source, by its numbers, and their remedies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from husky_placerec.data.frames import is_odometry_frame
from husky_placerec.data.problems import allowed, MAX_BROKEN
from husky_placerec.data.soundness.doubt import Doubt
from husky_placerec.data.survey.cameras import CameraSurvey, FROZEN_RUN
from husky_placerec.data.survey.poses import PoseSurvey
from husky_placerec.data.survey.survey import Survey

YEAR_NS = 31_556_952 * 10**9
EARLIEST_NS, LATEST_NS = 30 * YEAR_NS, 130 * YEAR_NS  # 2000 to 2100
FEW = 0.02  # share of the images that is not worth a finding
MANY = 0.2
NARROW_MS = 20.0  # least reserve between the offsets and the slop


@dataclass(frozen=True)
class Finding:
    """
    A problem.

    :param error: a map or a replay of the source would fail or mislead.
    """

    error: bool
    what: str
    advice: str


def findings(survey: Survey, slop_s: float) -> list[Finding]:
    """Return the problems of a source, errors first."""
    found = [*_of_frames(survey, slop_s), *_of_poses(survey)]
    for name, camera in survey.cameras.items():
        if camera is None:
            found.append(Finding(True, f'{name}: no images', 'check the topic, or the folder'))
        else:
            found += _of_camera(name, camera, survey)
    found += [Finding(False, line, 'the rest is used as it is') for line in survey.lacking]
    return sorted(found, key=lambda finding: not finding.error)


def _of_frames(survey: Survey, slop_s: float) -> Iterator[Finding]:
    pairing = survey.pairing
    if not pairing.frames:
        yield Finding(True, 'no frames', 'a frame has an image of each camera that is alive')
    for name, count in pairing.unpaired.items():
        camera = survey.cameras[name]
        rates = [each.rate_hz for each in survey.cameras.values() if each is not None]
        # Some images of the faster camera must remain unpaired.
        expected = 1 - min(rates) / camera.rate_hz if camera and camera.rate_hz else 0.0
        if camera is not None and count > (FEW + expected) * camera.images:
            advice = f'try a larger slop than {slop_s:g} s, or synchronize the cameras'
            yield Finding(False, f'{name}: {count} of {camera.images} images unpaired', advice)
    if pairing.largest_ms > 1000 * slop_s:
        yield Finding(
            False,
            f'images of one frame are up to {pairing.largest_ms:.0f} ms apart',
            f'a bag of it needs --set slop={pairing.largest_ms / 1000 + 0.01:.2f}',
        )


def _of_camera(name: str, camera: CameraSurvey, survey: Survey) -> Iterator[Finding]:
    total = camera.images
    if name in survey.broken:
        yield Finding(
            camera.broken > allowed(MAX_BROKEN, total),
            f'{name}: {camera.broken} of {total} images do not decode, the first '
            f'{survey.broken[name]}',
            'copy it again; a map does without them, up to --max-broken',
        )
    if not EARLIEST_NS <= camera.first_ns <= camera.last_ns <= LATEST_NS:
        yield Finding(
            False,
            f'{name}: stamps from {camera.first_ns} to {camera.last_ns} are not ns since 1970',
            'fine in a simulation; else look at the unit of the stamps and the clock',
        )
    if camera.backward:
        yield Finding(
            False,
            f'{name}: {camera.backward} stamps step back',
            'was the clock set, or are two recordings in one? Split them',
        )
    if camera.duplicates:
        yield Finding(
            False,
            f'{name}: {camera.duplicates} stamps are there twice',
            'the first of each counts; look at the driver',
        )
    if camera.gaps:
        yield Finding(
            False,
            f'{name}: {camera.gaps} gaps of over three periods, the longest '
            f'{camera.longest_gap_s:.1f} s',
            'images were lost, or the drive was cut; the map has no places there',
        )
    if len(camera.sizes) > 1:
        sizes = ', '.join(f'{count} of {size}' for size, count in camera.sizes.items())
        yield Finding(False, f'{name}: images of several sizes: {sizes}', 'use one setting')
    if camera.longest_equal >= FROZEN_RUN:
        yield Finding(
            camera.equal > MANY * total,
            f'{name}: frozen, {camera.longest_equal} equal images in a row, {camera.equal} of '
            f'{total} equal to the one before',
            'restart the camera; cut the frozen part out',
        )
    elif camera.equal > FEW * total:
        yield Finding(False, f'{name}: {camera.equal} images come twice', 'look at the driver')
    if camera.dark > FEW * total:
        yield Finding(
            camera.dark > total - camera.dark,
            f'{name}: {camera.dark} of {total} images are nearly black',
            'is the lens covered, or the exposure fixed?',
        )
    if camera.bright > FEW * total:
        yield Finding(
            False,
            f'{name}: {camera.bright} of {total} images are mostly white',
            'lower the exposure, or let the camera choose it',
        )


def _of_poses(survey: Survey) -> Iterator[Finding]:
    if survey.pose_error is not None:
        none = 'expected one topic or table with poses' in survey.pose_error
        yield Finding(not none, survey.pose_error, 'needed for a map; a replay does without')
    if survey.poses is not None:
        yield from _of_known_poses(survey.poses, survey.doubts)
    for doubt in survey.doubts:
        yield Finding(doubt.grave, doubt.what, doubt.remedy)
    for note in survey.notes:
        yield Finding(False, note, 'a map takes it as it is')


def _of_known_poses(poses: PoseSurvey, doubts: Sequence[Doubt]) -> Iterator[Finding]:
    missing = poses.frames - poses.covered
    if poses.frames and not poses.covered:
        yield Finding(
            True,
            f'{poses.source}: no overlap: poses from {poses.first_ns} to {poses.last_ns}, '
            'images at other times',
            'are the stamps of one clock and in one unit?',
        )
    elif missing:
        yield Finding(
            True,
            f'{poses.source}: no pose for {missing} of {poses.frames} frames, the longest gap '
            f'between poses is {poses.longest_gap_s:.1f} s',
            'a map leaves them out with --skip-unposed; or bridge the gap with --max-gap',
        )
    if poses.jumps and not any(doubt.kind == 'parted' for doubt in doubts):
        yield Finding(
            False,
            f'{poses.source}: {poses.jumps} jumps, the first at {poses.first_jump_ns}',
            'localization lost itself, or frames are mixed; look before you map it',
        )
    if is_odometry_frame(poses.frame_id):
        yield Finding(False, f'{poses.source}: poses in odom drift', 'map with poses that do not')
    if poses.child_frame_id not in ('', 'base_link'):
        yield Finding(
            False,
            f'{poses.source}: poses of {poses.child_frame_id} are taken for base_link',
            'give poses of base_link',
        )
