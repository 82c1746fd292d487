"""Training with masks: they weigh the pooling, move with the image, and vary the traffic."""

from __future__ import annotations

from dataclasses import replace

import cv2
from husky_placerec.errors import InputError
from husky_placerec.training.augmentation import augment
from husky_placerec.training.recipe import read_recipe
from husky_placerec.training.traffic import with_traffic
from husky_placerec.training.validation import describe
import numpy as np
import pytest
from support.builders import smooth_image
from support.trainings import PARAMETERS, trainer_of

NEEDS = 'pytorch_metric_learning', 'torch', 'timm'
MASKED = {**PARAMETERS, 'masks': True, 'mask_floor': 0.0}


@pytest.fixture
def masked_recipe(tracks, recipe_file):
    """Return a function that writes a recipe of the two drives, with cars on their left third."""
    mask = np.full((48, 64), 17, np.uint8)
    mask[:, :21] = 55
    content = cv2.imencode('.png', mask)[1].tobytes()
    for image in tracks.glob('*/*_cam/*.png'):
        file = image.parents[1] / 'masks' / image.parent.name / image.name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return lambda **changes: recipe_file(**{'parameters': MASKED, **changes})


def plain(**changes):
    """Return changes of a recipe whose images are not augmented."""
    off = {'light': 0.0, 'geometry': 0.0, 'occlusion': 0.0, 'mirror': False}
    return {**off, **changes}


def test_drives_have_their_masks_and_a_batch_pools_by_them(masked_recipe):
    trainer = trainer_of(masked_recipe(**plain()))
    drive = trainer.groups[0][0]
    assert drive.static.shape == drive.images.shape[:-1]
    assert (drive.static[..., :20] == 0).all()
    assert (drive.static[..., 22:] == 255).all()
    samples = trainer.sampler.batch(np.random.default_rng(0))
    trainer.network.eval()
    found = trainer.descriptors(samples)
    trainer.groups = [[replace(d, static=None) for d in group] for group in trainer.groups]
    assert (found - trainer.descriptors(samples)).norm(dim=1).min() > 1e-3


def test_a_validation_describes_by_masks(masked_recipe):
    trainer = trainer_of(masked_recipe(**plain()))
    drive = trainer.groups[0][0]
    hard = describe(trainer.network, drive, 'concat', 0.0)
    none = describe(trainer.network, replace(drive, static=None), 'concat', 0.0)
    assert np.abs(hard - none).max() > 1e-3
    np.testing.assert_allclose(describe(trainer.network, drive, 'concat', 1.0), none, atol=1e-5)


def test_steps_with_masks_and_traffic_are_finite_also_in_parts(masked_recipe):
    found = []
    for checkpointed in (0, 5):
        trainer = trainer_of(masked_recipe(traffic=0.7, checkpointed=checkpointed, norm='stored'))
        found.append([trainer.step()['loss'] for _ in range(2)])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-3)
    assert np.isfinite(found[0]).all()


def test_a_mask_moves_with_its_image_and_keeps_its_values_else(recipe_file):
    recipe = read_recipe(recipe_file(geometry=1.0, light=1.0, texture=1.0, occlusion=1.0))
    image = smooth_image(1, 64, 48)
    bright = (image[..., :1] > 128).astype(np.uint8) * 255
    four = np.concatenate([np.repeat(bright, 3, axis=2), bright], axis=2)
    moved = augment(four, replace(recipe, light=0.0, texture=0.0, occlusion=0.0), rng())
    np.testing.assert_array_equal(moved[..., 0], moved[..., 3])
    still = augment(four, replace(recipe, geometry=0.0), rng())
    np.testing.assert_array_equal(still[..., 3:], bright)
    # The colours change as they do without a mask.
    np.testing.assert_array_equal(augment(four, recipe, rng())[..., :3], augmented(four, recipe))


def rng():
    return np.random.default_rng(4)


def augmented(four, recipe):
    return augment(np.ascontiguousarray(four[..., :3]), recipe, rng())


def test_traffic_is_what_moves_in_another_image_with_its_mask(masked_recipe):
    trainer = trainer_of(masked_recipe(**plain()))
    drives = trainer.groups[0]
    images = np.full((2, 48, 64, 4), 255, np.uint8)
    found = with_traffic(images, drives, 1.0, rng())
    for camera in range(2):
        assert (found[camera, :, :20, 3] == 0).all()
        assert (found[camera, :, 22:] == 255).all()
        sources = np.concatenate([drive.images[:, camera, :, :20] for drive in drives])
        assert any((found[camera, :, :20, :3] == source).all() for source in sources)
    assert (images == 255).all()
    np.testing.assert_array_equal(with_traffic(images, drives, 0.0, rng()), images)


def test_traffic_without_masks_is_refused(recipe_file):
    with pytest.raises(InputError, match=r'traffic is 0\.5; expected masks: true'):
        read_recipe(recipe_file(traffic=0.5))
