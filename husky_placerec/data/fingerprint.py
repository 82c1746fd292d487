"""What tells whether a source still gives the same frames, without reading its images."""

from __future__ import annotations

from collections.abc import Iterable
import hashlib
import json
from pathlib import Path

from husky_placerec.config import Config


def fingerprint(root: Path, files: Iterable[Path], config: Config) -> str:
    """
    Return the SHA-256 of the files' relative paths, sizes and times, and of what pairs them.

    A file that is not there counts as such: when it comes, the fingerprint is another.
    """
    cameras = {name: config.camera_config(name) for name in config.cameras}
    about = {
        'cameras': [[name, camera.topic, camera.transport] for name, camera in cameras.items()],
        'pairing': [config.slop, config.silence, config.queue_size],
    }
    digest = hashlib.sha256(json.dumps(about).encode())
    for file in sorted(files):
        digest.update(json.dumps([file.relative_to(root).as_posix(), *_state(file)]).encode())
    return digest.hexdigest()


def _state(file: Path) -> tuple[int, int] | tuple[()]:
    try:
        stat = file.stat()
    except FileNotFoundError:
        return ()
    return stat.st_size, stat.st_mtime_ns
