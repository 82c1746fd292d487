"""The collection of tests where libraries are missing."""

from __future__ import annotations

import ast
import os
import sys

import pytest
from support.needs import missing_of, needs_of
from support.paths import TESTS

MODULES = sorted(TESTS.rglob('test_*.py'))
SKIPS = {'importorskip', 'skip'}

pytest_plugins = ['pytester']


@pytest.mark.parametrize('path', MODULES, ids=lambda path: path.stem)
def test_no_module_skips_while_it_is_imported(path):
    """The launch_testing plugin imports modules at collection, which such a skip would end."""
    tree = ast.parse(path.read_text(encoding='utf-8'))
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.ClassDef))
        for node in ast.walk(function)
    }
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and id(n) not in inside]
    names = [n.func.attr for n in calls if isinstance(n.func, ast.Attribute)]
    outside_marks = [ast.unparse(n.func) for n in calls]
    assert 'pytest.importorskip' not in outside_marks
    assert 'pytest.skip' not in outside_marks, names


def test_needs_are_read_without_importing(tmp_path):
    module = tmp_path / 'test_it.py'
    module.write_text("import no_such_library\n\nNEEDS = 'no_such_library', 'ast'\n")
    assert needs_of(module) == ('no_such_library', 'ast')
    assert missing_of(module) == ['no_such_library']
    assert 'no_such_library' not in sys.modules


IMPORTING_PLUGIN = """
import importlib.util

def pytest_pycollect_makemodule(module_path, parent):
    '''Import each module while it is collected, as the plugin of launch_testing does.'''
    spec = importlib.util.spec_from_file_location(module_path.stem, module_path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
"""


def test_a_missing_library_skips_its_module_alone(pytester, monkeypatch):
    conftest = 'from support.needs import missing_of, SkippedModule\nimport pytest\n'
    own = (TESTS / 'conftest.py').read_text(encoding='utf-8')
    begin = own.index('@pytest.hookimpl(tryfirst=True)')
    pytester.makeconftest(conftest + own[begin : own.index('def pytest_collection_modifyitems')])
    pytester.makepyfile(importing_plugin=IMPORTING_PLUGIN)
    pytester.makepyfile(
        test_missing="NEEDS = 'no_such_library',\nimport no_such_library\ndef test_a(): pass",
        test_there='def test_b(): pass',
    )
    paths = os.pathsep.join([str(TESTS), str(pytester.path), *sys.path])
    monkeypatch.setenv('PYTHONPATH', paths)
    done = pytester.runpytest_subprocess('-p', 'importing_plugin', '-rs')
    done.assert_outcomes(passed=1, skipped=1)
    done.stdout.fnmatch_lines(['*needs no_such_library*'])


def test_no_two_modules_have_one_name():
    """The plugin of launch_testing imports modules by their base name."""
    names = [path.name for path in MODULES]
    assert sorted(set(names)) == sorted(names)
