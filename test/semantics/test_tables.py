"""Tables of classes: their sizes, names and what moves in them."""

from __future__ import annotations

from husky_placerec.campus import labels
from husky_placerec.config.masks import MaskConfig
from husky_placerec.errors import InputError
from husky_placerec.semantics.tables import tables
import pytest


def test_each_table_that_can_be_chosen_is_there_with_its_classes():
    sizes = {name: len(table) for name, table in tables().items()}
    expected = {'vistas': 65, 'cityscapes': 19, 'cityscapes_ids': 34, 'ade20k': 150, 'voc': 21}
    assert sizes == expected
    choices = MaskConfig.__dataclass_fields__['mask_classes'].metadata['choices']
    assert set(choices) == set(expected)
    for table in tables().values():
        assert table.colours.shape == (len(table), 3)
        assert len(set(table.names)) == len(table)
        assert table.dynamic < set(table.names)


def test_the_dynamic_classes_of_vistas_are_those_of_the_campus_and_of_the_dataset():
    static = tables()['vistas'].static
    moving = {number for number in range(256) if not static[number]}
    assert moving == {0, 1, 19, 20, 21, 22, *range(52, 65)}
    for label in (labels.PERSON, labels.CAR, labels.TRUCK, labels.EGO_VEHICLE):
        assert not static[label]
    names = tables()['vistas'].names
    for name in ('ROAD', 'SNOW', 'SKY', 'BUILDING', 'BILLBOARD'):
        assert names[getattr(labels, name)] == name.lower()
        assert static[getattr(labels, name)] == 255
    assert static[255] == 255  # no class


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('Person, car', {'person', 'car'}),
        ('+snow, -Boat', (tables()['vistas'].dynamic | {'snow'}) - {'boat'}),
        ('', tables()['vistas'].dynamic),
    ],
)
def test_which_classes_are_dynamic_can_be_changed(text, expected):
    table = tables()['vistas'].with_dynamic(text)
    assert table.dynamic == expected
    for number, name in enumerate(table.names):
        assert table.static[number] == (0 if name in expected else 255)


@pytest.mark.parametrize(
    ('text', 'said'), [('cars', 'did you mean car'), ('+snow, boat', 'a sign before every name')]
)
def test_an_unknown_class_and_a_mixture_are_refused(text, said):
    with pytest.raises(InputError, match=said):
        tables()['vistas'].with_dynamic(text)
