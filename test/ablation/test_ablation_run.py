"""An ablation from grid to table: it resumes after a stop, and fails before it trains."""

from __future__ import annotations

import csv

from husky_placerec.ablation import run
from husky_placerec.ablation.grid import read_grid
from husky_placerec.errors import InputError
from husky_placerec.output_folder import mark_folder
import pytest
from support.commands import assert_refused

NEEDS = 'pytorch_metric_learning', 'torch', 'timm'


def test_an_ablation_ends_in_a_table(grid_file, four_factors, tmp_path, placerec, trainings):
    ended = placerec('ablate', grid_file(factors=four_factors), '-o', tmp_path / 'out')
    assert ended.returncode == 0, ended.stderr
    assert '5/5' in ended.stderr  # the progress
    assert len(trainings) == 3  # whitening and pinhole need no training of their own
    assert len(list((tmp_path / 'out' / 'networks').glob('*/weights.safetensors'))) == 3
    with (tmp_path / 'out' / 'table.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert [row['backbone'] for row in rows[:4]] == [
        *('chance', 'raw pixels', 'base, random weights', 'lcn_cnn')
    ]
    assert [row['fusion'] for row in rows[3:]] == ['concat'] * 2 + ['attention'] + ['concat'] * 2
    assert [row['size'] for row in rows[1:]] == ['1536', '16', '16', '16', '8', '16', '16']
    # The drives have the same images at each place.
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


def test_resuming_keeps_the_finished_cells(grid_file, tmp_path, trainings, monkeypatch):
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
def test_a_cell_that_cannot_be_made_is_refused_before_anything_is_trained(
    factors, expected, grid_file, tmp_path, trainings
):
    old = tmp_path / 'out' / 'cells' / 'old.json'
    old.parent.mkdir(parents=True)
    old.touch()
    mark_folder(tmp_path / 'out')
    grid = read_grid(grid_file(factors=factors))
    with pytest.raises(InputError, match=expected):
        run.ablate(grid, tmp_path / 'out', overwrite=True, say=lambda _: None)
    assert not trainings
    assert old.exists()
