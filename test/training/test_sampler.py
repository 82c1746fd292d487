"""Batches: places apart from each other, with frames of different drives and directions."""

from __future__ import annotations

from husky_placerec.training.sampler import yaws
import numpy as np
from support.builders import planar, track_rows, write_track_folder
from support.trainings import trainer_of

NEEDS = 'pytorch_metric_learning', 'torch', 'timm'


def test_batches_are_places_apart_with_frames_of_different_drives(recipe_file):
    trainer = trainer_of(recipe_file(places=4))
    rng = np.random.default_rng(0)
    for _ in range(20):
        samples = trainer.sampler.batch(rng)
        at = {
            place: [
                (trainer.groups[s.group][s.drive].poses[s.frame, :2], s.drive, s.mirrored)
                for s in samples
                if s.place == place
            ]
            for place in {s.place for s in samples}
        }
        assert 2 <= len(at) <= 4
        for place, frames in at.items():
            assert len({drive for _, drive, _ in frames}) == len(frames) == 2
            assert np.linalg.norm(frames[0][0] - frames[1][0]) <= 5
            for other in at:
                if other != place and at[other][0][2] == frames[0][2]:
                    assert np.linalg.norm(frames[0][0] - at[other][0][0]) >= 15


def test_a_batch_can_be_of_a_single_group(recipe_file, tracks):
    group = [str(tracks / 'a'), str(tracks / 'b')]
    path = recipe_file(drives=[group] * 3, groups_a_batch=1, places=4, negative_m=10.0)
    rng = np.random.default_rng(0)
    batches = [trainer_of(path).sampler.batch(rng) for _ in range(12)]
    assert all(len({sample.group for sample in batch}) == 1 for batch in batches)
    assert {batch[0].group for batch in batches} == {0, 1, 2}


def test_a_batch_grows_when_few_triplets_are_hard_but_not_beyond_the_limit(recipe_file):
    sampler = trainer_of(recipe_file(places=3, most_places=6)).sampler
    sampler.grow(0.7)
    assert sampler.places == 3
    sizes = []
    for _ in range(3):
        sampler.grow(0.6)
        sizes.append(sampler.places)
    assert sizes == [5, 6, 6]


def test_a_frame_of_the_other_direction_has_its_cameras_swapped(recipe_file, tmp_path):
    forwards = track_rows(12)
    turned = [[*row[:7], 0.0, 0.0, 1.0, 0.0] for row in forwards]
    write_track_folder(tmp_path / 'forwards', forwards)
    write_track_folder(tmp_path / 'turned', turned)
    path = recipe_file(
        drives=[[str(tmp_path / 'forwards'), str(tmp_path / 'turned')]],
        **{'mirror': False, 'light': 0.0, 'geometry': 0.0, 'occlusion': 0.0},
    )
    trainer = trainer_of(path)
    samples = trainer.sampler.batch(np.random.default_rng(1))
    assert [s.turned for s in samples] == [n % 2 == 1 for n in range(len(samples))]
    images = trainer.images(samples[1])
    drive = trainer.groups[0][samples[1].drive]
    np.testing.assert_array_equal(images, drive.images[samples[1].frame][::-1])
    without_opposites = trainer_of(path, opposites=None)
    assert not without_opposites.sampler.batch(np.random.default_rng(1))


def test_yaws_are_those_of_the_poses():
    poses = np.array([planar(0, 0, yaw).as_array() for yaw in (0, 90, -135)])
    np.testing.assert_allclose(np.degrees(yaws(poses)), [0, 90, -135], atol=1e-9)
