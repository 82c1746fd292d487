"""
Write docs/parameters.md from the declarations.

    python -m husky_placerec.config.documentation > docs/parameters.md
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import Field, fields
from typing import Any

from husky_placerec.config.decisions import DecisionConfig
from husky_placerec.config.masks import MaskConfig
from husky_placerec.config.node import NodeConfig
from husky_placerec.config.parameters import Config, declarations

HEAD = """# Parameters

Made by `python -m husky_placerec.config.documentation > docs/parameters.md`.

The node declares all of these parameters. `placerec` reads them from the same file (`-c`) and from
`--set NAME=VALUE`. A parameter marked ✎ can be changed while the node runs (`ros2 param set`); the
others are read when the node is configured. A value of another type or out of range is refused;
the message says what was expected. *As in the map* means: the value that the map was built with.
"""
TITLES = {
    'Images and model': 'the cameras, and the model that describes their images',
    'Masks': 'which pixels count less, and where masks come from',
    'Each camera': '`camera.<name>.*`, for each name in `cameras`',
    'Decision': 'which pose is accepted, and when',
    'Node': 'its start, its inputs and its outputs',
}


def documentation() -> str:
    """Return the text of docs/parameters.md."""
    sections: dict[str, list[str]] = {title: [] for title in TITLES}
    for name, declared, default in declarations(['<name>']):
        sections[_section(name, declared)].append(_row(name, declared, default))
    return '\n'.join([HEAD, *_lines(sections)])


def _lines(sections: dict[str, list[str]]) -> Iterator[str]:
    for title, rows in sections.items():
        yield f'## {title}: {TITLES[title]}\n'
        yield '| name | type | default | range | meaning |'
        yield '|---|---|---|---|---|'
        yield from rows
        yield ''


def _section(name: str, declared: Field[Any]) -> str:
    if name.startswith('camera.'):
        return 'Each camera'
    if declared.name in {f.name for f in fields(DecisionConfig)}:
        return 'Decision'
    if declared.name in {f.name for f in fields(MaskConfig)}:
        return 'Masks'
    return 'Node' if declared.name in {f.name for f in fields(NodeConfig)} else 'Images and model'


def _row(name: str, declared: Field[Any], default: Any) -> str:
    about = declared.metadata
    mark = ' ✎' if about['dynamic'] else ''
    kind = 'list of str' if isinstance(default, list) else type(default).__name__
    values = ', '.join(f'`{choice}`' if choice else 'empty' for choice in about['choices'])
    if about['least'] is not None:
        values = f'{about["least"]:g} to {about["most"]:g} {about["unit"]}'.rstrip()
    if about['zero_or'] is not None:
        values = f'0, or {about["zero_or"]:g} to {about["most"]:g} {about["unit"]}'.rstrip()
    if name == 'cameras':  # its default here is not the placeholder <name>
        default = Config().cameras
    return f'| `{name}`{mark} | {kind} | {_shown(default)} | {values} | {about["description"]} |'


def _shown(default: Any) -> str:
    if isinstance(default, list):
        return f'[{", ".join(default)}]'
    if isinstance(default, bool):
        return str(default).lower()
    return f'{default:g}' if isinstance(default, float) else str(default)


if __name__ == '__main__':
    print(documentation(), end='')
