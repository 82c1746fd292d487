"""What the tests of the page share: two tiny drives, a map, and results."""

import pytest
from support.needs import missing_modules
from support.shown_drives import write_world


@pytest.fixture(scope='session')
def world(tmp_path_factory):
    """Return a folder with the drives, `tiny.map`, `replayed` and `evaluated`."""
    missing = missing_modules('sklearn', 'matplotlib', 'jinja2')
    if missing:
        pytest.skip(f'needs {", ".join(missing)}')
    return write_world(tmp_path_factory.mktemp('world'))
