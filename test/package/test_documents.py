"""JSON and YAML that someone made to do harm: each is refused by one sentence."""

from __future__ import annotations

import os

from husky_placerec.config import read_config
from husky_placerec.data.simulated import is_simulated
from husky_placerec.documents import parse_yaml, read_json, read_text, read_yaml
from husky_placerec.errors import InputError
from husky_placerec.schema import (
    boolean,
    choice,
    integer,
    items,
    mapping,
    none_or,
    number,
    record,
    require,
    text,
)
import pytest

BOMB = 'a: &a [x,x,x,x,x,x,x,x,x]\n' + ''.join(
    f'{b}: &{b} [{",".join([f"*{a}"] * 9)}]\n' for a, b in zip('abcdefgh', 'bcdefghi')
)
BROKEN_YAML = {
    'an alias bomb': BOMB,
    'a list inside itself': '&a [*a]',
    'a mapping inside itself': 'slop: &a {slop: *a}',
    'deep lists': '[' * 100_000,
    'deep mappings': '{a: ' * 100_000,
    'deep blocks': '- ' * 5000,
    'a long number': 'slop: ' + '9' * 5000,
    'a date that is none': 'slop: 2024-13-45',
    'a list as a key': '? [1]\n: 2',
    'a Python object': 'slop: !!python/object/apply:os.system [true]',
    'bytes that are none': 'slop: !!binary "a"',
    'no number': 'slop: !!int ""',
    'no time': 'slop: !!timestamp x',
    'NUL': 'slop: \0',
}


@pytest.mark.parametrize('name', BROKEN_YAML)
def test_yaml_that_does_harm_is_refused(name, tmp_path):
    file = tmp_path / 'config.yaml'
    file.write_text(BROKEN_YAML[name])
    with pytest.raises(InputError, match=r'config\.yaml: cannot be read as YAML'):
        read_yaml(file)
    with pytest.raises(InputError, match=r'config\.yaml: '):
        read_config(file)
    assert not is_simulated(tmp_path)


@pytest.mark.parametrize('setting', ['&a [*a]', '[' * 9999, '9' * 5000, '2024-13-45'])
def test_a_setting_that_does_harm_is_refused(setting):
    with pytest.raises(InputError, match=r'--set slop=.*: the value is not YAML'):
        read_config(None, [f'slop={setting}'])


def test_a_whole_number_that_no_float_holds_is_refused():
    with pytest.raises(InputError, match='slop is 1000'):
        read_config(None, [f'slop=1{"0" * 400}'])


def test_a_file_of_parameters_of_megabytes_is_refused(tmp_path):
    file = tmp_path / 'config.yaml'
    file.write_text('slop: 0.1 #' + 'x' * 2**20)
    with pytest.raises(InputError, match='has 1048587 bytes; expected at most 1048576'):
        read_config(file)


def test_a_metadata_whose_custom_data_is_no_mapping_says_nothing(tmp_path):
    (tmp_path / 'metadata.yaml').write_text('rosbag2_bagfile_information: {custom_data: [1]}')
    assert not is_simulated(tmp_path)


def test_plain_yaml_is_read():
    assert parse_yaml('a: [1, {b: [2.5, x]}]', 'a') == {'a': [1, {'b': [2.5, 'x']}]}
    assert parse_yaml('', 'a') is None


@pytest.mark.parametrize('content', ['', '{', '[' * 100_000, '[' * 40 + ']' * 40, '9' * 5000])
def test_json_that_does_harm_is_refused(content, tmp_path):
    file = tmp_path / 'a.json'
    file.write_text(content)
    with pytest.raises(InputError, match=r'a\.json: cannot be read as JSON'):
        read_json(file)


def test_a_pipe_a_folder_and_a_missing_file_are_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / 'pipe')
    (tmp_path / 'folder').mkdir()
    for name in ('pipe', 'folder', 'missing'):
        with pytest.raises(InputError, match=f'{name}: '):
            read_text(tmp_path / name)


POINT = record(
    {'x': number(-1, 1), 'n': integer(0, 9)},
    {
        'names': items(text(3), most=2),
        'kind': choice('a', 'b'),
        'on': none_or(boolean),
        'by': mapping(number(0, 1), text(2, '[a-z]+'), most=1),
    },
)


@pytest.mark.parametrize(
    ('change', 'expected'),
    [
        ({'x': 2}, 'x is 2; expected a number from -1 to 1'),
        ({'x': float('nan')}, 'x is nan'),
        ({'x': True}, 'x is True'),
        ({'x': '0'}, "x is '0'"),
        ({'x': 10**400}, 'x is 1000'),
        ({'n': 1.0}, 'n is 1.0; expected a whole number from 0 to 9'),
        ({'n': False}, 'n is False'),
        ({'names': 'abc'}, "names is 'abc'; expected a list"),
        ({'names': ['a', 'b', 'c']}, 'expected a list of 0 to 2 values'),
        ({'names': ['a', 'abcd']}, "names[1] is 'abcd'; expected text of up to 3 letters"),
        ({'names': ['\ud800']}, 'names[0] is'),
        ({'names': ['\0']}, 'names[0] is'),
        ({'kind': []}, "kind is []; expected one of 'a', 'b'"),
        ({'on': 1}, 'on is 1; expected true or false'),
        ({'by': {'A': 1}}, "a key of by is 'A'"),
        ({'by': {'a': 2}}, 'by.a is 2'),
        ({'by': {'a': 1, 'b': 1}}, 'expected an object of up to 1 keys'),
        ({'by': []}, 'by is []'),
    ],
)
def test_the_schema_names_the_value_and_what_was_expected(change, expected):
    good = {'x': 0, 'n': 3, 'names': ['a'], 'kind': 'b', 'on': None, 'by': {'a': 0.5}, 'more': 1}
    require(good, POINT, 'point.json')
    with pytest.raises(InputError) as caught:
        require({**good, **change}, POINT, 'point.json')
    assert str(caught.value).startswith('point.json: not as expected (')
    assert expected in str(caught.value)


def test_a_missing_key_is_named():
    with pytest.raises(InputError, match='n is missing'):
        require({'x': 0}, POINT, 'point.json')
    for other in ([], None, 3):
        with pytest.raises(InputError, match='expected an object'):
            require(other, POINT, 'point.json')


def test_an_alias_of_a_few_values_is_read():
    text = 'a: &a [1, 2]\nb: [*a, *a]\nc: &c {d: *a}\ne: {<<: *c}'
    assert parse_yaml(text, 'a')['b'] == [[1, 2], [1, 2]]
    assert parse_yaml(text, 'a')['e'] == {'d': [1, 2]}


def test_the_depth_counts_with_each_alias_written_out():
    inner = '[' * 20 + ']' * 20
    assert parse_yaml(f'a: &a {inner}\nb: *a', 'a')['b']
    with pytest.raises(InputError, match='inside one another'):
        parse_yaml(f'a: &a {inner}\nb: {"[" * 20}*a{"]" * 20}', 'a')
