"""Logs and tables that someone made to do harm: each is refused by its line."""

from __future__ import annotations

import json

from husky_placerec.data.selection import read_selection
from husky_placerec.data.tables import read_header, read_table
from husky_placerec.errors import InputError
from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
import pytest
from support.builders import START_NS

NEEDS = ('hypothesis',)

GOOD = {
    'stamp_ns': START_NS,
    'image_stamps_ns': {'front': START_NS, 'back': START_NS + 1},
    'margin': float('inf'),  # the node writes it where nothing contradicts
    'forgot': False,
    'odometry': [[START_NS, 1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 1.0]],
    'map_version': 'abc',
    'parameters': {'candidates': 5},
}
POSE = GOOD['odometry'][0]
HARM = [
    *(None, True, -1, 10**400, 1e30, float('nan'), float('inf'), '', 'x', '\ud800', [], [[]]),
    *(
        {},
        {'': None},
        [POSE[:-1]],
        [[*POSE[:4], 0, 0, 0, 0]],
        [['x'] * 8],
        [[1e30] * 8],
        [[None] * 8],
    ),
]


def write(tmp_path, value):
    file = tmp_path / 'log.jsonl'
    line = value if isinstance(value, str) else json.dumps(value)
    file.write_text(f'{json.dumps(GOOD)}\n{line}\n')
    return file


def test_a_line_of_a_node_is_read(tmp_path):
    selection = read_selection(write(tmp_path, GOOD))
    assert selection.told[1].odometry[0][1].x == 1.0
    assert selection.frames[0][1] == GOOD['image_stamps_ns']


@pytest.mark.parametrize(
    ('key', 'value'),
    [
        *(('stamp_ns', value) for value in (1e30, 2**63, -1, '1', None, True)),
        *(('image_stamps_ns', value) for value in ([1], {'front': 1e30}, {'front': '1'})),
        *(('odometry', [value]) for value in (POSE[:-1], ['x'] * 8, [*POSE[:4], 0, 0, 0, 0])),
        *(('odometry', value) for value in (None, 3, [[1e30] * 8], [[START_NS, *[1e300] * 7]])),
        *(('odometry', [[START_NS, float('nan'), *POSE[2:]]]), ('forgot', 'no')),
        *(('map_version', 3), ('parameters', []), ('parameters', {'candidates': 1e30})),
    ],
    ids=str,
)
def test_nonsense_in_a_log_is_refused_by_its_line(key, value, tmp_path):
    file = write(tmp_path, {**GOOD, key: value})
    with pytest.raises(InputError, match=r"log\.jsonl:2: .*; expected a stamp in ns, or a node's"):
        read_selection(file)


@pytest.mark.parametrize(
    'line', ['{"a":' * 50_000, '{"stamp_ns": ' + '[' * 50_000, '{', '9' * 5000]
)
def test_a_line_that_is_no_json_is_refused(line, tmp_path):
    with pytest.raises(InputError, match=r'log\.jsonl:2: '):
        read_selection(write(tmp_path, line))


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(sorted(GOOD)), st.sampled_from(HARM))
def test_any_value_of_a_log_may_be_anything(tmp_path, key, harm):
    try:
        read_selection(write(tmp_path, {**GOOD, key: harm}))
    except InputError as error:
        assert 'log.jsonl' in str(error)


@pytest.mark.parametrize('where', ['header', 'row'])
@pytest.mark.parametrize('quote', ['', '"'])
def test_a_value_of_a_megabyte_is_refused_by_its_line(where, quote, tmp_path):
    file = tmp_path / 'track.csv'
    long = quote + 'x' * 2**20 + quote
    rows = [long + ',b', '1,2'] if where == 'header' else ['a,b', f'1,{long}']
    file.write_text('\n'.join(rows))
    with pytest.raises(InputError, match=r'track\.csv:\d: cannot be read as CSV'):
        read_table(file)


def test_a_header_of_megabytes_is_refused(tmp_path):
    file = tmp_path / 'track.csv'
    file.write_text('x' * 2**20 + ',b\n')
    with pytest.raises(InputError, match=r'track\.csv: cannot be read'):
        read_header(file)
