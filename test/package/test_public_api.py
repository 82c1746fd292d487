"""The public API: its names, its examples, and the page about it."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path
import re
import subprocess
import sys

import husky_placerec
from husky_placerec.data.bag import Bag
from husky_placerec.data.source import decoded_frames
import pytest
from support.paths import ROOT

BLOCK = re.compile(r'```python\n(.*?)```', re.S)


@pytest.mark.parametrize('name', husky_placerec.__all__)
def test_each_name_is_imported_documented_and_has_an_example(name):
    found = getattr(husky_placerec, name)
    assert found.__doc__
    examples = doctest.DocTestFinder().find(found, globs={name: found})
    assert any(test.examples for test in examples if test.name in (name, found.__qualname__)), name


@pytest.mark.parametrize('module', sorted(set(husky_placerec._MODULES.values())))
def test_the_examples_of_a_module_are_right(module):
    failed, _ = doctest.testmod(import_module(f'husky_placerec.{module}'))
    assert not failed


def test_a_name_that_there_is_not_is_an_attribute_error():
    with pytest.raises(AttributeError, match='nothing'):
        _ = husky_placerec.nothing


def test_importing_the_package_imports_nothing_heavy():
    code = (
        'import sys, husky_placerec; print(sorted(set(sys.modules) & {"numpy", "cv2", "faiss"}))'
    )
    ended = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert ended.stdout.strip() == '[]', ended.stderr


def test_the_page_about_it_runs(drives, tmp_path, monkeypatch, capsys):
    whole, images = BLOCK.findall((ROOT / 'docs' / 'python_api.md').read_text(encoding='utf-8'))
    monkeypatch.chdir(tmp_path)
    for name, bag in zip(('summer', 'dusk'), drives):
        Path(name).mkdir()
        (Path(name) / 'bag').symlink_to(bag)
    names: dict[str, object] = {}
    exec(compile(whole, 'python_api.md', 'exec'), names)
    assert 'frames recognised' in capsys.readouterr().out
    assert (tmp_path / 'both.results' / 'report.html').is_file()
    with Bag(drives[1]) as bag:
        frames = list(decoded_frames(bag, bag.frames(husky_placerec.Config())))
    names['images'] = [(f.stamp_ns, f.images['front'], f.images['back']) for f in frames]
    exec(compile(images, 'python_api.md', 'exec'), names)
    assert 'Pose(' in capsys.readouterr().out
