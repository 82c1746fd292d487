"""The shipped network of local descriptors: what it describes, and the files that are refused."""

from __future__ import annotations

from dataclasses import replace
import json

from husky_placerec.config import make_config
from husky_placerec.descriptor.local.collector import LocalCollector
from husky_placerec.descriptor.local.extractor import load_local, LocalExtractor
from husky_placerec.descriptor.local.network import FAR, LocalNetwork, restored
from husky_placerec.errors import InputError
import numpy as np
import pytest
from support.builders import BACK, frame, FRONT, smooth_image, spec
from support.needs import needs

CONFIG = make_config({'threads': 1})
SEEN = frame(**{FRONT: smooth_image(1, 96, 56), BACK: smooth_image(2, 96, 56)})
ALONE = frame(**{BACK: SEEN.images[BACK]})


@pytest.fixture(scope='module')
def network():
    return LocalNetwork('shipped', threads=1)


@pytest.fixture(scope='module')
def extractor(network):
    return LocalExtractor.of(network, network.branches, spec(), CONFIG)


@pytest.fixture(scope='module')
def described(extractor):
    return extractor.describe_each(SEEN)


def test_each_camera_is_described_cell_by_cell_in_each_branch(extractor, described):
    local = extractor.spec
    assert extractor.branches == ('learned', 'anchor')
    assert described.shape == (2, 2, local.cells, local.size)
    assert (described.dtype, local.cells) == (np.int8, local.rows * local.columns)
    assert np.linalg.norm(restored(described), axis=-1) == pytest.approx(1.0, abs=0.03)
    assert not np.array_equal(described[0], described[1])
    assert (extractor.spec_of('anchor').branch, local.branch) == ('anchor', 'learned')


def test_an_absent_camera_is_zeros_and_the_others_are_as_they_were(extractor, described):
    found = extractor.describe_each(ALONE)
    assert not found[:, 0].any()
    assert np.abs(found[:, 1].astype(int) - described[:, 1]).max() <= 1
    assert not extractor.describe_each(frame()).any()
    assert extractor.far(frame()) == []


def test_one_branch_gives_what_it_gives_beside_the_other(network, described):
    for number, branch in enumerate(network.branches):
        one = LocalExtractor.of(network, (branch,), spec(), CONFIG)
        assert one.spec.branch == branch
        assert np.abs(one.describe(SEEN).astype(int) - described[number]).max() <= 1


def test_an_image_that_is_moved_is_described_alike(extractor):
    """The features of a cell go with what is seen there."""
    local = extractor.spec
    cell = 192 // local.columns * 2
    wide = smooth_image(4, 384 + 2 * cell, 224, cells=40)
    left, right = (
        frame(**{FRONT: np.ascontiguousarray(wide[:, at : at + 384])}) for at in (0, cell)
    )
    grids = [
        restored(extractor.describe(each)[0]).reshape(local.rows, local.columns, -1)
        for each in (left, right)
    ]
    moved = (grids[0][:, 3:-2] * grids[1][:, 2:-3]).sum(axis=-1).mean()
    still = (grids[0][:, 3:-2] * grids[1][:, 3:-2]).sum(axis=-1).mean()
    assert moved > still + 0.1


def test_an_image_unlike_those_of_the_training_is_far(network):
    local = network.spec
    noise = np.random.default_rng(0).integers(0, 255, (2, 224, 384, 3)).astype(np.uint8)
    assert noise.shape[1:3] == (local.input_height, local.input_width)
    assert network.far(list(noise)) == [True, True]
    assert FAR > 0


class Told(LocalExtractor):
    """An extractor that says of the images of each frame what the test wants, far or not."""

    def far(self, frame):
        return self.told[frame.stamp_ns]


@pytest.mark.parametrize(
    ('told', 'branch'),
    [
        ([[False, False], [False, False]], 'learned'),
        ([[True, True], [False, False]], 'learned'),  # half of them
        ([[True, True], [True, False]], 'anchor'),
        ([[True, False], [False, False]], 'learned'),
    ],
)
def test_the_second_branch_is_taken_where_most_images_are_far(network, described, told, branch):
    extractor = Told.of(network, network.branches, spec(), CONFIG)
    extractor = Told(network, extractor._prepare, spec().sees, network.branches)
    extractor.told = told
    collector = LocalCollector(extractor)
    for number in range(2):
        collector.add(replace(SEEN, stamp_ns=number))
    found = collector.collected()
    assert found.spec == extractor.spec_of(branch)
    assert len(found) == 2
    of_branch = described[network.branches.index(branch)].astype(int)
    assert np.abs(found.values[1] - of_branch).max() <= 1


def test_without_an_extractor_or_frames_nothing_is_collected(extractor):
    nothing = LocalCollector(None)
    nothing.add(SEEN)
    assert nothing.collected() is None
    assert LocalCollector(extractor).collected() is None


def test_a_map_has_one_branch_which_is_loaded_again(network):
    stored = replace(network.spec, branch='anchor')
    loaded = load_local(CONFIG, spec(), stored)
    assert loaded.branches == ('anchor',)
    loaded.spec.require_same(stored, 'map')
    assert load_local(CONFIG, spec()).branches == network.branches


def test_a_branch_that_the_network_lacks_is_refused(network):
    stored = replace(network.spec, branch='another')
    with pytest.raises(InputError, match="no branch 'another'; there are learned, anchor"):
        load_local(CONFIG, spec(), stored)


def test_a_map_of_another_network_is_told_by_its_difference(network):
    stored = replace(network.spec, branch='another', weights_sha256='b' * 64)
    loaded = load_local(CONFIG, spec(), stored)
    with pytest.raises(InputError, match=f'weights_sha256 is .{"b" * 64}., expected'):
        loaded.spec.require_same(stored, 'map')


def test_a_file_that_only_a_map_names_is_not_opened_without_trust(network, tmp_path):
    named = str(tmp_path / 'net.local.onnx')
    stored = replace(network.spec, weights=named)
    with pytest.raises(InputError, match=r'local_weights: the map names the file .*--trust'):
        load_local(CONFIG, spec(), stored)
    with pytest.raises(InputError, match='expected `shipped` or a file'):  # it is opened
        load_local(make_config({'trust_map': True}), spec(), stored)
    assert load_local(make_config({'local_weights': 'shipped'}), spec(), stored).branches


@pytest.mark.parametrize('content', [b'', b'no network'])
def test_a_broken_file_is_refused(tmp_path, content):
    file = tmp_path / 'net.onnx'
    file.write_bytes(content)
    with pytest.raises(InputError, match=r'net\.onnx: not a network that `placerec model local`'):
        LocalNetwork(str(file), threads=1)


def with_metadata(file, outputs=('learned',), **metadata):
    """Write a network that has these outputs and metadata, and does nothing else."""
    import onnx
    from onnx import helper, TensorProto

    images = helper.make_tensor_value_info('images', TensorProto.FLOAT, ['n'])
    made = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ['n']) for name in outputs]
    nodes = [helper.make_node('Identity', ['images'], [name]) for name in outputs]
    opset = [helper.make_opsetid('', 17)]
    model = helper.make_model(
        helper.make_graph(nodes, 'g', [images], made), opset_imports=opset, ir_version=8
    )
    for key, value in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, json.dumps(value)
    onnx.save(model, str(file))
    return LocalNetwork(str(file), threads=1)


ABOUT = {'input_width': 384, 'input_height': 224, 'rows': 14, 'columns': 24, 'size': 32}


@needs('onnx')
def test_a_network_without_an_anchor_has_one_branch_and_no_image_is_far(tmp_path):
    made = with_metadata(tmp_path / 'net.onnx', local=ABOUT, branches=['learned'])
    assert made.branches == ('learned',)
    assert made.far([np.zeros(1)]) == [False]


@needs('onnx')
@pytest.mark.parametrize(
    ('metadata', 'words'),
    [
        ({}, 'not a network that'),
        ({'local': ABOUT}, 'not a network that'),
        ({'local': [1], 'branches': ['learned']}, 'not a network that'),
        ({'local': ABOUT, 'branches': 7}, 'not a network that'),
        ({'local': ABOUT, 'branches': []}, 'expected at least one branch'),
        ({'local': ABOUT, 'branches': ['learned', 'anchor']}, 'expected learned, anchor'),
        ({'local': {**ABOUT, 'rows': 0}, 'branches': ['learned']}, 'rows is 0'),
        ({'local': {**ABOUT, 'more': 1}, 'branches': ['learned']}, 'unknown keys: more'),
    ],
)
def test_a_network_of_something_else_is_refused(tmp_path, metadata, words):
    with pytest.raises(InputError, match=rf'net\.onnx: .*{words}'):
        with_metadata(tmp_path / 'net.onnx', **metadata)
