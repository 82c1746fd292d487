"""The import of timm beside a torchvision that is whole, lacks its operators, or is absent."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
import os
import subprocess
import sys

import pytest

NEEDS = 'torch', 'timm'

REPORT = (
    'from husky_placerec.descriptor import timm_import\n'
    'import torch\n'
    'print(timm_import.library is not None, hasattr(torch.ops.torchvision, "nms"))\n'
)


def run_python(code, path=''):
    """Run code in a fresh process: the schemas can be declared only once in each."""
    paths = os.pathsep.join([str(path), *filter(None, sys.path)])
    return subprocess.run(
        [sys.executable, '-c', code],
        env={**os.environ, 'PYTHONPATH': paths},
        capture_output=True,
        text=True,
    )


def versions():
    """Return the versions of the packages that have to fit each other."""
    found = []
    for name in ('torch', 'torchvision', 'timm'):
        try:
            found.append(f'{name} {version(name)}')
        except PackageNotFoundError:
            found.append(f'no {name}')
    return ', '.join(found)


@pytest.fixture(scope='module')
def lacks_operators():
    """Say whether the installed torchvision does not import for lack of its operators."""
    return 'RuntimeError: operator torchvision::' in run_python('import torchvision').stderr


def test_timm_imports_through_our_module(lacks_operators):
    ended = run_python(REPORT)
    assert ended.returncode == 0, (
        f'timm_import.py cannot import timm ({versions()}). If the error below names an operator '
        f'of torchvision, add its schema to SCHEMAS in timm_import.py.\n{ended.stderr}'
    )
    declared = ended.stdout.split()[0] == 'True'
    assert declared == lacks_operators, (
        f'timm_import.py declared schemas: {declared}; torchvision lacks its operators: '
        f'{lacks_operators} ({versions()})'
    )


def test_the_schemas_are_still_needed(lacks_operators):
    if not lacks_operators:
        pytest.skip('the installed torchvision imports, or there is none')
    assert run_python('import timm, timm.scheduler').returncode, (
        f'timm imports without our schemas ({versions()}): delete them from timm_import.py'
    )


@pytest.mark.parametrize(
    ('torchvision', 'declared'),
    [
        ('', False),
        ('raise ImportError("No module named torchvision")', False),
        ('raise RuntimeError("operator torchvision::nms does not exist")', True),
    ],
    ids=['whole', 'absent', 'without operators'],
)
def test_schemas_are_declared_only_where_the_operators_do_not_load(
    torchvision, declared, tmp_path
):
    for package, text in (('torchvision', torchvision), ('timm', ''), ('timm/scheduler', '')):
        (tmp_path / package).mkdir()
        (tmp_path / package / '__init__.py').write_text(text)
    ended = run_python(REPORT, tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == [str(declared)] * 2
