"""`placerec map build --texts` and `map add-texts`: texts in a map, and their use in a replay."""

from __future__ import annotations

import json

from husky_placerec.config import make_config
from husky_placerec.data.selection import read_selection
from husky_placerec.data.source import decoded_frames, open_source
from husky_placerec.errors import InputError
from husky_placerec.operations.build_map import build_map
from husky_placerec.operations.replay import replay
from husky_placerec.placemap.loading import load_map
from husky_placerec.recognition.recognizer import Recognizer
from husky_placerec.recognition.serialization import recognition_of
from husky_placerec.session import Session
from husky_placerec.texts.seen import SeenText
import pytest
from support.builders import track_rows, write_csv, write_track_folder
from support.commands import assert_refused
from support.sessions import Lines

HOGS = {'extractor': 'hog'}
HOG = '--set', 'extractor=hog'
LABELS = '--set', 'texts=labels'
COUNT = 6


@pytest.fixture(scope='module')
def track(tmp_path_factory):
    rows = track_rows(COUNT)
    folder = write_track_folder(tmp_path_factory.mktemp('world') / 'track', rows)
    labels = [
        [f'{row[1]}.png', 4, 5, 40, 15, f'HOUSE {number}'] for number, row in enumerate(rows)
    ]
    header = ['path', 'x0', 'y0', 'x1', 'y1', 'text']
    write_csv(folder / 'text_labels' / 'front_cam_text_labels.csv', header, labels[1:])
    write_csv(folder / 'text_labels' / 'back_cam_text_labels.csv', header, [])
    return folder


def test_texts_are_built_into_a_map_or_added_later(track, tmp_path, placerec):
    built = placerec('map', 'build', track, tmp_path / 'one', *HOG, *LABELS)
    assert built.returncode == 0, built.stderr
    plain = placerec('map', 'build', track, tmp_path / 'two', *HOG, *LABELS, '--no-texts')
    assert plain.returncode == 0, plain.stderr
    assert load_map(tmp_path / 'two').texts is None
    assert 'add-texts adds them' in placerec('map', 'info', tmp_path / 'two').stdout
    added = placerec('map', 'add-texts', tmp_path / 'two', track, *LABELS)
    assert added.returncode == 0, added.stderr
    assert '5 texts at 5 of 6 places' in added.stdout
    one, two = load_map(tmp_path / 'one').texts, load_map(tmp_path / 'two').texts
    assert one == two
    assert [len(texts) for texts in one.of_places] == [0, 1, 1, 1, 1, 1]
    assert '5 (5 different) at 5 of 6 places' in placerec('map', 'info', tmp_path / 'one').stdout
    # The images are noise.
    seeing = make_config({'texts': 'labels', 'check_images': False})
    done = replay(track, tmp_path / 'one', config=seeing)
    texts = [result.recognition.texts for result in done.results]
    assert texts[0] is None
    assert texts[3].read == ('HOUSE 3',)
    assert (texts[3].common, texts[3].contradiction) == pytest.approx((1, 0), abs=1e-6)


def test_a_map_that_loses_its_texts_tells(track, tmp_path, placerec):
    built = placerec('map', 'build', track, tmp_path / 'map', *HOG, *LABELS)
    assert built.returncode == 0, built.stderr
    later = write_track_folder(tmp_path / 'later', track_rows(2, start_ns=1_800_000_000 * 10**9))
    added = placerec('map', 'add', tmp_path / 'map', later)
    assert added.returncode == 0, added.stderr
    assert 'the map lost its texts' in added.stderr
    assert load_map(tmp_path / 'map').texts is None


def test_a_log_repeats_the_texts_that_the_node_had_read(track, tmp_path):
    """What was read in time depends on the machine, so that it stands in the log."""
    built = build_map(track, tmp_path / 'map', config=make_config({**HOGS, 'texts': 'labels'}))
    config = make_config({'check_images': False})
    lines, read = Lines(), (SeenText('HOUSE 4', 'front', 0.9),)
    session = Session(Recognizer.load(load_map(tmp_path / 'map'), config), config, log=lines)
    with open_source(track) as drive:
        for number, frame in enumerate(decoded_frames(drive, drive.frames(config))):
            session.recognize(frame, read if number == 2 else ())
    log = tmp_path / 'log.jsonl'
    log.write_text(''.join(lines))
    done = replay(track, tmp_path / 'map', config=config, stamps=log)
    said = [result.recognition.texts for result in done.results]
    assert said[2].read == ('HOUSE 4',)
    assert [texts for number, texts in enumerate(said) if number != 2] == [None] * (COUNT - 1)
    candidates = [result.recognition.candidates for result in done.results]
    again = [recognition_of(json.loads(line), 'line')[0].candidates for line in lines]
    assert [[c.place for c in each] for each in candidates] == [
        [c.place for c in each] for each in again
    ]
    assert len(built) == COUNT


def test_a_log_does_not_tell_which_masks_had_come(track, tmp_path):
    shipped = {'extractor': 'onnx', 'weights': 'shipped', 'pinhole': 'off', 'threads': 1}
    config = make_config({**shipped, 'check_images': False, 'masks': True})
    build_map(track, tmp_path / 'map', config=config)
    lines, warned = Lines(), []
    session = Session(Recognizer.load(load_map(tmp_path / 'map'), config), config, log=lines)
    with open_source(track) as drive:
        for frame in decoded_frames(drive, drive.frames(config)):
            session.recognize(frame)
    log = tmp_path / 'log.jsonl'
    log.write_text(''.join(lines))
    replay(track, tmp_path / 'map', config=config, stamps=log, warn=warned.append)
    assert any(f'{log}: does not tell which masks had come in time' in said for said in warned)
    warned.clear()
    replay(track, tmp_path / 'map', config=config, warn=warned.append)
    assert not any('which masks' in said for said in warned)


def test_texts_of_another_drive_and_of_a_folder_are_refused(track, tmp_path, placerec):
    built = placerec('map', 'build', track, tmp_path / 'map', *HOG)
    assert built.returncode == 0, built.stderr
    before = sorted(path.name for path in (tmp_path / 'map').iterdir())
    other = write_track_folder(tmp_path / 'other', track_rows(2, start_ns=10**18))
    for folder in (other / 'text_labels', track / 'no'):
        folder.mkdir(exist_ok=True)
    refused = placerec('map', 'add-texts', tmp_path / 'map', other, *LABELS)
    assert_refused(refused, '6 of 6 places', 'have no frame in', other)
    images = tmp_path / 'folder'
    images.mkdir()
    (images / 'frames.csv').write_text('stamp,front\n')
    refused = placerec('map', 'add-texts', tmp_path / 'map', images, '--as', 'folder', *LABELS)
    assert refused.returncode == 2
    assert sorted(path.name for path in (tmp_path / 'map').iterdir()) == before


def test_a_log_with_broken_texts_is_refused(tmp_path):
    pose = [1, *[0.0] * 6, 1.0]
    seen = {'text': 'EXIT', 'camera': 'front', 'confidence': 0.9, 'quad': None}
    line = {
        'stamp_ns': 1,
        'forgot': False,
        'odometry': [pose],
        'map_version': 'v',
        'parameters': {},
        'seen_texts': [seen],
    }
    log = tmp_path / 'log.jsonl'
    log.write_text(json.dumps(line) + '\n')
    assert read_selection(log).told[0].texts[0].text == 'EXIT'
    for broken in ([{**seen, 'text': 'x' * 10_000}], ['EXIT'], {'a': 1}, [{**seen, 'quad': [1]}]):
        log.write_text(json.dumps({**line, 'seen_texts': broken}) + '\n')
        with pytest.raises(InputError, match="a node's own line"):
            read_selection(log)
