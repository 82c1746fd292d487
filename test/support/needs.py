"""
Test modules that need libraries which are not installed: they are skipped with the reason.

A test module names its optional libraries in `NEEDS = 'torch', 'timm'`. The name is read from the
source, so that a module whose libraries are missing is not even imported. A module-level
`pytest.importorskip` would not do: the pytest plugin of launch_testing imports every test module
while pytest collects, and the exception would end the whole collection.
"""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

import pytest


def needs_of(path):
    """Return the names in `NEEDS` of a test module, without importing it."""
    source = Path(path).read_text(encoding='utf-8')
    for statement in ast.parse(source).body if 'NEEDS' in source else ():
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == 'NEEDS':
            return ast.literal_eval(statement.value)
    return ()


def missing_of(path):
    """Return which of them are not installed."""
    return missing_modules(*needs_of(path))


class SkippedModule(pytest.Module):
    """A test module that is not imported; it has one test, which is skipped."""

    def collect(self):
        missing = ', '.join(missing_of(self.path))
        item = SkippedItem.from_parent(self, name='needs')
        item.add_marker(pytest.mark.skip(reason=f'needs {missing}'))
        yield item


class SkippedItem(pytest.Item):
    """Stands for all tests of a skipped module."""

    def runtest(self):
        """Never runs."""

    def reportinfo(self):
        return self.path, 0, self.name


def missing_modules(*names):
    """Return which of some libraries are not installed."""
    return [name for name in names if find_spec(name) is None]


def needs(*names):
    """Skip a test whose libraries are not installed; for a whole module there is `NEEDS`."""
    missing = missing_modules(*names)
    return pytest.mark.skipif(bool(missing), reason=f'needs {", ".join(missing)}')
