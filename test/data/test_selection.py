"""Selection: a drive is repeated from the frames that a node or a user names."""

from __future__ import annotations

import json

from husky_placerec.config import HUSKY_CAMERAS, make_config
from husky_placerec.config.decisions import DecisionConfig
from husky_placerec.data.bag import Bag
from husky_placerec.data.selection import read_selection, selected_frames, Selection
from husky_placerec.errors import InputError
from husky_placerec.types import Pose
import pytest
from support.builders import BACK, compressed, FRONT, MS, START_NS, write_bag

CONFIG = make_config({})
STAMPS = [START_NS + i * 100 * MS for i in range(10)]
LATER = 3 * MS  # by which the back camera is behind the front one


@pytest.fixture(scope='module')
def bag(tmp_path_factory):
    messages = [
        (f'/{HUSKY_CAMERAS[name].topic}', compressed(stamp + delay, f'{name} {i}'.encode()))
        for i, stamp in enumerate(STAMPS)
        for name, delay in ((FRONT, 0), (BACK, LATER))
    ]
    with Bag(write_bag(tmp_path_factory.mktemp('bags') / 'drive', messages)) as opened:
        yield opened


@pytest.fixture
def file(tmp_path):
    def write(*lines):
        path = tmp_path / 'frames.txt'
        path.write_text('\n'.join(lines), encoding='utf-8')
        return path

    return write


def json_line(number, cameras=(FRONT, BACK)):
    delay = {FRONT: 0, BACK: LATER}
    images = {name: STAMPS[number] + delay[name] for name in cameras}
    return json.dumps({'stamp_ns': images[cameras[0]], 'image_stamps_ns': images, 'place': 3})


def select(bag, path):
    """Return of each frame its stamp and what its images say."""
    frames = selected_frames(bag, CONFIG, read_selection(path))
    return [(f.stamp_ns, [bytes(m.data).decode() for m in f.images.values()]) for f in frames]


def pair(number):
    return STAMPS[number], [f'front {number}', f'back {number}']


def test_frames_are_named_by_lines_of_stamps(bag, file):
    path = file('# my frames', str(STAMPS[2]), '', f'  {STAMPS[3]}  # a good one', str(STAMPS[7]))
    assert select(bag, path) == [pair(2), pair(3), pair(7)]


def test_stamps_may_be_in_seconds(bag, file):
    seconds = f'{STAMPS[4] // 10**9}.{STAMPS[4] % 10**9:09d}'
    assert select(bag, file(seconds)) == [pair(4)]


def test_frames_of_a_nodes_record_are_taken_as_the_node_had_them(bag, file):
    path = file(json_line(1), json_line(4, [BACK]), json_line(5), json_line(6, [FRONT]))
    alone = (STAMPS[4] + LATER, ['back 4']), (STAMPS[6], ['front 6'])
    assert select(bag, path) == [pair(1), alone[0], pair(5), alone[1]]


def test_images_that_the_node_paired_otherwise_stay_so(bag, file):
    images = {BACK: STAMPS[3] + LATER, FRONT: STAMPS[4]}
    path = file(json.dumps({'stamp_ns': STAMPS[4], 'image_stamps_ns': images}))
    (found,) = selected_frames(bag, CONFIG, read_selection(path))
    assert list(found.images) == [FRONT, BACK]
    assert found.image_stamps_ns == images
    assert bytes(found.images[BACK].data) == b'back 3'


def test_the_order_is_that_of_the_record_and_a_frame_may_come_twice(bag, file):
    order = 9, 2, 8, 2, 0
    assert select(bag, file(*map(json_line, order))) == [pair(i) for i in order]


@pytest.mark.parametrize('order', [(6, 2), (3, 3)])
def test_the_order_is_that_of_the_stamps_and_a_frame_may_come_twice(order, bag, file):
    assert select(bag, file(*(str(STAMPS[i]) for i in order))) == [pair(i) for i in order]


def test_stamps_alone_are_repeated_by_pairing_when_one_line_lacks_its_images(bag, file):
    lone = json.dumps({'stamp_ns': STAMPS[5], 'image_stamps_ns': None})
    assert select(bag, file(json_line(4, [FRONT]), lone)) == [pair(4), pair(5)]


@pytest.mark.parametrize('as_json', [True, False])
def test_frames_that_the_bag_lacks_are_counted_and_the_first_named(as_json, bag, file):
    other = STAMPS[9] + 100 * MS
    record = json.dumps({'stamp_ns': other, 'image_stamps_ns': {FRONT: other}})
    lines = [json_line(1) if as_json else str(STAMPS[1]), record if as_json else str(other)]
    path = file(*lines, lines[-1])
    frames = selected_frames(bag, CONFIG, read_selection(path))
    assert next(frames).stamp_ns == STAMPS[1]
    with pytest.raises(InputError) as caught:
        next(frames)
    expected = f'{path}: 2 of 3 frames are not in {bag.path}, the first at {other}'
    assert str(caught.value) == expected


def test_a_frame_with_half_its_images_in_the_bag_is_missing(bag, file):
    images = {FRONT: STAMPS[1], BACK: 5}
    path = file(json.dumps({'stamp_ns': STAMPS[1], 'image_stamps_ns': images}))
    with pytest.raises(InputError, match='1 of 1 frames are not in'):
        select(bag, path)


@pytest.mark.parametrize(
    'line',
    [
        'yesterday',
        '1;2',
        'nan',
        'inf',
        '{"stamp_ns": 5',
        '{}',
        '[5]',
        '{"stamp_ns": null}',
        '{"stamp_ns": "x"}',
        '{"stamp_ns": 5, "image_stamps_ns": {"front": null}}',
        '{"stamp_ns": 5, "image_stamps_ns": [5]}',
    ],
)
def test_a_bad_line_is_named_by_its_number(line, file):
    with pytest.raises(InputError, match=r'frames\.txt:3: .*; expected a stamp in ns'):
        read_selection(file(str(STAMPS[0]), '# no stamp', line))


def node_line(number, version='a' * 64, **parameters):
    told = {'forgot': False, 'odometry': [[5, 1, 2, 3, 0, 0, 0, 1]]}
    more = {**told, 'map_version': version, 'parameters': parameters}
    return json.dumps({**json.loads(json_line(number)), **more})


def test_a_nodes_line_tells_what_it_went_by(file):
    path = file(node_line(0), node_line(1, min_similarity=0.3, sequence=False))
    first, second = read_selection(path).told
    assert first.odometry == ((5, Pose(1, 2, 3, 0, 0, 0, 1)),)
    assert first.decisions == DecisionConfig()
    assert second.decisions == DecisionConfig(min_similarity=0.3, sequence=False)


@pytest.mark.parametrize(
    'parameters', [{'min_similarity': 7.0}, {'min_similarity': 'high'}, {'map': 'other.map'}]
)
def test_parameters_that_no_node_had_are_refused(parameters, file):
    with pytest.raises(InputError, match=r"frames\.txt:2: .*; expected .*node's own line"):
        read_selection(file(node_line(0), node_line(1, **parameters)))


def test_frames_of_another_version_of_the_map_are_refused(file):
    selection = read_selection(file(*map(node_line, range(3)), node_line(3, 'b' * 64)))
    with pytest.raises(InputError) as refused:
        selection.require_version('a' * 64, 'my.map')
    words = 'from frame 4 of 4 on', 'version bbbbbbbbbbbb', 'my.map is aaaaaaaaaaaa'
    assert all(word in str(refused.value) for word in words), refused.value
    read_selection(file(*map(json_line, range(3)))).require_version('c' * 64, 'any.map')


@pytest.mark.parametrize('lines', [[], ['# nothing', '', '  ']])
def test_a_file_without_stamps_is_refused(lines, file):
    with pytest.raises(InputError, match=r'frames\.txt: no stamps'):
        read_selection(file(*lines))


def test_a_file_that_is_no_text_or_not_there_is_named(tmp_path):
    (tmp_path / 'frames.txt').write_bytes(b'\xff\xfe')
    for name in ('frames.txt', 'none.txt'):
        with pytest.raises(InputError, match=f'{name}: cannot be read'):
            read_selection(tmp_path / name)


def test_what_is_read_is_what_was_written(file):
    found = read_selection(file('5e-9', json_line(0), '{"stamp_ns": 7}'))
    images = {FRONT: STAMPS[0], BACK: STAMPS[0] + LATER}
    assert found == Selection(((5, None), (STAMPS[0], images), (7, None)), found.source)


def test_a_number_sign_in_a_record_is_no_comment(file):
    line = json.dumps({'stamp_ns': 5, 'image_stamps_ns': {'camera #1': 5}})
    assert read_selection(file(line)).frames == ((5, {'camera #1': 5}),)
