"""Drives whose names are formulas, markup, escapes of a terminal or no UTF-8."""

from __future__ import annotations

import json
import os
from pathlib import Path
import re

from husky_placerec.errors import InputError
from husky_placerec.printable import printable, printable_lines
import pytest
from support.commands import assert_refused
from support.folder_drives import folder_drive

# A bar of progress begins with \r.
CONTROL = re.compile(r'[\0-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]')
NAMES = {
    'formula': b'run_$5_and_$6^',
    'markup': b'[/red][bold]:smile:',
    'escapes': b'\x1b[2J\x1b]0;owned\x07\x9b31m\r\nerror: forged',
    'no UTF-8': b'\xff\xfe drive \xc3',
    'right to left': 'drive\u202egpj.exe'.encode(),
}


@pytest.fixture(params=list(NAMES))
def drives(request, tmp_path):
    """Make two drives on the same way, in folders with such names."""
    name = os.fsdecode(NAMES[request.param])
    folder = tmp_path / name  # of two folders where the name has a slash
    folder.mkdir(parents=True)
    return [folder_drive(folder / (name.replace('/', '|') + s), 0.0) for s in 'ab']


def without_control(*texts):
    return not any(CONTROL.search(text) for text in texts)


def test_a_drive_of_any_name_is_mapped_recognised_and_reported(drives, placerec):
    first, second = drives
    place_map, results = first.parent / 'a.map', first.parent / 'results'
    for command in (
        ['map', 'build', first, place_map, '-s', 'extractor=pixels'],
        ['map', 'info', place_map],
        ['map', 'verify', place_map],
        ['replay', second, '--map', place_map, '-o', results],
        ['data', 'check', first, '-s', 'slop=0.1'],
        ['convert', second, first.parent / 'bag'],
    ):
        ended = placerec(*command)
        assert ended.returncode in (0, 1), ended.stderr  # data check finds that images come twice
        assert without_control(ended.stdout, ended.stderr)
        assert not re.search('^error: forged', ended.stdout + ended.stderr, re.MULTILINE)
    assert without_control((results / 'report.html').read_text(encoding='utf-8'))
    assert json.loads((place_map / 'map.json').read_text(encoding='utf-8'))['sources'].keys() == {
        printable(first.name)
    }


def test_an_evaluation_of_drives_of_any_name_ends_with_a_report(drives, placerec):
    output = drives[0].parent / 'results'
    options = '-s', 'extractor=pixels', '--no-baselines', '--no-cache'
    ended = placerec('evaluate', *drives, '-o', output, *options)
    assert ended.returncode == 0, ended.stderr
    assert without_control(ended.stdout, ended.stderr)
    page = (output / 'report.html').read_text(encoding='utf-8')
    assert without_control(page)
    summary = json.loads((output / 'summary.json').read_text(encoding='utf-8'))
    names = {pair['database'] for pair in summary['pairs']}
    assert names == {printable(drive.name) for drive in drives}


@pytest.mark.parametrize('name', NAMES.values(), ids=list(NAMES))
def test_a_path_that_is_not_there_is_named_in_one_safe_line(name, placerec, tmp_path):
    refused = placerec('data', 'check', tmp_path / os.fsdecode(name))
    assert_refused(refused, printable(os.fsdecode(name)), 'no such source')
    assert without_control(refused.stderr)
    refused = placerec('--' + os.fsdecode(name))
    assert refused.returncode == 2
    assert without_control(refused.stderr)


def test_what_a_terminal_would_obey_is_shown_as_an_escape():
    assert printable('a\x1b[1m\n\u202e\udcff\ud800\x9b') == r'a\x1b[1m\n\u202e\xff\ud800\x9b'
    assert printable('Größe 大 😀 [red] $x$ \\') == 'Größe 大 😀 [red] $x$ \\'
    assert printable_lines('a\x07\nb') == 'a\\x07\nb'
    assert str(InputError('a\x1bb\nc')) == r'a\x1bb\nc'
    assert printable(Path('a\tb')) == r'a\tb'
