"""Recipes: an error names what is wrong, and the recipes in config/training are complete."""

from __future__ import annotations

from pathlib import Path

from husky_placerec.errors import InputError
from husky_placerec.training.recipe import read_recipe
import pytest

NEEDS = 'torch', 'timm', 'pytorch_metric_learning'


CONFIGS = Path(__file__).parents[2] / 'config' / 'training'


@pytest.mark.parametrize(
    ('changes', 'expected'),
    [
        ({'margins': 1}, 'no key margins; there are: drives, '),
        ({'margin': 'a'}, "margin is 'a'; expected float"),
        ({'loss': 'contrastive'}, 'expected one of triplet, multi_similarity, infonce'),
        ({'drives': [['one']]}, 'drives has a group of 1; expected 2 drives or more'),
        ({'validation': 'here'}, "validation is 'here'; expected a list of lists"),
        ({'parameters': {'backbones': 1}}, 'no parameter backbones'),
    ],
)
def test_the_error_names_what_is_wrong_in_a_recipe(changes, expected, recipe_file):
    with pytest.raises(InputError, match=expected):
        read_recipe(recipe_file(**changes))


def test_the_recipe_for_fine_tuning_freezes_what_it_names():
    from husky_placerec.descriptor.published.presets import PRESETS
    from husky_placerec.descriptor.timm_import import timm

    recipe = read_recipe(CONFIGS / 'finetune_eigenplaces.yaml')
    preset = PRESETS[recipe.parameters.preset]
    names = [name for name, _ in timm.create_model(preset.backbone).named_parameters()]
    assert all(any(n.startswith(part) for n in names) for part in recipe.frozen.split())


@pytest.mark.parametrize('name', ['itlp_convnext_tiny', 'sim_small'])
def test_the_recipes_of_the_package_are_complete(name):
    recipe = read_recipe(CONFIGS / f'{name}.yaml')
    assert recipe.parameters.backbone == {'itlp_convnext_tiny': 'convnext_tiny'}.get(
        name, 'lcn_cnn'
    )
    assert not {drive for group in recipe.drives for drive in group} & set(recipe.validation[0])
    assert recipe.total in (1799, 3000)
