"""Maps on disk that are refused: each with the file, what was found and what was expected."""

from __future__ import annotations

import io

from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.places import COLUMNS
from husky_placerec.placemap.storage import save_map, verify_map
import numpy as np
import pytest
from support.builders import BACK, FRONT, random_map, spec
from support.saved_maps import GONE, PARTLY, refusal


@pytest.mark.parametrize('read', [load_map, verify_map])
@pytest.mark.parametrize('kind', ['places', 'descriptors'])
@pytest.mark.parametrize('damage', ['missing', 'truncated', 'empty', 'first', 'middle', 'last'])
def test_a_data_file_that_is_not_as_it_was_written_is_named(read, kind, damage, saved):
    file = saved.file(kind)
    data = bytearray(file.read_bytes())
    at = {'first': 0, 'middle': len(data) // 2, 'last': -1}
    if damage in at:
        data[at[damage]] ^= 1
    file.write_bytes(data[: {'truncated': -1, 'empty': 0}.get(damage)])
    if damage == 'missing':
        file.unlink()
    expected = 'missing' if damage == 'missing' else 'truncated or altered'
    assert f'{file}: {expected}' in refusal(read, saved.path)


@pytest.mark.parametrize(
    'text', ['', '{', '[]', '3', 'null', '{}', '{"format_version": 1}', '{"format_version": "1"}']
)
def test_a_map_json_that_is_no_map_is_named(text, saved):
    (saved.path / 'map.json').write_text(text)
    assert 'map.json: ' in refusal(load_map, saved.path)


def test_a_map_json_that_is_no_text_or_not_there_is_named(saved, tmp_path):
    (saved.path / 'map.json').write_bytes(b'\xff\xfe')
    assert 'map.json: cannot be read as JSON' in refusal(load_map, saved.path)
    for path in (tmp_path, tmp_path / 'nowhere'):
        assert f'{path}: not a place map' in refusal(load_map, path)


@pytest.mark.parametrize('version', [0, 2, None])
def test_another_format_version_is_named_with_the_one_expected(version, saved):
    saved.change(format_version=version)
    expected = f'map.json: format version is {version}; expected 1'
    assert expected in refusal(load_map, saved.path)


KEYS = ['descriptor', 'files', 'frame_id', 'opposites', 'sources', 'created', 'index', 'places']


@pytest.mark.parametrize('key', KEYS)
def test_a_missing_key_is_named(key, saved):
    saved.change(**{key: GONE})
    message = refusal(load_map, saved.path)
    assert 'map.json: not as expected' in message
    assert key in message


@pytest.mark.parametrize(
    'changes',
    [
        {'descriptor': {}},
        {'descriptor': {**spec().as_json(), 'size': 15}},
        {'descriptor': {**spec().as_json(), 'cameras': 3}},
        {'descriptor': {**spec().as_json(), 'cameras': [FRONT]}},
        {'files': {}},
        {'files': {'places': 3}},
        {'files': []},
        {'opposites': ['left', 'right']},
        {'opposites': 7},
        {'opposites': [FRONT]},
        {'opposites': [BACK]},
        {'opposites': [FRONT, BACK]},
        {'opposites': []},
        {'opposites': [FRONT, FRONT]},
        {'opposites': [FRONT, BACK, FRONT]},
    ],
    ids=str,
)
def test_values_that_do_not_fit_the_files_are_refused(changes, saved):
    saved.change(**changes)
    assert str(saved.path) in refusal(load_map, saved.path)


@pytest.mark.parametrize('name', ['../{}', '/{}', 'sub/{}', '..', '', '.'])
def test_a_file_name_with_a_path_in_it_is_refused(name, saved):
    entry, there = saved.about()['files'], saved.file('places').name
    for outside in (saved.path.parent / there, saved.path / 'sub' / there):
        outside.parent.mkdir(exist_ok=True)
        outside.write_bytes(saved.file('places').read_bytes())
    place = str(saved.file('places')) if name == '/{}' else name.format(there)
    saved.change(files={**entry, 'places': {**entry['places'], 'name': place}})
    assert 'missing; map.json names it' in refusal(load_map, saved.path)


def test_a_map_without_places_is_neither_written_nor_read(saved, tmp_path):
    assert 'an empty map' in refusal(lambda p: save_map(random_map(count=0), p), tmp_path / 'map')
    saved.rewrite('places', (','.join(COLUMNS) + '\n').encode())
    saved.change(places=0)
    assert 'an empty map' in refusal(load_map, saved.path)


GOOD = ['5', '1', '2', '3', '0', '0', '0', '1', 'drive', 'front']


@pytest.mark.parametrize(
    ('column', 'text', 'expected'),
    [
        (0, '1.5', '1.5'),
        (0, '', ''),
        (1, 'x', 'x'),
        (2, 'nan', 'seven finite numbers'),
        (3, 'inf', 'seven finite numbers'),
        (7, '0.9', 'length 0.900 instead of 1'),
        (6, '0.5', 'length 1.118 instead of 1'),
        (9, 'front+left', 'no camera left'),
        (8, None, 'not a place'),
    ],
)
def test_a_bad_place_is_named_by_its_line(column, text, expected, saved):
    bad = [*GOOD]
    bad[column : column + 1] = [] if text is None else [text]
    lines = saved.file('places').read_text().splitlines()
    lines[4] = ','.join(bad)
    saved.rewrite('places', '\n'.join(lines).encode())
    message = refusal(load_map, saved.path)
    assert f'{saved.file("places")}:5: ' in message
    assert expected in message


@pytest.mark.parametrize('text', ['', 'a,b\n', ','.join(COLUMNS[1:])])
def test_places_with_other_columns_are_refused(text, saved):
    saved.rewrite('places', text.encode())
    assert 'expected the columns stamp_ns, x' in refusal(load_map, saved.path)


def test_places_and_descriptors_of_different_number_are_refused(saved):
    lines = saved.file('places').read_text().splitlines()
    saved.rewrite('places', '\n'.join(lines[:-1]).encode())
    assert '39 places; expected 40' in refusal(load_map, saved.path)
    saved.change(places=39)
    message = refusal(load_map, saved.path)
    assert 'float16 [40, 2, 16]; expected float16 [39, 2, 16]' in message


@pytest.mark.parametrize('text', [b'', b'garbage' * 99, b'\x93NUMPY\x01\x00'])
def test_descriptors_that_are_no_array_are_named(text, saved):
    saved.rewrite('descriptors', text)
    assert f'{saved.file("descriptors")}: ' in refusal(load_map, saved.path)


def save_array(saved, array, **options):
    data = io.BytesIO()
    np.save(data, array, **options)
    saved.rewrite('descriptors', data.getvalue())


def test_descriptors_of_another_type_are_refused_and_objects_never_made(saved):
    array = np.load(saved.file('descriptors'))
    save_array(saved, array.astype(np.float32))
    assert 'float32' in refusal(load_map, saved.path)
    save_array(saved, array.astype(object), allow_pickle=True)
    assert 'cannot be read as .npy' in refusal(load_map, saved.path)


@pytest.mark.parametrize('wrong', ['long', 'short', 'zero', 'there', 'nan'])
def test_verifying_finds_a_descriptor_that_is_not_of_unit_length(wrong, saved):
    array = np.load(saved.file('descriptors'))
    place, camera = np.argwhere((wrong != 'there') == PARTLY)[3]
    if wrong == 'there':
        array[place, camera, 0] = 1
    else:
        array[place, camera] *= {'long': 1.01, 'short': 0.99, 'zero': 0, 'nan': np.nan}[wrong]
    save_array(saved, array)
    message = refusal(verify_map, saved.path)
    assert refusal(load_map, saved.path) == message
    assert f'descriptor of place {place}, {(FRONT, BACK)[camera]}, has length' in message
    assert message.endswith(f'expected {int(wrong != "there")}')
