"""Augmentation of images."""

from __future__ import annotations

from husky_placerec.training.augmentation import augment, mirror
from husky_placerec.training.recipe import read_recipe
import numpy as np
from support.builders import smooth_image

NEEDS = 'torch', 'timm', 'pytorch_metric_learning'


def test_augmentation_changes_an_image_and_depends_on_the_seed_alone(recipe_file):
    recipe = read_recipe(recipe_file(occlusion=0.5))
    image = smooth_image(1, 64, 48)
    found = [augment(image, recipe, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert found[0].shape == image.shape
    np.testing.assert_array_equal(found[0], found[1])
    assert abs(found[0].astype(int) - found[2]).mean() > 1
    np.testing.assert_array_equal(mirror(mirror(image)), image)
