"""Reading of a ROS parameter file and of settings NAME=VALUE from the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from husky_placerec.config.construction import make_config
from husky_placerec.config.parameters import Config
from husky_placerec.documents import parse_yaml, read_yaml
from husky_placerec.errors import InputError


def read_config(
    path: Path | None,
    settings: Sequence[str] = (),
    cameras: Sequence[str] = (),
    allow_outside: bool = False,
) -> Config:
    """
    Read a ROS parameter file and apply settings of the form NAME=VALUE, where VALUE is YAML.

    :param path: None: no file.
    :param settings: they override the file.
    :param cameras: those of the map, used if neither the file nor a setting names cameras.
    :param allow_outside: the images of a table may be outside of its folder.
    :raises InputError: for a file that cannot be read, and as `make_config`.
    """
    values: dict[str, Any] = {'cameras': list(cameras)} if cameras else {}
    values.update(_read_yaml(path) if path is not None else {})
    for setting in settings:
        name, equals, value = setting.partition('=')
        if not equals:
            raise InputError(f'--set {setting}: expected NAME=VALUE')
        where = f'--set {setting}'
        values[name.strip()] = parse_yaml(value, where, ': the value is not YAML') if value else ''
    source = str(path) if path is not None and not settings else 'parameters'
    return replace(make_config(values, source), allow_outside=allow_outside)


def _read_yaml(path: Path) -> dict[str, Any]:
    document = read_yaml(path) or {}
    sections = document.values() if isinstance(document, dict) else ()
    found = [
        s['ros__parameters'] for s in sections if isinstance(s, dict) and 'ros__parameters' in s
    ]
    if len(found) == 1:
        document = found[0]
    if not isinstance(document, dict):
        raise InputError(
            f'{path}: expected parameters under ros__parameters, as in config/husky.yaml'
        )
    return dict(flattened(document))


def flattened(tree: Mapping[str, Any], prefix: str = '') -> Iterator[tuple[str, Any]]:
    """Yield the names of nested parameters, with dots, and their values."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f'{prefix}{name}.')
        else:
            yield f'{prefix}{name}', value
