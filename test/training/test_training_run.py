"""A whole training: it learns, continues after a kill, and keeps the last good checkpoint."""

from __future__ import annotations

from dataclasses import replace
import errno
import os
import re
import subprocess
import sys
import time

from husky_placerec.descriptor.network import make_network
from husky_placerec.descriptor.spec import resolve_spec
from husky_placerec.descriptor.weights import read_state_dict
from husky_placerec.errors import InputError
from husky_placerec.training import run
from husky_placerec.training.recipe import read_recipe
import numpy as np
import pytest
from support.builders import track_rows, write_track_folder
from support.trainings import read_numbers, train
import torch

NEEDS = 'pytorch_metric_learning', 'torch', 'timm'


def test_a_training_learns_and_its_weights_describe(recipe_file, tmp_path, placerec):
    path = recipe_file(epochs=2, iterations=15, infonce_first=0.5, learning_rate=0.003, warm_up=3)
    ended = placerec('train', path, '-o', tmp_path / 'out')
    assert ended.returncode == 0, ended.stderr
    assert re.search(r'recall@1 by chance: \d', ended.stdout)
    assert re.search(r'epoch 0: recall@1 .*epoch 2: recall@1 ', ended.stdout, re.S)
    losses = [row['loss'] for row in read_numbers(tmp_path / 'out' / 'loss.csv')]
    assert len(losses) == 30
    assert np.mean(losses[10:15]) < np.mean(losses[:5])  # InfoNCE alone until iteration 15
    spec = resolve_spec(read_recipe(path).parameters, None)
    weights = tmp_path / 'out' / 'weights.safetensors'
    network = make_network(replace(spec, weights=str(weights)))
    state = read_state_dict(weights)
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())


def test_an_output_that_exists_is_refused(recipe_file, tmp_path, placerec):
    ended = placerec('train', recipe_file(), '-o', tmp_path)
    assert ended.returncode == 2
    assert 'exists already' in ended.stderr


def test_a_resumed_training_has_the_losses_of_one_that_was_never_killed(recipe_file, tmp_path):
    path = recipe_file()
    train(path, tmp_path / 'whole')
    slow = recipe_file(iterations=3)
    command = [sys.executable, '-m', 'husky_placerec.cli', 'train', slow, '-o', tmp_path / 'cut']
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    losses = tmp_path / 'cut' / 'loss.csv'
    while process.poll() is None and not (losses.exists() and len(read_numbers(losses)) >= 2):
        time.sleep(0.01)
    process.kill()
    process.communicate()
    checkpoint = torch.load(tmp_path / 'cut' / 'checkpoint.pt', weights_only=True)
    assert 1 <= checkpoint['iteration'] <= 6
    train(path, tmp_path / 'cut', resume=True)
    for name in ('loss.csv', 'validation.csv'):
        whole, cut = (read_numbers(tmp_path / folder / name) for folder in ('whole', 'cut'))
        assert len(whole) == len(cut)
        for expected, found in zip(whole, cut):
            assert found == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_a_training_is_not_resumed_by_another_recipe(recipe_file, tmp_path):
    train(recipe_file(epochs=1, iterations=1), tmp_path / 'out')
    with pytest.raises(InputError, match='another recipe'):
        train(recipe_file(epochs=2, iterations=1), tmp_path / 'out', resume=True)
    with pytest.raises(InputError, match='nothing to resume'):
        train(recipe_file(), tmp_path / 'none', resume=True)


def test_a_loss_that_is_not_finite_stops_and_leaves_the_last_good_checkpoint(
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


def test_a_full_disk_leaves_the_last_checkpoint(recipe_file, tmp_path, monkeypatch):
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
