"""The place map on disk: it comes back as it was saved, or is refused with what is wrong."""

from __future__ import annotations

from dataclasses import replace
import hashlib
import io
import json
from types import SimpleNamespace

from husky_placerec.errors import InputError
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.manifest import signed
from husky_placerec.placemap.places import COLUMNS, Places
from husky_placerec.placemap.storage import save_map, verify_map
import numpy as np
import pytest
from support.builders import BACK, FRONT, random_map, spec

WHOLE = np.ones((40, 2), bool)
PARTLY = np.random.default_rng(5).random((40, 2)) < 0.6
PARTLY[~PARTLY.any(axis=1), 0] = True
GONE = object()


@pytest.fixture
def saved(tmp_path):
    """Save a map; say where it is, and change its files."""
    path = tmp_path / 'maps' / 'campus'
    save_map(random_map(present=PARTLY, count=40), path)

    def about():
        values = json.loads((path / 'map.json').read_text(encoding='utf-8'))
        return {key: value for key, value in values.items() if key != 'sha256'}

    def file(kind):
        return path / about()['files'][kind]['name']

    def change(**changes):
        """Write another map.json, whole for all its checksum says; None removes a key."""
        values = {key: value for key, value in {**about(), **changes}.items() if value is not GONE}
        (path / 'map.json').write_text(json.dumps(signed(values)))

    def rewrite(kind, data):
        """Write a data file together with its hash."""
        file(kind).write_bytes(data)
        entry = {'name': file(kind).name, 'sha256': hashlib.sha256(data).hexdigest()}
        change(files={**about()['files'], kind: entry})

    return SimpleNamespace(path=path, about=about, file=file, change=change, rewrite=rewrite)


def refusal(read, path):
    with pytest.raises(InputError) as caught:
        read(path)
    return str(caught.value)


@pytest.mark.parametrize('opposites', [(1, 0), None])
@pytest.mark.parametrize('present', [WHOLE, PARTLY], ids=['whole', 'partly'])
def test_a_map_comes_back_as_it_was_saved(opposites, present, tmp_path):
    made = random_map(present=present, count=40, opposites=opposites)
    made.places.poses[0, :3] = [0.1 + 0.2, -1e-300, 1e17]
    save_map(made, tmp_path / 'map')
    found = load_map(tmp_path / 'map')
    for name in ('spec', 'frame_id', 'opposites', 'sources', 'created'):
        assert getattr(found, name) == getattr(made, name)
    np.testing.assert_array_equal(found.places.stamps_ns, made.places.stamps_ns)
    np.testing.assert_array_equal(found.places.poses, made.places.poses)
    np.testing.assert_array_equal(found.places.present, present)
    assert found.places.tracks == made.places.tracks
    np.testing.assert_array_equal(found.descriptors, made.descriptors)
    assert found.descriptors.dtype == np.float16
    assert found.name == str(tmp_path / 'map')
    assert len(verify_map(tmp_path / 'map')) == 4


def test_a_place_tells_which_cameras_saw_it(saved):
    found = load_map(saved.path)
    expected = [tuple(n for n, seen in zip((FRONT, BACK), row) if seen) for row in PARTLY]
    assert [found.place(i).cameras for i in range(len(found))] == expected


def test_a_map_that_exists_is_refused_and_untouched(saved):
    before = {file: file.read_bytes() for file in saved.path.iterdir()}
    assert '--overwrite' in refusal(lambda p: save_map(random_map(1), p), saved.path)
    assert {file: file.read_bytes() for file in saved.path.iterdir()} == before


def test_an_old_map_is_replaced_while_its_readers_keep_it(saved):
    old, expected = load_map(saved.path), random_map(present=PARTLY, count=40).descriptors
    save_map(random_map(1), saved.path, overwrite=True)
    assert len(load_map(saved.path)) == 20
    np.testing.assert_array_equal(old.descriptors, expected)


def test_a_map_may_be_written_over_itself(saved):
    save_map(load_map(saved.path), saved.path, overwrite=True)
    assert len(verify_map(saved.path)) == 4
    assert len(list(saved.path.iterdir())) == 3


def test_the_files_of_one_older_version_stay_for_its_readers(saved):
    before = {saved.file(kind) for kind in ('places', 'descriptors')}
    save_map(random_map(1), saved.path, overwrite=True)
    assert all(file.is_file() for file in before)
    save_map(random_map(2), saved.path, overwrite=True)
    assert not any(file.exists() for file in before)
    assert len(list(saved.path.iterdir())) == 5


def test_a_replacement_that_fails_leaves_the_old_map(saved, monkeypatch):
    def disk_full(*_, **__):
        raise OSError

    monkeypatch.setattr('husky_placerec.placemap.manifest.json.dumps', disk_full)
    with pytest.raises(OSError):
        save_map(random_map(1), saved.path, overwrite=True)
    with pytest.raises(OSError):
        save_map(random_map(1), saved.path.parent / 'new')
    monkeypatch.undo()
    assert len(load_map(saved.path)) == 40
    assert len(list(saved.path.iterdir())) == 3
    assert [file.name for file in saved.path.parent.iterdir()] == ['campus']


@pytest.mark.parametrize('kind', ['folder', 'file'])
def test_what_is_no_map_is_never_overwritten(kind, tmp_path):
    thesis = tmp_path / 'thesis'
    if kind == 'folder':
        thesis.mkdir()
        (thesis / 'chapter').write_text('1')
    else:
        thesis.write_text('1')
    message = refusal(lambda p: save_map(random_map(), p, overwrite=True), thesis)
    assert 'thesis: exists and is not a place map' in message
    assert (thesis / 'chapter' if kind == 'folder' else thesis).read_text() == '1'


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


def test_a_place_that_no_camera_described_is_saved_and_loaded(tmp_path):
    present = np.ones((5, 2), bool)
    present[2] = False  # a black image has a descriptor of zeros
    save_map(random_map(count=5, present=present), tmp_path / 'map')
    np.testing.assert_array_equal(load_map(tmp_path / 'map').places.present, present)


@pytest.mark.parametrize('track', ['a\nb', 'a\u2028b', 'a\x0cb'])
def test_any_name_of_a_drive_comes_back(track, tmp_path):
    places = replace(random_map(count=1).places, tracks=(track,))
    places.write_csv(tmp_path / 'places.csv', (FRONT, BACK))
    assert Places.read_csv(tmp_path / 'places.csv', (FRONT, BACK)).tracks == (track,)
