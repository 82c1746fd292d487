"""
`cameras.yaml` beside a track or a folder of images: intrinsics and mounting of its cameras.

The keys are those of `camera_calibration` of ROS; `mounting` is the pose of the optical frame in
`base_link`: x y z in m, and the quaternion qx qy qz qw.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from husky_placerec.cameras.found import FoundCameras
from husky_placerec.cameras.known import KnownCamera
from husky_placerec.config import Config
from husky_placerec.errors import InputError
from husky_placerec.files import write_atomic
import yaml

CAMERA_FILE = 'cameras.yaml'


def write_camera_file(folder: Path, cameras: Mapping[str, KnownCamera]) -> None:
    """Write what is known of cameras, if anything is."""
    known = {name: _entry(camera) for name, camera in cameras.items() if camera.as_json()}
    if known:
        text = yaml.safe_dump(known, sort_keys=False, default_flow_style=None, width=100)
        write_atomic(folder / CAMERA_FILE, text.encode())


def read_camera_file(folder: Path, config: Config) -> FoundCameras:
    """
    Read what is known of the cameras of a configuration; nothing without a file.

    :raises InputError: for a file that is not as expected.
    """
    file = folder / CAMERA_FILE
    if not file.is_file():
        return FoundCameras()
    try:
        entries = yaml.safe_load(file.read_text(encoding='utf-8')) or {}
        chosen = {name: dict(entries[name]) for name in config.cameras if name in entries}
    except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
        raise InputError(
            f'{file}: expected image_width, image_height, camera_matrix, distortion_model and '
            f'distortion_coefficients of each camera ({error})'
        ) from error
    cameras = {name: _camera(entry, f'{file}: {name}') for name, entry in chosen.items()}
    return FoundCameras(cameras)


def _entry(camera: KnownCamera) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    if (lens := camera.intrinsics) is not None:
        # Half a pixel: ROS counts from the middle of the first pixel, Intrinsics from its edge.
        matrix = [lens.fx, 0.0, lens.cx - 0.5, 0.0, lens.fy, lens.cy - 0.5, 0.0, 0.0, 1.0]
        entry = {
            'image_width': lens.width,
            'image_height': lens.height,
            'camera_matrix': {'rows': 3, 'cols': 3, 'data': matrix},
            'distortion_model': lens.model,
            'distortion_coefficients': {
                'rows': 1,
                'cols': len(lens.distortion),
                'data': list(lens.distortion),
            },
        }
    if camera.frame_id:
        entry['frame_id'] = camera.frame_id
    if camera.mounting is not None:
        entry['mounting'] = camera.mounting.as_array().tolist()
    return entry


def _camera(entry: Mapping[str, Any], source: str) -> KnownCamera:
    values: dict[str, Any] = {
        name: entry[name] for name in ('frame_id', 'mounting') if name in entry
    }
    try:
        if 'camera_matrix' in entry:
            k = [float(value) for value in entry['camera_matrix']['data']]
            values |= {'fx': k[0], 'fy': k[4], 'cx': k[2] + 0.5, 'cy': k[5] + 0.5}
            values |= {'width': entry['image_width'], 'height': entry['image_height']}
            values['distortion_model'] = entry['distortion_model']
            values['distortion'] = entry['distortion_coefficients']['data']
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(f'{source}: not as camera_calibration writes it ({error!r})') from error
    return KnownCamera.from_json(values, source)
