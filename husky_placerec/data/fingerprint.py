"""A fingerprint of a source, which changes with its frames, without reading the images."""

from __future__ import annotations

from collections.abc import Iterable
import hashlib
import json
import os
from pathlib import Path

from husky_placerec.config import CameraConfig, Config

# The parameters of a camera that decide how its images are resampled.
LENS = (
    *('fx', 'fy', 'cx', 'cy', 'width', 'height'),
    *('distortion_model', 'distortion', 'mounting'),
)


def fingerprint(root: Path, files: Iterable[Path], config: Config) -> str:
    """
    Return the SHA-256 of the paths, sizes and times of files, and of the parameters of reading.

    A missing file counts as missing, so that the fingerprint changes when it appears.
    """
    cameras = {name: config.camera_config(name) for name in config.cameras}
    about = {
        'cameras': [[name, *_told(camera)] for name, camera in cameras.items()],
        'pairing': [config.slop, config.silence, config.queue_size],
        'max_pixels': config.max_pixels,
    }
    if config.masks:
        about['masks'] = _masking(config)
    digest = hashlib.sha256(json.dumps(about).encode())
    for file in sorted(files):
        digest.update(json.dumps([os.path.relpath(file, root), *_state(file)]).encode())
    return digest.hexdigest()


def _told(camera: CameraConfig) -> list[object]:
    """Return what the frames depend on; the intrinsics and the mounting only where known."""
    known = [getattr(camera, name) for name in LENS]
    return [camera.topic, camera.transport, *(known if any(known) else ())]


def _masking(config: Config) -> list[object]:
    """Return what the weights of the pixels depend on, beside the masks themselves."""
    cameras = [config.camera_config(name) for name in config.cameras]
    files = [config.segmentation, *(camera.ego_mask for camera in cameras)]
    return [
        *(config.mask_floor, config.mask_classes, config.mask_dynamic, config.segmentation_input),
        *([text, *_state(Path(text))] for text in files if text),
        *(camera.mask_topic for camera in cameras),
    ]


def _state(file: Path) -> tuple[int, int] | tuple[()]:
    try:
        stat = file.stat()
    except OSError:  # missing, or no path at all
        return ()
    return stat.st_size, stat.st_mtime_ns
