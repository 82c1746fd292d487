"""Hostile configurations, names, and output paths."""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path

from hostile_world import Case, Harm
import numpy as np

NAMES = {
    'a formula': b'run_$5_and_$6^',
    'markup': b'[/red][bold red]x',
    'escapes': b'\x1b[2J\x1b]0;owned\x07',
    'a line end': b'a\nerror: forged\n',
    'no UTF-8': b'\xff\xfe\xc3',
    'right to left': 'a\u202egpj.exe'.encode(),
    'HTML': b'<script>alert(1)<!--',
    'a template': b'{{ 7 * 7 }}{% raw %}',
    'percent signs': b'%s%n%(x)s{0}',
    'blanks': b'  a  b  ',
    'a minus': b'-rf',
    'quotes': b'\'"`$(touch precious/owned)`',
    'many letters': b'x' * 240,
    'emoji': '😀:smile:'.encode(),
}


def _nothing(folder: Path) -> None:
    """Leave the sandbox as it is."""


def _text(name: str, data: bytes) -> Harm:
    return lambda folder: (folder / name).write_bytes(data) and None


def configs(rng: np.random.Generator) -> Iterator[Case]:
    """Yield hostile parameter files and settings."""
    aliases = 'a: &a [x,x,x,x,x,x,x,x,x]\n' + '\n'.join(
        f'{chr(98 + n)}: &{chr(98 + n)} [{",".join(["*" + chr(97 + n)] * 9)}]' for n in range(9)
    )
    files = {
        'a bomb of aliases': aliases.encode(),
        'an alias of itself': b'a: &a {b: *a}',
        'a list of itself': b'&a [*a]',
        'python objects': b'!!python/object/apply:os.system ["touch precious/owned"]',
        'nested 30000 deep': b'[' * 30000,
        'nested keys': b'{a: ' * 900 + b'1' + b'}' * 900,
        'no text': bytes(range(256)),
        'empty': b'',
        'a list': b'- 1',
        'a text': b'hello',
        'tabs': b'a:\n\t- b',
        'two documents': b'a: 1\n---\nb: 2',
        'unknown keys with escapes': b'"\\e[2J": 1',
        'keys that are no text': b'{[1, 2]: 3, null: 4}',
        'numbers as keys': b'1: 2',
        'merge keys': b'<<: 3',
        'a date': b'map: 2001-01-01',
        'a number of 5000 digits': b'threads: ' + b'9' * 5000,
        'sexagesimal': b'threads: 1:' + b'59:' * 999 + b'1',
    }
    for number, (name, data) in enumerate(files.items()):
        words = ['-c', 'evil.yaml']
        command = (['data', 'check', 'drive'], ['map', 'build', 'drive', 'out'])[number % 2]
        yield Case('configs', f'{name}', [*command, *words], _text('evil.yaml', data), ('out',))
    values = (
        *('threads=1e999', 'threads=-1', 'threads=.nan', 'slop=.inf', 'slop=-0.0', 'slop=[]'),
        *('cameras=[]', 'cameras=[front, front]', 'cameras=["\\e[2J"]', 'cameras=[[]]'),
        *('cameras=&a [*a]', 'camera=1', 'camera.front=1', 'camera.front.topic=', '=1', 'x'),
        *('max_pixels=0', 'max_pixels=1', 'input_width=4096', 'extractor=\x1b[2J', 'map=\x07'),
        *('pinhole_focal=1e-300', 'camera.front.fx=1e-300', 'weights=/etc/passwd'),
        *('extractor=timm', 'backbone=../../x', 'backbone_options=checkpoint_path=/etc/passwd'),
        *('pooling=gem:0x0', 'allow_outside=true', 'queue_size=999999999999999999999'),
    )
    for number, value in enumerate(values):
        command = (['data', 'check', 'drive'], ['map', 'build', 'drive', 'out'])[number % 2]
        yield Case('configs', ascii(value), [*command, '-s', value], _nothing, ('out',))
    for name, data in {
        'stamps that are no stamps': b'\x1b[2J\n',
        'a recognition of lists': b'{"stamp_ns": []}\n',
        'a recognition nested deep': b'{"a":' * 9000,
        'odometry of texts': b'{"stamp_ns": 1, "odometry": ["x"], "map_version": {}}\n',
        'a stamp of 1e400': b'1e400\n',
        'no stamps': b'',
    }.items():
        words = ['replay', 'drive', '--map', 'map', '-o', 'out', '--stamps', 'stamps']
        yield Case('configs', name, words, _text('stamps', data), ('out',), 'refused')
    for name, data in {
        'poses of nothing': b'',
        'poses that are no number': b'1700000000 nan nan nan 0 0 0 1\n' * 3,
        'poses of texts': b'a b c d e f g h\n',
        'poses of 1e308': b'1700000000 1e308 0 0 0 0 0 1\n1700000009 -1e308 0 0 0 0 0 1\n',
        'one pose': b'1700000000 0 0 0 0 0 0 1\n',
    }.items():
        words = ['map', 'build', 'drive', 'out', '-s', 'extractor=pixels', '--poses', 'p.tum']
        yield Case('configs', name, words, _text('p.tum', data), ('out',))


def names(rng: np.random.Generator) -> Iterator[Case]:
    """Yield drives, maps and outputs with hostile names."""
    for name, raw in NAMES.items():
        word = os.fsdecode(raw)
        renamed = _renamed(word)
        slashed = f'./{word}'
        build = ['map', 'build', slashed, 'out', '-s', 'extractor=pixels']
        yield Case('names', f'{name}: build', build, renamed('drive'), ('out',), 'done')
        info = ['map', 'info', slashed]
        yield Case('names', f'{name}: info', info, renamed('map'), (), 'done')
        replay = ['replay', slashed, '--map', 'map', '-o', 'out']
        yield Case('names', f'{name}: replay', replay, renamed('drive'), ('out',), 'done')
        output = ['replay', 'drive', '--map', 'map', '-o', slashed]
        may_change = Path(word).parts[0]
        yield Case('names', f'{name}: output', output, _nothing, (may_change,), 'done')
        missing = ['data', 'check', slashed]
        yield Case('names', f'{name}: not there', missing, _nothing, (), 'refused')
    for name in ('a formula', 'markup', 'no UTF-8', 'escapes'):
        word = os.fsdecode(NAMES[name])
        options = ['-o', 'out', '--no-baselines', '-s', 'extractor=pixels']
        words = ['evaluate', f'./{word}', 'track', *options]
        yield Case('names', f'{name}: evaluate', words, _renamed(word)('drive'), ('out',), 'done')
        track = ['map', 'build', 'drive', 'out', '-s', 'extractor=pixels', '--track', word]
        yield Case('names', f'{name}: name of a track', track, _nothing, ('out',), 'done')


def _renamed(word: str):
    def of(name: str) -> Harm:
        def harm(folder: Path) -> None:
            (folder / word).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).rename(folder / word)

        return harm

    return of


def outputs(rng: np.random.Generator) -> Iterator[Case]:
    """Yield outputs that are the user's own, or are no place to write."""
    commands = {
        'build': ['map', 'build', 'drive', '{}', '-s', 'extractor=pixels'],
        'replay': ['replay', 'drive', '--map', 'map', '-o', '{}'],
        'convert': ['convert', 'drive', '{}'],
        'to tum': ['convert', 'drive', '{}', '--to', 'tum'],
        'merge': ['map', 'merge', '{}', 'map', 'map'],
        'export': ['map', 'export', 'map', '{}'],
        'evaluate': ['evaluate', 'drive', 'track', '-o', '{}', '--no-baselines'],
    }
    own = {
        'a folder with a thesis': 'precious',
        'a thesis': 'precious/thesis.txt',
        'the drive': 'drive',
        'a link to a folder': 'link',
        'the current folder': '.',
        'the folder above': '..',
    }
    for path in own.items():
        for command, words in commands.items():
            for overwrite in (False, True):
                if overwrite and command == 'export':
                    continue
                filled = [word.format(path[1]) for word in words]
                more = ['--overwrite'] if overwrite else []
                name = f'{path[0]}: {command} {" ".join(more)}'.strip()
                yield Case('outputs', name, [*filled, *more], _link, (), 'refused')
    for name, target in {
        'a pipe': 'pipe',
        'a device': '/dev/full',
        'below a file': 'precious/thesis.txt/out',
        'a broken link': 'broken',
        'no rights': 'locked/out',
        'a name too long': 'x' * 300,
        'nothing': '',
        'the root': '/',
        'in a system folder': '/proc/out',
    }.items():
        if name == 'no rights' and os.geteuid() == 0:
            continue  # root may write everywhere
        for command in ('build', 'replay', 'convert', 'to tum'):
            filled = [word.format(target) for word in commands[command]]
            yield Case('outputs', f'{name}: {command}', filled, _no_places, (), 'refused')


def _link(folder: Path) -> None:
    (folder / 'link').symlink_to('precious')


def _no_places(folder: Path) -> None:
    os.mkfifo(folder / 'pipe')
    (folder / 'broken').symlink_to('nowhere/out')
    (folder / 'locked').mkdir(mode=0o555)
