"""Ablations: what is varied, how it is measured, and what is kept when one is stopped."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from husky_placerec.errors import InputError
from husky_placerec.evaluation.tags import tags_of
from husky_placerec.evaluation.tracks import Track
from husky_placerec.training.drives import Drive
import numpy as np
import pytest
from support.builders import planar, track_rows, write_track_folder
from support.commands import assert_refused
import yaml

pytest.importorskip('pytorch_metric_learning')
pytest.importorskip('torch')

from husky_placerec.ablation import run
from husky_placerec.ablation.grid import Cell, read_grid
from husky_placerec.ablation.protocol import (
    Campus,
    concatenated,
    measure,
    measure_chance,
)
from husky_placerec.ablation.table import Row

CONFIGS = Path(__file__).parents[2] / 'config' / 'training'
LENS = {'fx': 50.0, 'width': 64, 'height': 48}
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
        'camera': {'front': LENS, 'back': LENS},
    },
}
FEW = {
    'pooling': ['gem:1x2', 'average'],
    'fusion': ['concat', 'attention'],
    'whitening': ['none', 'zca'],
    'pinhole_focal': [0.0, 0.9],
}


@pytest.fixture(scope='module')
def tracks(tmp_path_factory):
    """Write three drives over the same 60 m, the last the other way."""
    folder, there = tmp_path_factory.mktemp('tracks'), track_rows(12)
    write_track_folder(folder / 'a', there)
    write_track_folder(folder / 'b', there)
    write_track_folder(folder / 'back', [[*row[:7], 0.0, 0.0, 1.0, 0.0] for row in there])
    return folder


@pytest.fixture
def grid_file(tracks, tmp_path):
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
def trainings(monkeypatch):
    """Return the titles of the networks that were trained."""
    titles, real = [], run.train

    def train(*arguments):
        titles.append(arguments[-1])
        real(*arguments)

    monkeypatch.setattr(run, 'train', train)
    return titles


def test_one_part_of_the_base_is_exchanged_at_a_time(grid_file):
    base, *others = read_grid(grid_file(factors=FEW)).cells
    assert base == Cell('lcn_cnn', 'gem:1x2', 'concat', 'none', 0.0)
    assert others == [
        replace(base, pooling='average'),
        replace(base, fusion='attention'),
        replace(base, whitening='zca'),
        replace(base, pinhole_focal=0.9),
    ]
    every = read_grid(grid_file(factors=FEW, full=True)).cells
    assert len(set(every)) == len(every) == 16
    assert every[0] == base


def test_a_backbone_has_its_options_and_weights_behind_its_name(grid_file, tmp_path):
    (tmp_path / 'resnet.pth').touch()
    backbones = ['lcn_cnn', 'resnet18 output_stride=16']
    path = grid_file(factors={'backbone': backbones}, weights={'resnet18': 'resnet.pth'})
    grid = read_grid(path)
    own, other = map(grid.config, grid.cells)
    assert (own.backbone, own.weights) == ('lcn_cnn', 'random')
    assert (other.backbone, other.backbone_options) == ('resnet18', 'output_stride=16')
    assert other.weights == str(tmp_path / 'resnet.pth')
    before = [grid.name_of(cell) for cell in grid.cells]
    (tmp_path / 'resnet.pth').write_bytes(b'other weights')
    after = [grid.name_of(cell) for cell in grid.cells]
    assert [a == b for a, b in zip(before, after)] == [True, False]


def test_a_part_that_does_not_vary_is_the_recipes_or_the_default(grid_file, tmp_path):
    path = grid_file(factors={'pinhole_focal': [0.0, 0.9]})
    recipe = yaml.safe_load((tmp_path / 'recipe.yaml').read_text())
    assert read_grid(path).base.pooling == 'gem:1x2'
    del recipe['parameters']['pooling']
    (tmp_path / 'recipe.yaml').write_text(yaml.safe_dump(recipe))
    assert read_grid(path).base == Cell('lcn_cnn', 'gem', 'concat', 'none', 0.0)
    recipe['parameters']['extractor'] = 'hog'
    (tmp_path / 'recipe.yaml').write_text(yaml.safe_dump(recipe))
    with pytest.raises(InputError, match='the recipe has the extractor hog; expected timm'):
        read_grid(path)


@pytest.mark.parametrize(
    ('changes', 'expected'),
    [
        ({'recipe': 1}, 'expected recipe and factors'),
        ({'recipe': 'none.yaml'}, r'none.yaml: cannot be read'),
        ({'factor': {}}, 'no key factor; there are: recipe, factors'),
        ({'factors': {'poolings': ['gem']}}, 'expected lists under some of backbone, pooling'),
        ({'factors': {'pooling': 'gem'}}, "pooling is 'gem'; expected a list"),
        ({'factors': {'pooling': []}}, 'expected a list of different values'),
        ({'factors': {'fusion': ['concat', 'concat']}}, 'expected a list of different values'),
        ({'factors': {'fusion': ['sum']}}, "fusion is 'sum'; expected one of"),
        ({'factors': {'whitening': ['pca']}}, 'whitening is pca; expected none or zca'),
        ({'factors': {'pinhole_focal': ['wide']}}, "pinhole_focal is 'wide'; expected float"),
        ({'weights': {'resnet18': 'a.pth'}}, 'weights of resnet18; the grid has the backbones'),
        ({'full': 'yes'}, "full is 'yes'; expected true or false"),
    ],
)
def test_what_is_wrong_in_a_grid_is_named(changes, expected, grid_file):
    with pytest.raises(InputError, match=expected):
        read_grid(grid_file(**changes))


def test_the_grid_that_comes_along_is_complete():
    grid = read_grid(CONFIGS / 'ablation.yaml')
    assert len(grid.cells) == 11
    assert len({grid.trained_as(cell) for cell in grid.cells}) == 9
    assert not set(sum(grid.recipe.drives, ())) & set(sum(grid.recipe.validation, ()))


def test_an_ablation_ends_in_a_table(grid_file, tmp_path, placerec, trainings):
    ended = placerec('ablate', grid_file(factors=FEW), '-o', tmp_path / 'out')
    assert ended.returncode == 0, ended.stderr
    assert '5/5' in ended.stderr  # the progress
    assert len(trainings) == 3  # whitening and pinhole want none of their own
    assert len(list((tmp_path / 'out' / 'networks').glob('*/weights.safetensors'))) == 3
    with (tmp_path / 'out' / 'table.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert [row['backbone'] for row in rows[:4]] == [
        *('chance', 'raw pixels', 'base, random weights', 'lcn_cnn')
    ]
    assert [row['fusion'] for row in rows[3:]] == ['concat'] * 2 + ['attention'] + ['concat'] * 2
    assert [row['size'] for row in rows[1:]] == ['1536', '16', '16', '16', '8', '16', '16']
    # The images of the drives are the same, place by place.
    assert rows[1]['forwards_5_m_mean'] == rows[1]['one_camera_5_m_mean'] == '1.0'
    assert float(rows[0]['forwards_5_m_mean']) < 0.5
    assert all(float(row['ms']) > 0 and int(row['parameters']) > 1e5 for row in rows[2:])
    text = (tmp_path / 'out' / 'table.md').read_text()
    assert text.count('\n| ') == len(rows) + 1
    for word in ('raw pixels', 'fusion attention', 'whitening zca', '100.0/100.0'):
        assert f'| {word} ' in text
        assert word.split()[0] in ended.stdout
    refused = placerec('ablate', grid_file(), '-o', tmp_path / 'out')
    assert_refused(refused, 'exists already')


def test_after_a_stop_the_finished_cells_are_kept(grid_file, tmp_path, trainings, monkeypatch):
    grid = read_grid(grid_file(factors={'pooling': ['gem', 'average', 'gem:1x2']}))
    real = run.train

    def stopped(*arguments):
        if len(trainings) == 2:
            raise KeyboardInterrupt
        real(*arguments)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(run, 'train', stopped)
        run.ablate(grid, tmp_path / 'out', say=lambda _: None)
    assert 'average' in (tmp_path / 'out' / 'table.md').read_text()
    kept = {file: file.read_bytes() for file in (tmp_path / 'out' / 'cells').iterdir()}
    more = read_grid(grid_file(factors={'pooling': ['gem', 'average', 'gem:1x2', 'netvlad:2']}))
    rows = run.ablate(more, tmp_path / 'out', resume=True, say=lambda _: None)
    assert [title.split(', ')[1] for title in trainings] == [*more.factors['pooling']]
    assert [row.parts[1] for row in rows[3:]] == [*more.factors['pooling']]
    assert all(file.read_bytes() == data for file, data in kept.items())
    whole = run.ablate(more, tmp_path / 'whole', say=lambda _: None)
    assert [row.recalls for row in whole] == [row.recalls for row in rows]
    run.ablate(grid, tmp_path / 'out', overwrite=True, say=lambda _: None)
    assert len(list((tmp_path / 'out' / 'cells').iterdir())) == 3


@pytest.mark.parametrize(
    ('factors', 'expected'),
    [
        ({'pooling': ['gem', 'gem:9x9']}, "pooling is 'gem:9x9'"),
        ({'backbone': ['lcn_cnn', 'resnet_18']}, 'did you mean .*resnet18'),
    ],
)
def test_a_cell_that_cannot_be_is_told_before_anything_is_trained(
    factors, expected, grid_file, tmp_path, trainings
):
    old = tmp_path / 'out' / 'cells' / 'old.json'
    old.parent.mkdir(parents=True)
    old.touch()
    grid = read_grid(grid_file(factors=factors))
    with pytest.raises(InputError, match=expected):
        run.ablate(grid, tmp_path / 'out', overwrite=True, say=lambda _: None)
    assert not trainings
    assert old.exists()


def drive(name, yaw_deg=0.0, count=8):
    """Make a drive along x, a frame every 20 m."""
    poses = np.array([planar(20.0 * n, 0.0, yaw_deg).as_array() for n in range(count)])
    rows = np.arange(count)
    stamps = np.stack([rows, rows], axis=1)
    track = Track(name, Path(name), 'map', rows, rows, stamps, poses, tags_of(name))
    return Drive(track, np.ones((count, 2, 4, 4, 3), np.uint8), np.ones((count, 2), bool))


def seen_from(drive):
    """Describe what is ahead of a place and what is behind it, by the camera that looks there."""
    places = len(drive.poses)
    ahead_behind = np.eye(2 * places, dtype=np.float32).reshape(2, places, -1).swapaxes(0, 1)
    return ahead_behind[:, ::-1] if drive.track.name == 'back' else ahead_behind


def test_drives_are_recognised_by_the_way_that_they_went():
    campus = Campus.of([drive('map'), drive('there', 20.0), drive('back', 180.0)])
    assert [d.track.name for d in campus.queries['forwards']] == ['there']
    assert [d.track.name for d in campus.queries['reversed']] == ['back']
    both = measure([campus], seen_from, concatenated, (1, 0), whitened=False)
    assert both == {name: [1.0] for name in both}
    blind = measure([campus], seen_from, concatenated, None, whitened=False)
    assert blind['forwards 5'] == [1.0]
    assert blind['reversed 5'][0] < 0.5
    (lone,) = campus.queries['one camera']
    assert lone.present.tolist() == [[True, False]] * 8


def test_a_blind_descriptor_recognises_by_chance():
    campuses = [Campus.of([drive('map'), drive('there')])] * 2

    def alike(drive):
        return np.ones((len(drive.poses), 2, 3), np.float32)

    found = measure(campuses, alike, concatenated, (1, 0), whitened=False)
    assert found['forwards 5'] == [1 / 8, 1 / 8]
    assert measure_chance(campuses)['forwards 5'] == pytest.approx([1 / 8, 1 / 8])
    assert found['reversed 5'] == []


def test_whitening_is_fitted_to_the_map_and_takes_away_what_all_places_share():
    campus = Campus.of([drive('map', count=40), drive('there', count=40)])
    rng = np.random.default_rng(0)
    own, noise = rng.normal(size=(40, 2, 8)), 4 * rng.normal(size=(2, 40, 1, 1))

    def hazed(drive):
        shared = np.ones(8) * noise[int(drive.track.name == 'there')]
        return concatenated((own + shared).astype(np.float32), np.ones((40, 2), bool))

    raw, whitened = (
        measure([campus], hazed, concatenated, (1, 0), way)['forwards 5'] for way in (False, True)
    )
    assert whitened[0] > raw[0] + 0.1


def test_a_row_tells_mean_and_spread_over_campuses():
    recalls = {name: [0.5, 0.75] for name in ('forwards 5', 'forwards 10', 'one camera 5')}
    recalls |= {'one camera 10': [1.0, 1.0], 'reversed 5': [], 'reversed 10': []}
    base = ('lcn_cnn', 'gem', 'concat', 'none', '0.0')
    cells = Row(('chance',), recalls).cells(base)
    assert cells[:4] == ['chance', '62.5/62.5 (50-75)', '-', '62.5/100.0 (50-75)']
    assert cells[4:] == ['', '', '']
    row = Row(('resnet18', 'gem', 'concat', 'zca', '0.0'), recalls, 11_234_567, 256, 3.21)
    name, *_, parameters, size, ms = row.cells(base)
    assert name == 'backbone resnet18, whitening zca'
    assert (parameters, size, ms) == ('11.23', '256', '3.2')
    assert replace(row, parts=base).cells(base)[0] == 'base: lcn_cnn, gem, concat'
