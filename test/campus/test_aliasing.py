"""Places of a simulated campus that look alike, and signs that tell them apart."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from husky_placerec.campus import buildings, labels, signs
from husky_placerec.campus.mesh import Mesh
from husky_placerec.campus.network import Network
from husky_placerec.campus.site import House, Site
from husky_placerec.campus.terrain import Terrain
from husky_placerec.campus.textures import Textures
from husky_placerec.campus.world import Campus
from husky_placerec.errors import InputError
import numpy as np
import pytest

NEEDS = ('numba',)


@pytest.fixture(scope='module')
def textures() -> Textures:
    return Textures(1)


def built(textures: Textures, aliasing: float) -> Site:
    site = Site(Network(1), Terrain(1), textures, np.random.default_rng([1, 3]))
    buildings.build_houses(site, aliasing)
    return site


def facade_of(mesh: Mesh, house: House) -> tuple[set[int], np.ndarray]:
    """Return the textures and the tint of the walls within a house's outline."""
    apart = np.abs(mesh['points'].mean(axis=1)[:, :2] - (house.base.x, house.base.y)).max(axis=1)
    walls = mesh[(apart < house.radius) & (mesh['label'] == labels.BUILDING)]
    thing = Counter(walls['thing'][walls['columns'] > 0].tolist()).most_common(1)[0][0]
    mine = mesh[(mesh['thing'] == thing) & (mesh['columns'] > 0)]
    return set(mine['layer'].tolist()), mine['tint'][0]


def seeded(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_runs_of_houses_repeat_as_often_as_asked(textures: Textures) -> None:
    shares = []
    for aliasing in (0.0, 0.3, 0.9):
        looks = Counter(house.look for house in built(textures, aliasing).houses)
        shares.append(1 - len(looks) / looks.total())
    assert shares[0] == 0
    assert 0.05 < shares[1] < 0.55
    assert shares[2] > 0.6


def test_repeated_houses_have_the_same_walls(textures: Textures) -> None:
    site = built(textures, 0.3)
    mesh, houses = site.builder.mesh(), site.houses
    look, _ = Counter(house.look for house in houses).most_common(1)[0]
    twins = [house for house in houses if house.look == look]
    other = next(house for house in houses if house.look != look)
    assert len(twins) > 1
    layers, tint = facade_of(mesh, twins[0])
    for twin in twins[1:]:
        assert (twin.width, twin.height) == (twins[0].width, twins[0].height)
        again, same = facade_of(mesh, twin)
        assert again == layers
        np.testing.assert_array_equal(same, tint)
    assert not np.allclose(facade_of(mesh, other)[1], tint)


@pytest.mark.parametrize('aliasing', [-0.1, 1.1, float('nan')])
def test_impossible_aliasing_is_refused(aliasing: float) -> None:
    with pytest.raises(InputError, match='aliasing is'):
        Campus(1, aliasing=aliasing)


def test_signs_repeat_as_those_of_a_town_and_are_in_two_alphabets() -> None:
    texts = Counter(signs.sign_texts(np.random.default_rng(1), 200))
    shared = sum(count for text, count in texts.items() if count > 1)
    assert 0.5 < shared / 200 < 0.8
    assert max(texts.values()) < 40
    assert all(texts[text] > 2 for text in signs.COMMON)
    assert texts.keys() & set(signs.CHAINS)
    latin = sum(count for text, count in texts.items() if text.isascii())
    assert 60 < latin < 140


def test_shops_of_a_chain_look_alike() -> None:
    seen = {signs.sign_sheet(seeded(seed), ['PIZZA']).tobytes() for seed in range(6)}
    others = {signs.sign_sheet(seeded(seed), ['LAB']).tobytes() for seed in range(6)}
    assert len(seen) == 1
    assert len(others) > 1


def test_every_letter_of_a_sign_is_in_the_font() -> None:
    font = signs.sign_font(40)
    missing = bytes(font.getmask('\uffff'))
    for letter in set(''.join([*signs.LATIN, *signs.CYRILLIC, *signs.COMMON, *signs.CHAINS])):
        assert bytes(font.getmask(letter)) != missing
    assert bytes(font.getmask('Ж')) != bytes(font.getmask('Д'))


def test_the_font_has_its_licence_with_it() -> None:
    fonts = Path(signs.__file__).parent / 'fonts'
    assert {path.name for path in fonts.iterdir()} == {'DejaVuSans-Bold.ttf', 'LICENSE_DEJAVU'}
    assert "'fonts/*'" in (Path(__file__).parents[2] / 'setup.py').read_text()
