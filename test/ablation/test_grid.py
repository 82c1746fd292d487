"""Grids: their cells, the parameters of a cell, and errors that name what is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from husky_placerec.ablation.grid import Cell, read_grid
from husky_placerec.errors import InputError
import pytest
import yaml

NEEDS = 'pytorch_metric_learning', 'torch', 'timm'

CONFIGS = Path(__file__).parents[2] / 'config' / 'training'


def test_each_cell_changes_one_part_of_the_base(grid_file, four_factors):
    base, *others = read_grid(grid_file(factors=four_factors)).cells
    assert base == Cell('lcn_cnn', 'gem:1x2', 'concat', 'none', 0.0)
    assert others == [
        replace(base, pooling='average'),
        replace(base, fusion='attention'),
        replace(base, whitening='zca'),
        replace(base, pinhole_focal=0.9),
    ]
    every = read_grid(grid_file(factors=four_factors, full=True)).cells
    assert len(set(every)) == len(every) == 16
    assert every[0] == base


def test_a_backbone_takes_options_behind_its_name_and_weights_by_its_name(grid_file, tmp_path):
    (tmp_path / 'resnet.pth').touch()
    backbones = ['lcn_cnn', 'resnet18 output_stride=16']
    path = grid_file(factors={'backbone': backbones}, weights={'resnet18': 'resnet.pth'})
    grid = read_grid(path)
    own, other = map(grid.config, grid.cells)
    assert (own.backbone, own.weights) == ('lcn_cnn', 'random')
    assert (other.backbone, other.backbone_options) == ('resnet18', 'output_stride=16')
    assert other.weights == str(tmp_path / 'resnet.pth')
    before = [grid.file_name(cell) for cell in grid.cells]
    (tmp_path / 'resnet.pth').write_bytes(b'other weights')
    after = [grid.file_name(cell) for cell in grid.cells]
    assert [a == b for a, b in zip(before, after)] == [True, False]


def test_a_part_that_does_not_vary_has_the_value_of_the_recipe_or_the_default(grid_file, tmp_path):
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
def test_the_error_names_what_is_wrong_in_a_grid(changes, expected, grid_file):
    with pytest.raises(InputError, match=expected):
        read_grid(grid_file(**changes))


def test_the_grid_of_the_package_is_complete():
    grid = read_grid(CONFIGS / 'ablation.yaml')
    assert len(grid.cells) == 11
    assert len({grid.training_cell(cell) for cell in grid.cells}) == 9
    assert not set(sum(grid.recipe.drives, ())) & set(sum(grid.recipe.validation, ()))
