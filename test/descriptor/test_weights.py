"""Files of weights: every form is read, and an error names what does not fit."""

from __future__ import annotations

from dataclasses import replace
import itertools

from husky_placerec.errors import InputError
import numpy as np
import pytest
from support.networks import describe_both, load_network

NEEDS = 'torch', 'timm'


@pytest.mark.parametrize(
    ('name', 'form'),
    [
        *itertools.product(['net.pth', 'net.safetensors'], ['bare', 'with classifier']),
        ('net.pt', 'checkpoint'),
    ],
)
def test_weights_are_the_same_from_every_kind_of_file(name, form, network, state, weights_file):
    import torch

    changed = {
        key: value + 0.01 if value.is_floating_point() else value for key, value in state.items()
    }
    classifier = {'classifier.weight': torch.zeros(5, 7)}
    content = changed | (classifier if form == 'with classifier' else {})
    if form == 'checkpoint':
        content = {'state_dict': content, 'epoch': 3}
    made = load_network(weights=weights_file(content, name))
    same = load_network(weights=weights_file(state, f'same-{name}'))
    assert same.spec == replace(network.spec, weights=same.spec.weights)
    np.testing.assert_array_equal(describe_both(same), describe_both(network))
    assert made.spec.weights_sha256 != network.spec.weights_sha256
    assert abs(describe_both(made) - describe_both(network)).max() > 1e-4


def without_a_key(state):
    return {key: value for key, value in state.items() if key != 'conv_stem.weight'}


def of_another_shape(state):
    return {**state, 'conv_stem.weight': state['conv_stem.weight'][:, :1].contiguous()}


def with_an_extra_key(state):
    return {**state, 'extra.weight': state['conv_stem.weight']}


def of_another_network(state):
    return {f'layer1.{key}': value for key, value in state.items()}


@pytest.mark.parametrize(
    ('change', 'expected'),
    [
        (without_a_key, r'of its \d+ tensors: 1 missing \(conv_stem.weight\)$'),
        (of_another_shape, r'1 of another shape .*\[16, 1, 3, 3\] instead of \[16, 3, 3, 3\]'),
        (with_an_extra_key, r'1 unknown \(extra.weight\)$'),
        (of_another_network, r'missing \(.*, \.\.\.\); \d+ unknown \(layer1'),
        (lambda _: {}, 'expected a state dict of tensors'),
        (lambda _: [1, 2], 'expected a state dict of tensors'),
        (lambda _: {'epoch': 3}, 'expected a state dict of tensors'),
        (lambda state: {1: state['conv_stem.weight']}, 'expected a state dict of tensors'),
    ],
)
def test_the_error_names_the_weights_that_do_not_fit(change, expected, state, weights_file):
    file = weights_file(change(state))
    with pytest.raises(InputError, match=f'^{file}: .*{expected}'):
        load_network(weights=file)


@pytest.mark.parametrize('name', ['none.pth', 'net.pth', 'net.safetensors', 'folder'])
def test_the_error_names_a_file_that_holds_no_weights(name, tmp_path):
    (tmp_path / 'folder').mkdir()
    if name.startswith('net'):
        (tmp_path / name).write_bytes(b'garbage' * 100)
    expected = 'cannot be read as weights' if name.startswith('net') else 'no such weights file'
    with pytest.raises(InputError, match=f'{name}: {expected}'):
        load_network(weights=str(tmp_path / name))
