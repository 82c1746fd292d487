"""The log of a session: all that `placerec replay --stamps` needs to repeat its recognitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
import json
from typing import TextIO

from husky_placerec.config import Config
from husky_placerec.config.decisions import DecisionConfig
from husky_placerec.errors import InputError
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.odometry import StampedPose
from husky_placerec.recognition.serialization import recognition_json
from husky_placerec.types import Recognition

DECISIONS = tuple(field.name for field in fields(DecisionConfig))


def open_log(path: str) -> TextIO | None:
    """
    Open the file to which recognitions are appended.

    :raises InputError: when it cannot be written.
    """
    if not path:
        return None
    try:
        return open(path, 'a', encoding='utf-8', buffering=1)  # a line at a time
    except OSError as error:
        raise InputError(f'parameter recognitions_file: {error}') from error


def log_line(
    recognition: Recognition,
    began_anew: bool,
    odometry: Sequence[StampedPose],
    place_map: PlaceMap,
    config: Config,
) -> str:
    """
    Return the line of a frame: the decision, and everything that it depends on.

    Each line is complete, so that a file may be cut anywhere. Parameters that were set and maps
    that were reloaded during the drive are in their place.

    :param began_anew: the recognizer began anew before this frame.
    :param odometry: poses that the recognizer got since the frame before.
    """
    line = {
        **recognition_json(recognition),
        'forgot': began_anew,
        'odometry': [[stamp_ns, *pose.as_array().tolist()] for stamp_ns, pose in odometry],
        'map_version': place_map.version,
        'parameters': {name: getattr(config, name) for name in DECISIONS},
    }
    return json.dumps(line) + '\n'
