"""Training: it learns, goes on after a kill as if nothing had been, and refuses what cannot be."""

from __future__ import annotations

import csv
import errno
import os
from pathlib import Path
import re
import subprocess
import sys
import time

from husky_placerec.errors import InputError
import numpy as np
import pytest
from support.builders import planar, smooth_image, track_rows, write_track_folder
import yaml

pytest.importorskip('pytorch_metric_learning')
torch = pytest.importorskip('torch')

from husky_placerec.descriptor.network import make_network  # noqa: E402
from husky_placerec.descriptor.spec import resolve_spec  # noqa: E402
from husky_placerec.descriptor.weights import read_state_dict  # noqa: E402
from husky_placerec.training import run  # noqa: E402
from husky_placerec.training.augmentation import augment, mirrored  # noqa: E402
from husky_placerec.training.recipe import read_recipe  # noqa: E402
from husky_placerec.training.sampler import yaws  # noqa: E402
from husky_placerec.training.trainer import Trainer  # noqa: E402

PARAMETERS = {
    'backbone': 'lcn_cnn',
    'weights': 'random',
    'pooling': 'gem:1x2',
    'head': 16,
    'input_width': 64,
    'input_height': 48,
    'threads': 1,
}
SMALL = {
    'epochs': 2,
    'iterations': 3,
    'save_every': 1,
    'negative_m': 15.0,
    'places': 3,
    'most_places': 6,
    'warm_up': 2,
    'parameters': PARAMETERS,
}


@pytest.fixture(scope='module')
def tracks(tmp_path_factory):
    """Write two drives over the same 100 m, 20 frames each; the images differ."""
    folder = tmp_path_factory.mktemp('tracks')
    for name in ('a', 'b'):
        write_track_folder(folder / name, track_rows(20))
    return folder


@pytest.fixture
def recipe_file(tracks, tmp_path):
    def write(**changes):
        path = tmp_path / 'recipe.yaml'
        drives = [[str(tracks / 'a'), str(tracks / 'b')]]
        values = {'drives': drives, 'validation': drives, **SMALL, **changes}
        path.write_text(yaml.safe_dump(values))
        return path

    return write


def train(path, output, resume=False, said=None):
    say = (lambda _: None) if said is None else said.append
    run.train(read_recipe(path), output, resume=resume, overwrite=False, say=say)


def rows(path):
    with path.open() as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def trainer_of(path, fusion='concat', opposites=(1, 0), folder=None):
    recipe = read_recipe(path)
    spec = resolve_spec(recipe.parameters, None)
    groups = [
        [
            run.load_drive(track, recipe.parameters, spec, folder or path.parent / 'frames')
            for track in run.read_group(group, recipe.parameters, recipe.positive_m)
        ]
        for group in recipe.drives
    ]
    return Trainer(make_network(spec), groups, recipe, fusion, opposites)


def test_a_training_learns_and_its_weights_describe(recipe_file, tmp_path, placerec):
    path = recipe_file(epochs=2, iterations=15, infonce_first=0.5, learning_rate=0.003, warm_up=3)
    ended = placerec('train', path, '-o', tmp_path / 'out')
    assert ended.returncode == 0, ended.stderr
    assert re.search(r'recall@1 by chance: \d', ended.stdout)
    assert re.search(r'epoch 0: recall@1 .*epoch 2: recall@1 ', ended.stdout, re.S)
    losses = [row['loss'] for row in rows(tmp_path / 'out' / 'loss.csv')]
    assert len(losses) == 30
    assert np.mean(losses[10:15]) < np.mean(losses[:5])  # InfoNCE alone until there
    spec = resolve_spec(read_recipe(path).parameters, None)
    weights = tmp_path / 'out' / 'weights.safetensors'
    from dataclasses import replace

    network = make_network(replace(spec, weights=str(weights)))
    state = read_state_dict(weights)
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())


def test_an_output_that_exists_is_refused(recipe_file, tmp_path, placerec):
    ended = placerec('train', recipe_file(), '-o', tmp_path)
    assert ended.returncode == 2
    assert 'exists already' in ended.stderr


def test_after_a_kill_the_loss_goes_on_as_if_nothing_had_been(recipe_file, tmp_path):
    path = recipe_file()
    train(path, tmp_path / 'whole')
    slow = recipe_file(iterations=3)
    command = [sys.executable, '-m', 'husky_placerec.cli', 'train', slow, '-o', tmp_path / 'cut']
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    losses = tmp_path / 'cut' / 'loss.csv'
    while process.poll() is None and not (losses.exists() and len(rows(losses)) >= 2):
        time.sleep(0.01)
    process.kill()
    process.communicate()
    checkpoint = torch.load(tmp_path / 'cut' / 'checkpoint.pt', weights_only=True)
    assert 1 <= checkpoint['iteration'] <= 6
    train(path, tmp_path / 'cut', resume=True)
    for name in ('loss.csv', 'validation.csv'):
        whole, cut = rows(tmp_path / 'whole' / name), rows(tmp_path / 'cut' / name)
        assert len(whole) == len(cut)
        for expected, found in zip(whole, cut):
            assert found == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_a_training_is_not_resumed_by_another_recipe(recipe_file, tmp_path):
    train(recipe_file(epochs=1, iterations=1), tmp_path / 'out')
    with pytest.raises(InputError, match='another recipe'):
        train(recipe_file(epochs=2, iterations=1), tmp_path / 'out', resume=True)
    with pytest.raises(InputError, match='nothing to resume'):
        train(recipe_file(), tmp_path / 'none', resume=True)


def test_a_loss_that_is_no_number_stops_and_leaves_the_last_good_checkpoint(
    recipe_file, tmp_path, monkeypatch
):
    real = run.Trainer.descriptors

    def spoilt(self, samples):
        return real(self, samples) * (float('nan') if self.iteration == 2 else 1.0)

    monkeypatch.setattr(run.Trainer, 'descriptors', spoilt)
    with pytest.raises(InputError, match=r'loss is nan at iteration 2; stopped; .*checkpoint.pt'):
        train(recipe_file(), tmp_path / 'out')
    checkpoint = torch.load(tmp_path / 'out' / 'checkpoint.pt', weights_only=True)
    assert checkpoint['iteration'] == 2
    assert all(torch.isfinite(value).all() for value in checkpoint['network'].values())


def test_a_full_disk_leaves_the_old_checkpoint(recipe_file, tmp_path, monkeypatch):
    train(recipe_file(epochs=1, iterations=1), tmp_path / 'out')
    before = (tmp_path / 'out' / 'checkpoint.pt').read_bytes()

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OSError, match='No space left'):
        run.save_checkpoint(tmp_path / 'out', {'iteration': 9})
    assert (tmp_path / 'out' / 'checkpoint.pt').read_bytes() == before
    assert not list((tmp_path / 'out').glob('.checkpoint*'))


def test_drives_that_do_not_overlap_are_refused(recipe_file, tracks, tmp_path):
    far = [[*row[:4], row[4] + 500.0, *row[5:]] for row in track_rows(6)]
    write_track_folder(tmp_path / 'far', far)
    path = recipe_file(drives=[[str(tracks / 'a'), str(tracks / 'b'), str(tmp_path / 'far')]])
    with pytest.raises(InputError, match='far: does not overlap with the other drives'):
        train(path, tmp_path / 'out')


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
def test_what_is_wrong_in_a_recipe_is_named(changes, expected, recipe_file):
    with pytest.raises(InputError, match=expected):
        read_recipe(recipe_file(**changes))


@pytest.mark.parametrize('name', ['itlp_convnext_tiny', 'sim_small'])
def test_the_recipes_that_come_along_are_complete(name):
    recipe = read_recipe(Path(__file__).parents[2] / 'config' / 'training' / f'{name}.yaml')
    assert recipe.parameters.backbone == {'itlp_convnext_tiny': 'convnext_tiny'}.get(
        name, 'lcn_cnn'
    )
    assert not {drive for group in recipe.drives for drive in group} & set(recipe.validation[0])
    assert recipe.total in (1799, 3000)


def test_a_device_that_is_not_there_is_refused(recipe_file):
    if torch.cuda.is_available():
        pytest.skip('here it is')
    with pytest.raises(InputError, match='device is cuda; torch finds none'):
        trainer_of(recipe_file(device='cuda'))


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


def test_a_batch_may_be_of_a_single_group(recipe_file, tracks):
    group = [str(tracks / 'a'), str(tracks / 'b')]
    path = recipe_file(drives=[group] * 3, groups_a_batch=1, places=4, negative_m=10.0)
    rng = np.random.default_rng(0)
    batches = [trainer_of(path).sampler.batch(rng) for _ in range(12)]
    assert all(len({sample.group for sample in batch}) == 1 for batch in batches)
    assert {batch[0].group for batch in batches} == {0, 1, 2}


def test_frozen_parts_and_stored_norms_stay_as_they_are(recipe_file):
    path = recipe_file(frozen='body.0 body.1.0', norm='stored', backbone_rate=0.1)
    trainer = trainer_of(path)
    backbone = trainer.network.backbone.network
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    trainer.step()
    trainer.step()
    same = {n for n, value in backbone.state_dict().items() if torch.equal(value, before[n])}
    assert {n for n in before if n.startswith(('body.0.', 'body.1.0.'))} <= same
    assert {n for n in before if 'running' in n} <= same
    assert 'body.4.0.weight' not in same
    assert trainer.optimizer.param_groups[0]['lr'] == pytest.approx(
        0.1 * trainer.optimizer.param_groups[1]['lr']
    )


def test_a_frozen_part_that_there_is_not_is_refused(recipe_file):
    with pytest.raises(InputError, match=r'frozen: .*begins with blocks; it has body\.0\.0'):
        trainer_of(recipe_file(frozen='blocks'))


def test_a_batch_grows_when_few_triplets_are_hard_and_never_beyond_the_most(recipe_file):
    sampler = trainer_of(recipe_file(places=3, most_places=6)).sampler
    sampler.grow(0.7)
    assert sampler.places == 3
    sizes = []
    for _ in range(3):
        sampler.grow(0.6)
        sizes.append(sampler.places)
    assert sizes == [5, 6, 6]


def test_a_frame_of_the_other_direction_has_its_cameras_exchanged(recipe_file, tmp_path):
    there = track_rows(12)
    turned = [[*row[:7], 0.0, 0.0, 1.0, 0.0] for row in there]
    write_track_folder(tmp_path / 'there', there)
    write_track_folder(tmp_path / 'turned', turned)
    path = recipe_file(
        drives=[[str(tmp_path / 'there'), str(tmp_path / 'turned')]],
        **{'mirror': False, 'light': 0.0, 'geometry': 0.0, 'occlusion': 0.0},
    )
    trainer = trainer_of(path)
    samples = trainer.sampler.batch(np.random.default_rng(1))
    assert [s.turned for s in samples] == [n % 2 == 1 for n in range(len(samples))]
    images, _ = trainer._images(samples[1])
    drive = trainer.groups[0][samples[1].drive]
    np.testing.assert_array_equal(images, drive.images[samples[1].frame][::-1])
    blind = trainer_of(path, opposites=None)
    assert not blind.sampler.batch(np.random.default_rng(1))


def gradients(trainer, samples):
    loss, _ = trainer.loss(trainer.descriptors(samples), places_of(samples), 1.0)
    loss.backward()
    return {n: p.grad.clone() for n, p in trainer.network.named_parameters() if p.grad is not None}


def places_of(samples):
    return torch.tensor([sample.place for sample in samples])


VIT = {
    **PARAMETERS,
    'backbone': 'vit_tiny_patch16_224',
    'backbone_options': 'depth=1 embed_dim=24 num_heads=2',
}


@pytest.mark.parametrize('precision', ['float32', 'bfloat16'])
def test_activations_computed_again_give_the_same_gradients(recipe_file, precision):
    found = []
    for checkpointed in (0, 5):
        path = recipe_file(parameters=VIT, checkpointed=checkpointed, precision=precision)
        trainer = trainer_of(path)
        trainer.network.train()
        found.append(gradients(trainer, trainer.sampler.batch(np.random.default_rng(3))))
    assert found[0].keys() == found[1].keys()
    for name, value in found[0].items():
        apart = float((found[1][name] - value).norm() / value.norm().clamp(min=1e-6))
        assert apart < (5e-3 if precision == 'float32' else 0.05), name


@pytest.mark.parametrize(
    ('fusion', 'loss'),
    [('concat', 'triplet'), ('attention', 'multi_similarity'), ('add', 'infonce')],
)
def test_two_processes_have_the_gradients_of_one(fusion, loss, recipe_file, tmp_path):
    path = recipe_file(parameters={**VIT, 'fusion': fusion}, loss=loss)
    trainer = trainer_of(path, fusion, folder=tmp_path / 'frames')
    trainer.network.train()
    expected = gradients(trainer, trainer.sampler.batch(np.random.default_rng(3)))
    script = tmp_path / 'script.py'
    script.write_text(
        'import sys\n'
        'from pathlib import Path\n'
        'sys.path[:0] = sys.argv[4], str(Path(sys.argv[4]).parent)\n'
        'import numpy as np, torch\n'
        'import test_training as t\n'
        'from husky_placerec.training.processes import processes\n'
        'trainer = t.trainer_of(Path(sys.argv[1]), sys.argv[2], folder=Path(sys.argv[5]))\n'
        'with processes() as ours:\n'
        '    assert ours.count == 2\n'
        '    trainer.processes = ours\n'
        '    trainer.network.train()\n'
        '    t.gradients(trainer, trainer.sampler.batch(np.random.default_rng(3)))\n'
        '    ours.join_gradients(trainer.network, trainer._whole())\n'
        '    found = {n: p.grad for n, p in trainer.network.named_parameters()}\n'
        '    torch.save(found, f"{sys.argv[3]}.{ours.rank}")\n'
    )
    arguments = [path, fusion, tmp_path / 'found', Path(__file__).parent, tmp_path / 'frames']
    command = [sys.executable, '-m', 'torch.distributed.run', '--nproc-per-node', '2']
    command += ['--master-port', '0', '--rdzv-backend', 'c10d', '--rdzv-endpoint', 'localhost:0']
    ended = subprocess.run([*command, script, *arguments], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-3000:]
    for rank in (0, 1):
        found = torch.load(tmp_path / f'found.{rank}', weights_only=True)
        assert any(value.abs().max() > 1e-4 for value in expected.values())
        for name, value in expected.items():
            torch.testing.assert_close(found[name], value, rtol=1e-3, atol=1e-5, msg=name)


def test_augmentation_changes_an_image_and_its_seed_decides_how(recipe_file):
    recipe = read_recipe(recipe_file(occlusion=0.5))
    image = smooth_image(1, 64, 48)
    found = [augment(image, recipe, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert found[0].shape == image.shape
    np.testing.assert_array_equal(found[0], found[1])
    assert abs(found[0].astype(int) - found[2]).mean() > 1
    np.testing.assert_array_equal(mirrored(mirrored(image)), image)


def test_yaws_are_those_of_the_poses():
    poses = np.array([planar(0, 0, yaw).as_array() for yaw in (0, 90, -135)])
    np.testing.assert_allclose(np.degrees(yaws(poses)), [0, 90, -135], atol=1e-9)
