"""What is known of each camera of a robot, from messages, files or parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
import math
from typing import Any

from husky_placerec.cameras.intrinsics import checked, Intrinsics, PLUMB_BOB
from husky_placerec.cameras.mounting import is_rigid, opposites_of, turns_of
from husky_placerec.config import CameraConfig, Config, FUSED
from husky_placerec.errors import InputError
from husky_placerec.types import Pose


@dataclass(frozen=True)
class KnownCamera:
    """
    What is known of a camera.

    :param intrinsics: of the images as they come, not turned; None: not known.
    :param mounting: pose of the optical frame in `base_link`; None: not known.
    :param frame_id: name of the optical frame; empty: not known.
    """

    intrinsics: Intrinsics | None = None
    mounting: Pose | None = None
    frame_id: str = ''

    @property
    def turns(self) -> int:
        """Quarter turns, counterclockwise, that bring an image upright."""
        return 0 if self.mounting is None else turns_of(self.mounting)

    @property
    def lens(self) -> Intrinsics | None:
        """The intrinsics of the upright camera; None: not known."""
        return None if self.intrinsics is None else replace(self.intrinsics, turns=self.turns)

    def as_json(self) -> dict[str, Any]:
        """Return what is known as JSON values."""
        found: dict[str, Any] = {}
        if (lens := self.intrinsics) is not None:
            found = {name: getattr(lens, name) for name in ('fx', 'fy', 'cx', 'cy')}
            found |= {'width': lens.width, 'height': lens.height}
            found |= {'distortion_model': lens.model, 'distortion': list(lens.distortion)}
        if self.mounting is not None:
            found['mounting'] = self.mounting.as_array().tolist()
        if self.frame_id:
            found['frame_id'] = self.frame_id
        return found

    @classmethod
    def from_json(cls, values: Mapping[str, Any], source: str) -> KnownCamera:
        """
        Make a camera of the values of `as_json`.

        :param source: the file and the camera, for the error.
        :raises InputError: for values that cannot be.
        """
        try:
            lens = None
            if 'fx' in values:
                lens = Intrinsics(
                    float(values['fx']),
                    float(values['fy']),
                    float(values['cx']),
                    float(values['cy']),
                    int(values['width']),
                    int(values['height']),
                    str(values['distortion_model']),
                    tuple(map(float, values['distortion'])),
                )
                lens = checked(lens, source)
            pose = _pose(values['mounting'], source) if 'mounting' in values else None
            return cls(lens, pose, str(values.get('frame_id', '')))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f'{source}: not as expected ({error!r})') from error


def camera_of(name: str, config: CameraConfig) -> KnownCamera:
    """
    Return what the parameters tell of a camera.

    :raises InputError: for parameters that cannot be; it names them.
    """
    where = f'camera.{name}'
    mounting = None
    if config.mounting:
        mounting = _pose(_numbers(config.mounting, f'{where}.mounting'), f'{where}.mounting')
    if not (config.fx and config.width and config.height):
        return KnownCamera(None, mounting)
    lens = Intrinsics(
        config.fx,
        config.fy or config.fx,
        config.cx or config.width / 2,
        config.cy or config.height / 2,
        config.width,
        config.height,
        config.distortion_model or PLUMB_BOB,
        tuple(_numbers(config.distortion, f'{where}.distortion')),
    )
    return KnownCamera(checked(lens, where), mounting)


def cameras_of(config: Config) -> dict[str, KnownCamera]:
    """
    Return what the parameters tell of each camera.

    :raises InputError: as `camera_of`.
    """
    return {name: camera_of(name, config.camera_config(name)) for name in config.cameras}


def with_cameras(config: Config, found: Mapping[str, KnownCamera]) -> Config:
    """
    Return a configuration with what was found of the cameras, where it does not tell that itself.

    Where every mounting is known, it also tells which camera looks the other way.
    """
    cameras = {}
    for name in config.cameras:
        camera, known = config.camera_config(name), found.get(name, KnownCamera())
        lens = known.intrinsics
        if lens is not None and not camera.fx:
            camera = replace(
                camera,
                **{key: getattr(lens, key) for key in ('fx', 'fy', 'cx', 'cy', 'width', 'height')},
                distortion_model=lens.model,
                distortion=_text(lens.distortion),
            )
        if known.mounting is not None and not camera.mounting:
            camera = replace(camera, mounting=_text(known.mounting.as_array().tolist()))
        cameras[name] = camera
    return replace(config, camera={**config.camera, **_with_opposites(cameras, config)})


def _with_opposites(cameras: dict[str, CameraConfig], config: Config) -> dict[str, CameraConfig]:
    mountings = {name: camera_of(name, camera).mounting for name, camera in cameras.items()}
    placed = {name: pose for name, pose in mountings.items() if pose is not None}
    if len(placed) < len(cameras) or config.fusion in FUSED:
        return cameras
    opposites = opposites_of(placed)
    return {
        name: replace(camera, opposite=opposites.get(name, '')) for name, camera in cameras.items()
    }


def _numbers(text: str, parameter: str) -> list[float]:
    try:
        found = [float(word) for word in text.replace(',', ' ').split()]
    except ValueError:
        found = [math.nan]
    if not all(map(math.isfinite, found)):
        raise InputError(f'{parameter} is {text!r}; expected numbers, separated by blanks')
    return found


def _text(numbers: Sequence[float]) -> str:
    return ' '.join(map(repr, map(float, numbers)))


def _pose(values: Sequence[float], source: str) -> Pose:
    if len(values) != 7 or not is_rigid(Pose.from_array(list(values))):
        found = ' '.join(f'{value:g}' for value in values)
        raise InputError(
            f'{source} is {found!r}; expected x y z and a unit quaternion qx qy qz qw'
        )
    return Pose.from_array(list(values))
