"""Entry points of local folders: their code runs apart, and what goes wrong in it is named."""

from __future__ import annotations

import os
import pickle

from husky_placerec.config import make_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.descriptor.hub_extractor import hub_arguments
from husky_placerec.descriptor.spec import resolve_spec
from husky_placerec.errors import InputError
import numpy as np
import pytest
from support.builders import frame, smooth_image

NEEDS = ('torch',)

HUBCONF = """
import os
import torch

print('a greeting')

class Network(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.linear = torch.nn.Linear(3, size)

    def forward(self, images):
        print('noise on standard output')
        return self.linear(images.mean((2, 3))), 'attention'

class Wrong(Network):
    def forward(self, images):
        return images

def good(size=4):
    return Network(size)

def asks():
    input('which weights? ')

def unpickles():
    torch.load(os.path.join(os.path.dirname(__file__), 'evil.pth'), weights_only=False)

def wrong_shape():
    return Wrong(4)
"""


class Mischief:
    """An object that makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp('hub')
    (made / 'hubconf.py').write_text(HUBCONF)
    (made / 'evil.pth').write_bytes(pickle.dumps(Mischief(made / 'touched')))
    return made


def load(folder, entry, **changes):
    size = {'input_width': 32, 'input_height': 24, 'threads': 1}
    given = {'extractor': 'hub', 'backbone': entry, 'weights': str(folder), **size, **changes}
    return load_extractor(make_config(given))


def test_the_first_tensor_of_a_tuple_is_the_descriptor(folder, capfd):
    extractor = load(folder, 'good', backbone_options='size=5')
    assert extractor.spec.size == 5 and len(extractor.spec.weights_sha256) == 64
    seen = frame(front=smooth_image(1), back=smooth_image(2))
    found = extractor.describe(seen)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(found, extractor.describe(seen))
    assert np.abs(found[0] - found[1]).max() > 1e-4
    assert capfd.readouterr() == ('', '')  # what it prints does not come here


@pytest.mark.parametrize(
    ('entry', 'expected'),
    [
        ('asks', 'asks: EOFError: .*it asks for input.*it printed: a greeting which weights'),
        ('wrong_shape', r'returned the shape \[2, 3, 24, 32\] for 2 images; expected \[2, D\]'),
        ('unpickles', 'unpickles: UnpicklingError'),
    ],
)
def test_the_error_names_what_the_code_of_a_folder_did(folder, entry, expected):
    with pytest.raises(InputError, match=expected):
        load(folder, entry)
    assert not (folder / 'touched').exists()


def test_an_import_that_fails_is_named(tmp_path):
    (tmp_path / 'hubconf.py').write_text('import a_module_that_is_not_there\n')
    with pytest.raises(InputError, match=r"ModuleNotFoundError: .*'a_module_that_is_not"):
        load(tmp_path, 'good')


def test_a_folder_without_hubconf_is_refused(tmp_path):
    with pytest.raises(InputError, match=r'expected a folder with hubconf\.py'):
        load(tmp_path, 'good')


def test_a_folder_that_only_a_map_names_is_not_run(folder):
    given = make_config({'extractor': 'hub', 'backbone': 'good', 'weights': str(folder)})
    stored = resolve_spec(given, None)
    with pytest.raises(InputError, match='the map names the file'):
        resolve_spec(make_config({}), stored)
    assert resolve_spec(make_config({'trust_map': True}), stored) == stored


def test_arguments_are_plain_values():
    assert hub_arguments('a=ResNet18 b=512 c=true') == {'a': 'ResNet18', 'b': 512, 'c': True}
    for bad in ('a', 'a=[1]', '1=2', 'a='):
        with pytest.raises(InputError, match='expected NAME=VALUE'):
            hub_arguments(bad)
