"""Three small drives, a grid over them, and a count of what is trained."""

from __future__ import annotations

import pytest
from support.builders import track_rows, write_track_folder
import yaml

INTRINSICS = {'fx': 50.0, 'width': 64, 'height': 48}
RECIPE = {
    'epochs': 1,
    'iterations': 2,
    'negative_m': 15.0,
    'places': 3,
    'most_places': 3,
    'parameters': {
        'backbone': 'lcn_cnn',
        'weights': 'random',
        'pooling': 'gem:1x2',
        'head': 8,
        'input_width': 64,
        'input_height': 48,
        'threads': 1,
        'camera': {'front': INTRINSICS, 'back': INTRINSICS},
    },
}


@pytest.fixture(scope='module')
def tracks(tmp_path_factory):
    """Write three drives over the same 60 m; the last one is reversed."""
    folder, forwards = tmp_path_factory.mktemp('tracks'), track_rows(12)
    write_track_folder(folder / 'a', forwards)
    write_track_folder(folder / 'b', forwards)
    write_track_folder(folder / 'back', [[*row[:7], 0.0, 0.0, 1.0, 0.0] for row in forwards])
    return folder


@pytest.fixture
def grid_file(tracks, tmp_path):
    """Return a function that writes a small grid with changes, and its recipe."""

    def write(**changes):
        drives = [[str(tracks / name) for name in ('a', 'b', 'back')]]
        recipe = {'drives': drives, 'validation': drives, **RECIPE}
        (tmp_path / 'recipe.yaml').write_text(yaml.safe_dump(recipe))
        path = tmp_path / 'grid.yaml'
        path.write_text(
            yaml.safe_dump({'recipe': 'recipe.yaml', 'factors': {'pooling': ['gem']}, **changes})
        )
        return path

    return write


@pytest.fixture
def four_factors():
    """Return two values for each of four parts; the first values are the base's."""
    return {
        'pooling': ['gem:1x2', 'average'],
        'fusion': ['concat', 'attention'],
        'whitening': ['none', 'zca'],
        'pinhole_focal': [0.0, 0.9],
    }


@pytest.fixture
def trainings(monkeypatch):
    """Return the list to which the title of each trained network is appended."""
    from husky_placerec.ablation import run

    titles, real = [], run.train

    def train(*arguments):
        titles.append(arguments[-1])
        real(*arguments)

    monkeypatch.setattr(run, 'train', train)
    return titles
