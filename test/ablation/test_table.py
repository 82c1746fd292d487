"""The table of an ablation."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.ablation.table import Row

NEEDS = 'pytorch_metric_learning', 'torch', 'timm'


def test_a_row_has_the_mean_and_the_range_over_campuses():
    recalls = {name: [0.5, 0.75] for name in ('forwards 5', 'forwards 10', 'one camera 5')}
    recalls |= {'one camera 10': [1.0, 1.0], 'reversed 5': [], 'reversed 10': []}
    base = ('lcn_cnn', 'gem', 'concat', 'none', '0.0')
    cells = Row(('chance',), recalls).cells(base)
    assert cells[:4] == ['chance', '62.5/62.5 (50-75)', '-', '62.5/100.0 (50-75)']
    assert cells[4:] == ['', '', '']
    row = Row(('resnet18', 'gem', 'concat', 'zca', '0.0'), recalls, 11_234_567, 256, 3.21)
    name, *_, parameters, size, ms = row.cells(base)
    assert name == 'backbone resnet18, whitening zca'
    assert (parameters, size, ms) == ('11.23', '256', '3.2')
    assert replace(row, parts=base).cells(base)[0] == 'base: lcn_cnn, gem, concat'
