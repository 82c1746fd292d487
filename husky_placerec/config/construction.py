"""The construction of a configuration from flat values, each checked against its declaration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
import re
from typing import Any

from husky_placerec.config.declaration import check_value
from husky_placerec.config.parameters import CameraConfig, Config, declarations, FUSED
from husky_placerec.errors import InputError

OFF = ('centring', 'pinhole', 'initial_pose', 'metric')  # parameters that may be `off`
ON = ('centring',)  # and `on`


def make_config(values: Mapping[str, Any], source: str = 'parameters') -> Config:
    """
    Make a configuration from flat values, such as `{'camera.front.topic': 'zed/left'}`.

    :param source: where the values come from, for the messages.
    :raises InputError: for an unknown name, a wrong type, a value out of range, or cameras that
        do not name each other as opposites.
    """
    names = values.get('cameras', Config().cameras)
    if not isinstance(names, list) or not names or not _are_names(names):
        raise InputError(
            f'{source}: cameras is {names!r}; expected a list of different names, '
            'each a letter followed by letters, digits or underscores'
        )
    values = _spelled_out(values)
    known = {name: (declared, default) for name, declared, default in declarations(names)}
    for name in values:
        if name not in known:
            raise InputError(f'{source}: no parameter {name}; there are: {", ".join(known)}')
    checked = {
        name: check_value(name, values.get(name, default), declared, default, source)
        for name, (declared, default) in known.items()
    }
    if checked['fusion'] in FUSED:  # one vector has no cameras to exchange
        checked.update({f'camera.{name}.opposite': '' for name in names})
    flat = {name: value for name, value in checked.items() if '.' not in name}
    cameras = {
        name: CameraConfig(
            **{f.name: checked[f'camera.{name}.{f.name}'] for f in fields(CameraConfig)}
        )
        for name in names
    }
    _check_opposites(cameras, source)
    if checked['segmentation'] and not checked['masks']:
        raise InputError(f'{source}: segmentation is given, but masks is false; expected true')
    return Config(**flat, camera=cameras)


def _spelled_out(values: Mapping[str, Any]) -> dict[str, Any]:
    """Take a number as `pinhole` for its focal length, and True and False for on and off."""
    spelled = {
        name: 'off' if value is False and name in OFF else value for name, value in values.items()
    }
    spelled.update({name: 'on' for name in ON if spelled.get(name) is True})
    if type(spelled.get('pinhole')) in (int, float):
        spelled.setdefault('pinhole_focal', spelled.pop('pinhole'))
    return spelled


def _are_names(names: list[Any]) -> bool:
    """Return whether all names are valid in the name of a parameter, and no two are equal."""
    good = all(isinstance(name, str) and re.fullmatch(r'[A-Za-z]\w*', name) for name in names)
    return good and len(set(names)) == len(names)


def _check_opposites(cameras: Mapping[str, CameraConfig], source: str) -> None:
    for name, camera in cameras.items():
        other = camera.opposite
        if other and (other == name or other not in cameras or cameras[other].opposite != name):
            raise InputError(
                f'{source}: camera.{name}.opposite is {other!r}; '
                f'expected another camera of {", ".join(cameras)} whose opposite names {name}, '
                'or nothing'
            )
