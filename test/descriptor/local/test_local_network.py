"""Local descriptors: the basis, the shipped network, the extractor, and what is refused."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import make_config
from husky_placerec.descriptor.local.basis import Basis
from husky_placerec.descriptor.local.collector import LocalCollector
from husky_placerec.descriptor.local.extractor import load_local
from husky_placerec.descriptor.local.features import LocalFeatures
from husky_placerec.descriptor.local.network import LocalNetwork, quantized, restored
from husky_placerec.descriptor.local.spec import LocalSpec
from husky_placerec.errors import InputError
from husky_placerec.types import Frame
import numpy as np
import pytest
from support.builders import spec

CONFIG = make_config({'extractor': 'pixels', 'threads': 1})


@pytest.fixture(scope='module')
def network():
    return LocalNetwork('shipped', threads=1)


def picture(seed=0):
    """Make an image with structure, of another size than the input."""
    rng = np.random.default_rng(seed)
    return np.kron(rng.integers(0, 256, (18, 32, 3)), np.ones((10, 10, 1))).astype(np.uint8)


def frame(**images):
    return Frame(0, images, dict.fromkeys(images, 0))


def test_a_basis_keeps_the_directions_of_most_variance_and_evens_them():
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(30, 4, 5, 40)) * np.linspace(9, 0.1, 40) + 3.0
    basis = Basis.fit(maps.astype(np.float32), 8)
    assert basis.axes.shape == (40, 8)
    spread = ((maps.reshape(-1, 40) - basis.mean) @ basis.axes).std(axis=0)
    assert spread[0] > spread[-1]
    full = maps.reshape(-1, 40).std(axis=0)
    assert spread[0] / spread[-1] < full[0] / full[8]


@pytest.mark.parametrize(
    ('shape', 'words'), [((19, 2, 2, 40), '19 images to fit a basis'), ((20, 2, 2, 31), '31 chan')]
)
def test_too_little_to_fit_a_basis_is_refused(shape, words):
    with pytest.raises(InputError, match=words):
        Basis.fit(np.ones(shape, np.float32))


def test_the_shipped_network_gives_unit_vectors_of_its_cells(network):
    made = network.spec
    assert (made.input_width, made.input_height) == (384, 224)
    assert (made.rows, made.columns, made.size) == (14, 24, 32)
    assert made.bytes_of_place(2) == 2 * 14 * 24 * 32
    image = np.zeros((224, 384, 3), np.uint8)
    image[:, 192:] = 200
    (cells,) = network.describe([image], network.branches[:1])
    assert cells.dtype == np.int8 and cells.shape == (1, made.cells, made.size)
    lengths = np.linalg.norm(restored(cells), axis=2)
    assert lengths == pytest.approx(np.ones_like(lengths), abs=0.03)
    assert len(network.far([image])) == 1


def test_vectors_are_stored_by_a_quarter_of_their_bytes():
    vectors = np.random.default_rng(0).normal(size=(5, 32))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert restored(quantized(vectors)) == pytest.approx(vectors, abs=0.5 / 127 + 1e-6)


def test_an_absent_camera_has_zeros_and_each_branch_its_own_features():
    local = load_local(CONFIG, spec())
    assert local.branches == ('learned', 'anchor')
    values = local.describe_each(frame(back=picture()))
    assert values.shape[:2] == (2, 2)
    assert not values[:, 0].any() and values[:, 1].any()
    assert (values[0] != values[1]).any()
    assert not local.describe_each(frame()).any()
    np.testing.assert_array_equal(local.describe(frame(back=picture())), values[0])


class _Told:
    """An extractor of which a test says what it sees."""

    branches = ('learned', 'anchor')

    def __init__(self, far):
        self._far = iter(far)

    def describe_each(self, frame):
        return np.stack([np.full((2, 3, 4), n, np.int8) for n in (1, 2)])

    def far(self, frame):
        return next(self._far)

    def spec_of(self, branch):
        return branch


@pytest.mark.parametrize(
    ('far', 'branch'),
    [
        ([[False, False], [False, True]], 'learned'),
        ([[True, True], [False, True]], 'anchor'),
        ([[True, False], [False, True]], 'learned'),
    ],
)
def test_a_drive_is_described_by_the_branch_of_most_of_its_images(far, branch):
    collector = LocalCollector(_Told(far))
    for _ in far:
        collector.add(frame())
    found = collector.collected()
    assert found.spec == branch
    assert found.values.shape == (2, 2, 3, 4)
    assert (found.values == {'learned': 1, 'anchor': 2}[branch]).all()
    assert LocalCollector(None).collected() is None


def test_a_file_that_is_no_local_network_is_refused(tmp_path):
    with pytest.raises(InputError, match=r'local_weights is .*expected `shipped` or a file'):
        LocalNetwork(str(tmp_path / 'missing.onnx'), threads=1)
    file = tmp_path / 'broken.onnx'
    file.write_bytes(b'no network')
    with pytest.raises(InputError, match=r'broken\.onnx: not a network that'):
        LocalNetwork(str(file), threads=1)


def test_a_branch_that_a_network_lacks_is_refused(network):
    assert network.of_branch('anchor').branch == 'anchor'
    with pytest.raises(InputError, match="no branch 'other'; there are learned, anchor"):
        network.of_branch('other')


def test_weights_that_only_a_map_names_are_not_opened(network):
    stored = replace(network.spec, weights='/from/elsewhere.onnx')
    with pytest.raises(InputError, match='the map names the file'):
        load_local(CONFIG, spec(), stored)
    trusting = replace(CONFIG, trust_map=True)
    with pytest.raises(InputError, match='expected `shipped` or a file'):
        load_local(trusting, spec(), stored)


def test_a_map_of_another_network_is_named_with_what_differs(network):
    found = LocalSpec.from_json(network.spec.as_json(), 'map.json')
    network.spec.require_same(replace(found, weights='elsewhere'), 'm')
    with pytest.raises(InputError, match="m: local descriptors of another network: branch is 'x'"):
        network.spec.require_same(replace(found, branch='x'), 'm')
    with pytest.raises(InputError, match=r'map\.json.*rows'):
        LocalSpec.from_json({**found.as_json(), 'rows': 0}, 'map.json')


def test_features_of_some_places_and_of_two_maps(network):
    values = np.arange(3 * 2 * 4 * 2, dtype=np.int8).reshape(3, 2, 4, 2)
    some = LocalFeatures(replace(network.spec, rows=2, columns=2, size=2), values)
    assert some.chosen(np.array([2, 0])).values[0].tolist() == values[2].tolist()
    assert len(some.joined(some.chosen(slice(0, 1)))) == 4
    assert some.vectors(np.array([1]), 1) == pytest.approx(values[[1], 1] / 127)
    assert some.matcher is some.matcher and some.matcher.cells == 4
