"""Whether a source is simulated, by the metadata of its bag."""

from __future__ import annotations

from pathlib import Path

from husky_placerec.documents import MOST_BYTES, read_yaml
from husky_placerec.errors import InputError

SIMULATED = 'simulated'  # a key in the custom data of a rosbag2 recording
METADATA = 'metadata.yaml'


def is_simulated(path: Path) -> bool:
    """Return whether a bag, a file in a bag, or a track with its bag in `bag`, is simulated."""
    folder = path if path.is_dir() else path.parent
    for file in (folder / METADATA, folder / 'bag' / METADATA):
        try:
            document = read_yaml(file, MOST_BYTES)
            custom = document['rosbag2_bagfile_information'].get('custom_data') or {}
            return bool(custom.get(SIMULATED) == 'true')
        except (InputError, KeyError, TypeError, AttributeError):
            continue
    return False
