"""Steps of a training: frozen parts, stored statistics, and equal gradients by other ways."""

from __future__ import annotations

from pathlib import Path
import subprocess
import sys

from husky_placerec.errors import InputError
import numpy as np
import pytest
from support.trainings import gradients, trainer_of, VIT, write_recipe
import torch

NEEDS = 'pytorch_metric_learning', 'torch', 'timm'

TESTS = Path(__file__).parents[1]
# One of the two processes; its arguments: the folder of the tests, and a folder a case, which has
# a recipe, its fusion and its decoded images.
PROCESS = """
from pathlib import Path
import sys
tests, *folders = map(Path, sys.argv[1:])
sys.path.insert(0, str(tests))
import numpy as np
import torch
from husky_placerec.training.processes import join_processes
from support.trainings import gradients, trainer_of

with join_processes() as processes:
    assert processes.count == 2
    for folder in folders:
        fusion = (folder / 'fusion').read_text()
        trainer = trainer_of(folder / 'recipe.yaml', fusion, folder=folder / 'frames')
        trainer.processes = processes
        trainer.network.train()
        gradients(trainer, trainer.sampler.batch(np.random.default_rng(3)))
        processes.sum_gradients(trainer.network, trainer.parameters_after_gather())
        found = {name: each.grad for name, each in trainer.network.named_parameters()}
        torch.save(found, folder / f'found.{processes.rank}')
"""
CASES = ('concat', 'triplet'), ('attention', 'multi_similarity'), ('add', 'infonce')


def test_a_missing_gpu_is_refused(recipe_file):
    if torch.cuda.is_available():
        pytest.skip('there is a GPU')
    with pytest.raises(InputError, match='device is cuda; torch finds none'):
        trainer_of(recipe_file(device='cuda'))


def test_frozen_parts_and_stored_statistics_do_not_change(recipe_file):
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


def test_a_frozen_part_that_does_not_exist_is_refused(recipe_file):
    with pytest.raises(InputError, match=r'frozen: .*begins with blocks; it has body\.0\.0'):
        trainer_of(recipe_file(frozen='blocks'))


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


@pytest.fixture(scope='module')
def trained_by_two(tracks, tmp_path_factory):
    """
    Train a batch of each case by two processes, which start once.

    Returns by case its folder, and the gradients that one process has.
    """
    top, gradients_of_one = tmp_path_factory.mktemp('two'), {}
    for fusion, loss in CASES:
        folder = top / fusion
        folder.mkdir()
        (folder / 'fusion').write_text(fusion)
        path = write_recipe(
            folder / 'recipe.yaml', tracks, parameters={**VIT, 'fusion': fusion}, loss=loss
        )
        trainer = trainer_of(path, fusion, folder=folder / 'frames')
        trainer.network.train()
        found = gradients(trainer, trainer.sampler.batch(np.random.default_rng(3)))
        gradients_of_one[fusion, loss] = folder, found
    script = top / 'process.py'
    script.write_text(PROCESS)
    command = [sys.executable, '-m', 'torch.distributed.run', '--nproc-per-node', '2']
    command += ['--master-port', '0', '--rdzv-backend', 'c10d', '--rdzv-endpoint', 'localhost:0']
    folders = [folder for folder, _ in gradients_of_one.values()]
    ended = subprocess.run([*command, script, TESTS, *folders], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return gradients_of_one


@pytest.mark.parametrize('case', CASES, ids='-'.join)
def test_two_processes_have_the_gradients_of_one(case, trained_by_two):
    folder, expected = trained_by_two[case]
    for rank in (0, 1):
        found = torch.load(folder / f'found.{rank}', weights_only=True)
        assert any(value.abs().max() > 1e-4 for value in expected.values())
        for name, value in expected.items():
            torch.testing.assert_close(found[name], value, rtol=1e-3, atol=1e-5, msg=name)
