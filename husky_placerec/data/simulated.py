"""Whether a source is simulated, by the metadata of its bag."""

from __future__ import annotations

from pathlib import Path

import yaml

SIMULATED = 'simulated'  # a key in the custom data of a rosbag2 recording
METADATA = 'metadata.yaml'


def is_simulated(path: Path) -> bool:
    """Return whether a bag, a file in a bag, or a track with its bag in `bag`, is simulated."""
    folder = path if path.is_dir() else path.parent
    for file in (folder / METADATA, folder / 'bag' / METADATA):
        try:
            document = yaml.safe_load(file.read_text(encoding='utf-8'))
            custom = document['rosbag2_bagfile_information'].get('custom_data') or {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError):
            continue
        return bool(custom.get(SIMULATED) == 'true')
    return False
