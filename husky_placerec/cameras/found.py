"""What a source or a robot tells of its cameras, and what is doubtful about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from husky_placerec.cameras.camera_info import fitted, intrinsics_of, is_rectified
from husky_placerec.cameras.intrinsics import Intrinsics
from husky_placerec.cameras.known import KnownCamera
from husky_placerec.cameras.mounting import BASE_FRAME, heading_of, TransformTree
from husky_placerec.errors import InputError
from husky_placerec.types import Pose

UNKNOWN = 'it counts as not known'


@dataclass(frozen=True)
class FoundCameras:
    """
    What is known of cameras, by name.

    :param notes: what is doubtful, in sentences.
    """

    cameras: Mapping[str, KnownCamera] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CameraTold:
    """
    What the messages of a robot tell of one camera.

    :param info: the first `CameraInfo`; None: none came.
    :param frame_id: of the images, where the CameraInfo has none.
    :param image_topic: tells whether the images are rectified.
    :param info_topic: for messages.
    """

    info: Any | None
    frame_id: str
    image_topic: str
    info_topic: str


def found_cameras(told: Mapping[str, CameraTold], tree: TransformTree) -> FoundCameras:
    """Return what CameraInfo and static TF tell; what cannot be is noted, and left out."""
    notes: list[str] = []
    cameras = {}
    frames = {name: _frame(each) for name, each in told.items()}
    counts = Counter(filter(None, frames.values())) if tree else Counter[str]()
    shared = [frame for frame, count in counts.items() if count > 1]
    for frame in shared:
        names = ' and '.join(name for name, other in frames.items() if other == frame)
        notes.append(
            f'cameras {names} have one optical frame, {frame}; where they are counts as not known'
        )
    for name, each in told.items():
        lens = _lens(name, each, notes)
        mounting = None
        if tree and frames[name] and frames[name] not in shared:
            mounting = _mounting(name, frames[name], tree, notes)
        if lens is not None or mounting is not None:
            cameras[name] = KnownCamera(lens, mounting, frames[name])
    return FoundCameras(cameras, tuple(notes))


def changed(first: Any, later: Any) -> bool:
    """Return whether two CameraInfo of a camera differ in what they tell of its intrinsics."""
    return _told(first) != _told(later)


def fit_to_images(found: FoundCameras, sizes: Mapping[str, tuple[int, int]]) -> FoundCameras:
    """
    Return what was found, for the images as they come.

    Intrinsics of resized images are scaled, with a note; those of images of another shape count as
    not known.

    :param sizes: width and height of the images of each camera, px.
    """
    cameras, notes = dict(found.cameras), list(found.notes)
    for name, known in found.cameras.items():
        if known.intrinsics is None or name not in sizes:
            continue
        try:
            lens, note = fitted(known.intrinsics, sizes[name], f'CameraInfo of {name}')
        except InputError as error:
            lens, note = None, f'{error}; {UNKNOWN}'
        cameras[name] = replace(known, intrinsics=lens)
        notes += [note] if note else []
    return FoundCameras(cameras, tuple(notes))


def _lens(name: str, told: CameraTold, notes: list[str]) -> Intrinsics | None:
    if told.info is None:
        return None
    source = f'CameraInfo of {name} on {told.info_topic}'
    try:
        lens = intrinsics_of(told.info, source, rectified=is_rectified(told.image_topic))
    except InputError as error:
        notes.append(f'{error}; {UNKNOWN}')
        return None
    if lens is None:
        notes.append(f'{source}: all zeros, the camera is not calibrated; {UNKNOWN}')
    return lens


def _mounting(name: str, frame: str, tree: TransformTree, notes: list[str]) -> Pose | None:
    where = f'where camera {name} is counts as not known'
    try:
        pose = tree.pose_in_base(frame)
    except InputError as error:
        notes.append(f'{error}; {where}')
        return None
    if heading_of(pose) is None:
        notes.append(
            f'static TF: {frame} looks up or down from {BASE_FRAME}; expected an optical frame '
            f'(x right, y down, z ahead); {where}'
        )
        return None
    return pose


def _frame(told: CameraTold) -> str:
    named = '' if told.info is None else told.info.header.frame_id
    return str(named or told.frame_id).lstrip('/')


def _told(info: Any) -> tuple[Any, ...]:
    numbers = (
        getattr(info, name) if hasattr(info, name) else getattr(info, name.upper())
        for name in ('k', 'd', 'p')
    )
    matrices = [repr(list(map(float, each))) for each in numbers]  # in which NaN equals NaN
    roi = info.roi
    window = roi.x_offset, roi.y_offset, roi.width, roi.height
    return (*matrices, info.width, info.height, info.binning_x, info.binning_y, window)
