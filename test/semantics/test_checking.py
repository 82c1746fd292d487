"""Masks that are not what the parameters say: each is refused by a sentence that helps."""

from __future__ import annotations

from husky_placerec.semantics.checking import checked_classes, MaskError
from husky_placerec.semantics.tables import tables, VOID
import numpy as np
import pytest

SIZE = 12, 20
VISTAS, VOC = tables()['vistas'], tables()['voc']


def classes(*numbers):
    return np.resize(np.array(numbers, np.uint8), SIZE)


def refused(mask, table=VISTAS):
    with pytest.raises(MaskError) as refusal:
        checked_classes(mask, SIZE, table, 'masks/front_cam/7.png')
    assert str(refusal.value).startswith('masks/front_cam/7.png: ')
    return str(refusal.value)


def test_classes_pass_as_they_are_also_in_one_channel_or_wider_numbers():
    mask = classes(0, 13, 64, VOID)
    for found in (mask, mask[..., None], mask.astype(np.uint16), mask.astype(np.int64)):
        np.testing.assert_array_equal(checked_classes(found, SIZE, VISTAS, ''), mask)


def test_another_size_is_refused_with_both_sizes():
    assert 'the mask is 10x6, its image 20x12' in refused(np.zeros((6, 10), np.uint8))


@pytest.mark.parametrize('name', list(tables()))
def test_colours_are_refused_and_their_table_is_named(name):
    table = tables()[name]
    used = range(0, len(table), 2)
    coloured = table.colours[classes(*used)]
    said = refused(coloured)
    # The 34 ids of Cityscapes have the colours of its 19 classes, and of Vistas.
    assert 'the mask has colours, those of ' in said
    if name in ('vistas', 'ade20k', 'voc'):
        assert table.title in said
    assert 'of no known table' in refused(np.full((*SIZE, 4), (1, 2, 3, 255), np.uint8))


def test_unknown_numbers_are_named_with_the_tables_that_have_them():
    said = refused(classes(3, 33, 40, 64), VOC)
    assert 'the numbers 33, 40, 64; expected 0 to 20' in said
    assert 'mask_classes: vistas or ade20k' in said
    assert 'would fit' not in refused(classes(200, 201, 202, 203, 204, 205))
    assert '200, 201, 202, 203, 204, ...' in refused(classes(200, 201, 202, 203, 204, 205))
    assert 'float' in refused(classes(1).astype(float))
