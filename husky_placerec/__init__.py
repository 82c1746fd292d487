"""
Visual place recognition for a robot with several cameras; only `husky_placerec.ros` needs ROS.

The names in `__all__` are the public API, which semantic versioning covers. Each is imported when
it is first used, so that `import husky_placerec` is quick and needs nothing that is not used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, TYPE_CHECKING

if TYPE_CHECKING:
    from husky_placerec.config import Config
    from husky_placerec.data.source import open_source
    from husky_placerec.operations.build_map import build_map
    from husky_placerec.operations.calibrate_map import calibrate_map
    from husky_placerec.operations.evaluate import evaluate
    from husky_placerec.operations.replay import replay
    from husky_placerec.placemap.loading import load_map
    from husky_placerec.placemap.place_map import PlaceMap
    from husky_placerec.recognition.recognizer import Recognizer
    from husky_placerec.types import Frame, Pose, Recognition

__version__ = '0.2.0'

_MODULES = {
    'Config': 'config',
    'Frame': 'types',
    'Pose': 'types',
    'Recognition': 'types',
    'Recognizer': 'recognition.recognizer',
    'PlaceMap': 'placemap.place_map',
    'load_map': 'placemap.loading',
    'open_source': 'data.source',
    'build_map': 'operations.build_map',
    'calibrate_map': 'operations.calibrate_map',
    'replay': 'operations.replay',
    'evaluate': 'operations.evaluate',
}

__all__ = [
    'Config',
    'Frame',
    'PlaceMap',
    'Pose',
    'Recognition',
    'Recognizer',
    'build_map',
    'calibrate_map',
    'evaluate',
    'load_map',
    'open_source',
    'replay',
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(f'{__name__}.{_MODULES[name]}'), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
