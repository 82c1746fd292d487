"""Maps that someone made to do harm: each is refused by one sentence, or does what maps do."""

from __future__ import annotations

import copy
from dataclasses import replace
import hashlib
import io
import json
import struct
import zipfile

import faiss
from husky_placerec.errors import InputError
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.manifest import signed
from husky_placerec.placemap.storage import save_map
from husky_placerec.recognition.calibration import calibration_of
from husky_placerec.types import GeoOrigin
from hypothesis import example, given, HealthCheck, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from support.builders import random_map, thumbnails_of
from support.calibrations import calibration

NEEDS = ('hypothesis',)

COUNT = 12
DEEP = json.loads('[' * 60 + ']' * 60)
HARM = [
    *(None, True, 0, -1, 1, 2**31, 10**400, 1.5, 1e30, -1e300, 1e-30),
    *(float('nan'), float('inf'), '', 'x', '\0', '\ud800', '../..', 'x' * 9999, '1'),
    *([], [[]], {}, {'': None}, [None] * 99, ['front', 'front'], DEEP),
]
EASY = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope='module')
def stored(tmp_path_factory):
    """Store a map that has every key and every kind of file; return its folder."""
    path = tmp_path_factory.mktemp('stored') / 'map'
    made = random_map(count=COUNT, origin=GeoOrigin(55.9, 37.5, 200.0), simulated=True)
    shares = {'forward': 0.5}
    made = made.whitened(made.fit_whitening(), {'raw': shares, 'whitened': shares})
    pictures = thumbnails_of([{'front': b'jpeg'}] * COUNT)
    made = replace(made, thumbnails=pictures).indexed('hnsw')
    save_map(made.calibrated(calibration(whitened=True).as_json()), path)
    return path


@pytest.fixture
def forged(stored):
    """Return functions that forge map.json or a data file; all is as it was after the test."""
    before = {file: file.read_bytes() for file in stored.iterdir()}

    class Forged:
        path = stored
        whole = before
        about = json.loads(before[stored / 'map.json'])

        def write(self, about):
            """Write a map.json whose checksum is right."""
            values = {key: value for key, value in about.items() if key != 'sha256'}
            (stored / 'map.json').write_text(json.dumps(signed(values)), 'utf-8', 'surrogatepass')

        def file(self, kind):
            return stored / self.about['files'][kind]['name']

        def rewrite(self, kind, data):
            """Write a data file, and a map.json with its checksum."""
            self.file(kind).write_bytes(data)
            about = copy.deepcopy(self.about)
            about['files'][kind]['sha256'] = hashlib.sha256(data).hexdigest()
            self.write(about)

        def save(self, kind, array, **options):
            data = io.BytesIO()
            np.save(data, array, **options)
            self.rewrite(kind, data.getvalue())

        def refused(self):
            with pytest.raises(InputError) as caught:
                load_map(stored)
            return str(caught.value)

    yield Forged()
    for file, data in before.items():
        file.write_bytes(data)


def use(path):
    """Load a map and its calibration and search it; similarities are cosines."""
    place_map = load_map(path)
    calibration_of(place_map)
    query = np.asarray(place_map.descriptors[0], np.float32)
    for found in place_map.search(query, 3, both_ways=True):
        assert -1.01 <= found.similarity <= 1.01
        assert 0 <= found.place < len(place_map)


def paths_of(value, path=()):
    """Yield the path of each value in a document, but for the free figures of a calibration."""
    yield path
    if path[-1:] == ('figures',) or not isinstance(value, (dict, list)):
        return
    for key, child in value.items() if isinstance(value, dict) else enumerate(value):
        yield from paths_of(child, (*path, key))


def test_the_map_is_whole(stored):
    use(stored)


@EASY
@given(st.data())
def test_any_value_of_map_json_may_be_anything(forged, data):
    about = copy.deepcopy(forged.about)
    about.pop('sha256')
    *above, last = data.draw(st.sampled_from(list(paths_of(about))[1:]))
    parent = about
    for key in above:
        parent = parent[key]
    if isinstance(parent, dict) and data.draw(st.booleans()):
        parent['strange'] = parent.pop(last)
    else:
        parent[last] = data.draw(st.sampled_from(HARM))
    forged.write(about)
    try:
        use(forged.path)
    except InputError as error:
        assert str(error).startswith((str(forged.path), 'weights', 'no extractor'))


@pytest.mark.parametrize('harm', [1e30, 'nan', -1000, None, [], 'x' * 300], ids=str)
@pytest.mark.parametrize(
    'path',
    [
        *(['places'], ['frame_id'], ['created'], ['sources', 'drive, "1"'], ['simulated']),
        *(['origin', 'latitude'], ['index', 'kind'], ['index', 'lists'], ['index', 'cpu_ms']),
        *(['whitening_gain', 'raw', 'forward'], ['descriptor', 'size'], ['descriptor', 'head']),
        *(['descriptor', 'cameras'], ['descriptor', 'fusion'], ['descriptor', 'input_width']),
        *(['files', 'places', 'sha256'], ['files', 'index'], ['calibration']),
    ],
    ids='.'.join,
)
def test_nonsense_in_a_key_is_refused_by_its_name(path, harm, forged):
    about = copy.deepcopy(forged.about)
    parent = about
    for key in path[:-1]:
        parent = parent[key]
    if path in (['created'], ['frame_id'], ['sources', 'drive, "1"']) and isinstance(harm, str):
        harm = {}  # text is what is expected there
    parent[path[-1]] = harm
    forged.write(about)
    message = forged.refused()
    assert f'{".".join(path)} is ' in message
    assert 'not as expected' in message


@pytest.mark.parametrize('text', ['[' * 100_000, '{"a":' * 100_000, '[' * 40 + ']' * 40])
def test_json_that_is_nested_deeply_is_refused(text, forged):
    (forged.path / 'map.json').write_text(text)
    assert 'map.json: cannot be read as JSON' in forged.refused()


def test_a_map_json_of_gigabytes_is_not_read(forged):
    with (forged.path / 'map.json').open('r+b') as file:
        file.truncate(2**33)  # sparse
    try:
        assert 'map.json: has 8589934592 bytes' in forged.refused()
    finally:
        (forged.path / 'map.json').unlink()


LINE = '{},1,2,3,0,0,0,1,"drive, ""1""",front+back'


@pytest.mark.parametrize(
    ('line', 'expected'),
    [
        (LINE.format('1' + '0' * 30), 'stamp_ns is'),
        (LINE.format('1e30'), 'stamp_ns is'),
        (LINE.format(2**63), 'expected at most'),
        (LINE.format('-1'), 'stamp_ns is'),
        (LINE.format('1_0'), 'stamp_ns is'),
        (LINE.format('1').replace('1,2', '1e30,2'), 'a position is 1e+30 m'),
        (LINE.format('1').replace('drive', 'x' * 2**20), 'a line has over'),
        (LINE.format('1').replace('drive', 'x' * 19_000), ''),
    ],
)
def test_a_place_of_nonsense_is_refused(line, expected, forged):
    lines = forged.file('places').read_text().splitlines()
    forged.rewrite('places', '\n'.join([*lines[:3], line, *lines[4:]]).encode())
    if not expected:
        assert len(load_map(forged.path)) == COUNT
        return
    message = forged.refused()
    assert forged.file('places').name in message and expected in message


@pytest.mark.parametrize('factor', [1e-30, 0, -1, 0.5, 2, 1e30, np.nan, np.inf])
@pytest.mark.parametrize('place', [0, COUNT - 1])
def test_a_length_that_the_descriptor_has_not_is_refused(factor, place, forged):
    lengths = np.load(forged.file('lengths'))
    lengths[place, 1] *= np.float32(factor)
    forged.save('lengths', lengths)
    assert f'the compared descriptor of place {place}, back, has length' in forged.refused()


@pytest.mark.parametrize('factor', [1e-30, 0, 2, 1e38, np.nan, np.inf])
def test_a_whitening_of_another_scale_is_refused(factor, forged):
    stacked = np.load(forged.file('whitening'))
    with np.errstate(all='ignore'):
        stacked[1:] *= np.float32(factor)
    forged.save('whitening', stacked)
    assert 'whitening' in forged.refused()


def header(shape, descr="'<f2'", order='False'):
    """Return an .npy that claims a shape and has some bytes."""
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}".ljust(117) + '\n'
    return b'\x93NUMPY\x01\x00' + struct.pack('<H', len(text)) + text.encode() + bytes(768)


CLAIMS = [
    *(header('(99999999999, 99999999999, 9999)'), header('(-1, 2, 16)'), header('(12,)')),
    *(header('(12, 2, 16)', "'O'"), header('(12, 2, 16)', "'>f2'"), header('()')),
    *(header('(12, 2, 16)', "[('a', '<f2')]"), header('(12, 2, 16)', "'<M8[s]'")),
    *(header('(12, 2, 16)', "'V9999999999'"), header('(1' + ',1' * 99 + ')'), header('None')),
    *(header('(' * 50 + ')' * 50), header('(True, 2, 16)'), header('(' * 110), header('(1.5, 2)')),
    *(b'', b'PK\x03\x04', b'\x93NUMPY\x09\x00' + bytes(99), b'\x80\x04\x95' + bytes(99)),
]


@pytest.mark.parametrize('kind', ['descriptors', 'whitening', 'lengths'])
@pytest.mark.parametrize('data', CLAIMS, ids=range(len(CLAIMS)))
def test_an_array_that_claims_what_it_has_not_is_refused(kind, data, forged):
    forged.rewrite(kind, data)
    assert forged.file(kind).name in forged.refused()


class Bomb:
    """A pickle of it runs code."""

    def __reduce__(self):
        return (pytest.fail, ('a pickle was loaded',))


@pytest.mark.parametrize('kind', ['descriptors', 'whitening', 'lengths'])
def test_no_pickle_is_loaded(kind, forged):
    forged.save(kind, np.array([Bomb()] * COUNT), allow_pickle=True)
    assert 'cannot be read as .npy' in forged.refused()


@EASY
@given(st.data())
def test_any_array_may_be_of_any_bytes(forged, data):
    kind = data.draw(st.sampled_from(['descriptors', 'whitening', 'lengths']))
    whole = bytearray(forged.whole[forged.file(kind)])
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    forged.rewrite(kind, bytes(whole[: data.draw(st.integers(0, len(whole)))]) or b'x')
    try:
        use(forged.path)
    except InputError as error:
        assert str(error).startswith(str(forged.path))
    finally:
        forged.file(kind).write_bytes(forged.whole[forged.file(kind)])


def read(forged):
    return faiss.read_index(str(forged.file('index')))


def rewrite_index(forged, index):
    faiss.write_index(index, str(forged.file('index')))
    forged.rewrite('index', forged.file('index').read_bytes())


@pytest.mark.parametrize('value', [COUNT * 2, 2**31 - 1, -2])
@pytest.mark.parametrize('at', [0, -1])
def test_a_link_of_the_graph_out_of_range_is_refused(value, at, forged):
    index = read(forged)
    links = faiss.vector_to_array(index.hnsw.neighbors)
    links[at] = value
    faiss.copy_array_to_vector(links, index.hnsw.neighbors)
    rewrite_index(forged, index)
    assert forged.file('index').name in forged.refused()


@pytest.mark.parametrize('field', ['entry_point', 'max_level'])
@pytest.mark.parametrize('value', [-2, 99, 2**30])
def test_a_beginning_of_the_graph_out_of_range_is_refused(field, value, forged):
    index = read(forged)
    setattr(index.hnsw, field, value)
    rewrite_index(forged, index)
    assert forged.file('index').name in forged.refused()


@pytest.mark.parametrize('other', ['Flat', 'HNSW24', 'PCA8,Flat', 'HNSW24_SQ4', 'IDMap,SQ8'])
def test_an_index_of_another_kind_is_refused(other, forged):
    index = faiss.index_factory(16, other, faiss.METRIC_INNER_PRODUCT)
    rows = np.random.default_rng(0).normal(size=(COUNT * 2, 16)).astype(np.float32)
    index.train(rows)
    try:
        index.add(rows)
    except RuntimeError:
        index.add_with_ids(rows, np.arange(COUNT * 2))
    rewrite_index(forged, index)
    assert forged.file('index').name in forged.refused()


@pytest.mark.skipif(
    not hasattr(faiss, 'set_deserialization_vector_byte_limit'), reason='needs faiss 1.14'
)
def test_an_index_that_claims_a_vector_of_terabytes_is_refused(forged):
    data = forged.file('index').read_bytes()
    length = struct.pack('<Q', COUNT * 2)  # of the vector of levels
    assert length in data[40:]
    at = data.index(length, 40)
    forged.rewrite('index', data[:at] + struct.pack('<Q', 2**38) + data[at + 8 :])
    assert 'faiss cannot read it' in forged.refused()


@pytest.mark.parametrize('key', ['shortlist', 'breadth'])
def test_a_search_of_a_breadth_that_no_map_has_is_refused(key, forged):
    about = copy.deepcopy(forged.about)
    about['index'][key] = {'shortlist': 0, 'breadth': 10**9}[key]
    forged.write(about)
    assert 'map.json has shortlist' in forged.refused()


@pytest.mark.parametrize(('kind', 'rows'), [('ivf_sq8', 400), ('ivf_places', 200)])
def test_rows_of_an_ivf_out_of_range_are_refused(kind, rows, tmp_path):
    path = tmp_path / 'map'
    save_map(random_map(count=200).indexed(kind), path)
    use(path)
    about = json.loads((path / 'map.json').read_text())
    file = path / about['files']['index']['name']
    index = faiss.read_index(str(file))
    ids = faiss.rev_swig_ptr(index.invlists.get_ids(0), index.invlists.list_size(0))
    ids[0] = 2**40
    faiss.write_index(index, str(file))
    about['files']['index']['sha256'] = hashlib.sha256(file.read_bytes()).hexdigest()
    about.pop('sha256')
    (path / 'map.json').write_text(json.dumps(signed(about)))
    with pytest.raises(InputError, match=f'{file.name}: row {2**40} of {rows}'):
        load_map(path)


@pytest.fixture(scope='module')
def of_places():
    return random_map(count=200).indexed('ivf_places')


@pytest.mark.parametrize(
    ('directions', 'expected'),
    [
        (np.zeros((17, 16), np.float32), r'\[17, 16\]; expected 1 to 16 rows of 16'),
        (np.zeros(16, np.float32), r'\[16\]; expected 1 to 16 rows of 16'),
        (np.zeros((16, 8), np.float32), r'expected float32 \[16, 16\]'),
        (np.zeros((8, 16), np.float32), r'200 places of size 32; expected 200 of 16'),
        (np.full((16, 16), np.nan, np.float32), 'no unit vectors'),
    ],
)
def test_directions_that_do_not_fit_their_index_are_refused(
    directions, expected, of_places, tmp_path
):
    path = tmp_path / 'map'
    index = replace(of_places.index, directions=directions)
    save_map(replace(of_places, index=index), path)
    with pytest.raises(InputError, match=expected):
        load_map(path)


@pytest.mark.parametrize('method', [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_picture_that_unpacks_to_gigabytes_is_not_unpacked(method, forged):
    data = io.BytesIO()
    with zipfile.ZipFile(data, 'w', method) as archive:
        archive.writestr('0000000_front.jpg', bytes(10 * 2**20))
    forged.rewrite('thumbnails', data.getvalue())
    thumbnails = load_map(forged.path).thumbnails
    with pytest.raises(InputError, match=r'0000000_front.jpg has 10485760 bytes'):
        thumbnails.jpeg(0, 'front')
    assert thumbnails.jpeg(1, 'front') is None


@EASY
@given(st.integers(0, 10**6), st.integers(0, 255))
@example(0, 0)
def test_an_archive_of_pictures_may_be_of_any_bytes(forged, at, value):
    data = bytearray(forged.whole[forged.file('thumbnails')])
    data[at % len(data)] = value
    forged.rewrite('thumbnails', bytes(data))
    try:
        thumbnails = load_map(forged.path).thumbnails
        for place in range(COUNT):
            thumbnails.jpeg(place, 'front')
    except InputError as error:
        assert str(error).startswith(str(forged.path))
    finally:
        forged.write(forged.about)
