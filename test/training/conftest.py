"""Two drives over the same road, and recipes that train on them."""

from __future__ import annotations

import pytest
from support.builders import track_rows, write_track_folder


@pytest.fixture(scope='module')
def tracks(tmp_path_factory):
    """Write two drives over the same 100 m, 20 frames each; the images differ."""
    folder = tmp_path_factory.mktemp('tracks')
    for name in ('a', 'b'):
        write_track_folder(folder / name, track_rows(20))
    return folder


@pytest.fixture
def recipe_file(tracks, tmp_path):
    """Return a function that writes a small recipe with changes and returns its file."""
    from support.trainings import write_recipe

    return lambda **changes: write_recipe(tmp_path / 'recipe.yaml', tracks, **changes)
