"""Fine-tuning: a published network learns, but for what the recipe freezes, and loads again."""

from __future__ import annotations

from husky_placerec.descriptor.network import make_network
from husky_placerec.descriptor.published.presets import PRESETS
from husky_placerec.descriptor.spec import resolve_spec
from husky_placerec.training.recipe import read_recipe
import pytest
from support.presets import checkpoint_of, TINY
from support.trainings import train
import torch

NEEDS = 'pytorch_metric_learning', 'torch', 'timm', 'safetensors'


@pytest.mark.parametrize(
    ('name', 'frozen'),
    [('tiny_cosplace', 'conv1 bn1'), ('tiny_salad', 'pos_embed patch_embed blocks.0.attn')],
)
def test_a_preset_learns_but_for_what_is_frozen(name, frozen, recipe_file, tmp_path, monkeypatch):
    monkeypatch.setitem(PRESETS, name, TINY[name])
    torch.save(checkpoint_of(name), tmp_path / 'a.pth')
    parameters = {'preset': name, 'weights': str(tmp_path / 'a.pth'), 'threads': 1}
    options = {'epochs': 1, 'warm_up': 0, 'learning_rate': 0.01, 'norm': 'stored'}
    path = recipe_file(parameters=parameters, frozen=frozen, **options)
    spec = resolve_spec(read_recipe(path).parameters, None)
    before = make_network(spec).state_dict()
    train(path, tmp_path / 'out')
    checkpoint = torch.load(tmp_path / 'out' / 'checkpoint.pt', weights_only=True)['network']
    changed = {key for key, value in checkpoint.items() if not torch.equal(value, before[key])}
    kept = tuple(f'backbone.network.{part}' for part in frozen.split())
    assert changed and not any(key.startswith(kept) for key in changed)
    assert any(key.startswith('pooling.') for key in changed)
    assert any(key.startswith('backbone.') for key in changed)
    # Its weights are a file of the same preset; the position embeddings are not resampled again.
    tuned = tmp_path / 'out' / 'weights.safetensors'
    again = recipe_file(parameters={**parameters, 'weights': str(tuned)})
    make_network(resolve_spec(read_recipe(again).parameters, None))
