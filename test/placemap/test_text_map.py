"""A map with texts: storage, changes, and the damage that is refused."""

from __future__ import annotations

from dataclasses import replace
import hashlib
import json

from husky_placerec.errors import InputError
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.manifest import MANIFEST, signed
from husky_placerec.placemap.merging import merge_maps
from husky_placerec.placemap.pruning import prune
from husky_placerec.placemap.storage import save_map, verify_map
from husky_placerec.texts import map_texts
from husky_placerec.texts.map_texts import limited, MapTexts, MOST_TEXTS
from husky_placerec.texts.seen import SeenText
import pytest
from support.builders import BACK, FRONT, straight_map

COUNT = 8
QUAD = ((0.1, 0.2), (0.3, 0.25), (0.3, 0.35), (0.1, 0.3))
TEXTS = MapTexts(
    (
        (),
        (SeenText('АПТЕКА', FRONT, 0.91, QUAD), SeenText('Exit', BACK, 1.0)),
        *((SeenText(f'HOUSE {number}', FRONT, 0.8, QUAD),) for number in range(2, COUNT - 1)),
        (),
    )
)


@pytest.fixture
def place_map():
    return replace(straight_map(COUNT), texts=TEXTS)


@pytest.fixture
def saved(place_map, tmp_path):
    save_map(place_map, tmp_path / 'map')
    return tmp_path / 'map'


def rewrite(path, text):
    """Write another texts.jsonl together with its hash, as its author could."""
    about = json.loads((path / MANIFEST).read_text())
    file = path / about['files']['texts']['name']
    data = text.encode()
    file.write_bytes(data)
    about['files']['texts']['sha256'] = hashlib.sha256(data).hexdigest()
    kept = {key: value for key, value in about.items() if key != 'sha256'}
    (path / MANIFEST).write_text(json.dumps(signed(kept)))


def lines_of(*places, head=None):
    head = head or {'format': 1, 'places': COUNT}
    return ''.join(json.dumps(line) + '\n' for line in (head, *places))


def said(**changes):
    value = {'text': 'EXIT', 'camera': FRONT, 'confidence': 0.5, 'quad': None}
    return {'place': 1, 'texts': [{**value, **changes}]}


def test_texts_are_stored_and_read_again(saved):
    assert load_map(saved).texts == TEXTS
    assert 'texts' in verify_map(saved)[1]
    (file,) = saved.glob('texts-*.jsonl')
    assert 'АПТЕКА' in file.read_text('utf-8')


def test_texts_follow_their_places(place_map):
    poses = place_map.places.poses
    pruned = prune(place_map, 12.0, -1.0)
    rows = [poses[:, 0].tolist().index(x) for x in pruned.places.poses[:, 0].tolist()]
    assert len(rows) < COUNT
    assert pruned.texts.of_places == tuple(TEXTS.of_places[row] for row in rows)
    later = replace(place_map.places, stamps_ns=place_map.places.stamps_ns + 10**12)
    other = place_map.with_places(later, place_map.descriptors, texts=TEXTS)
    assert merge_maps([place_map, other]).place_map.texts == TEXTS.joined(TEXTS)
    without = place_map.with_places(later, place_map.descriptors)
    assert without.texts is None
    assert merge_maps([place_map, without]).place_map.texts is None
    assert place_map.whitened(None).texts == TEXTS


@pytest.mark.parametrize(
    'text, why',
    [
        ('', 'cannot be read as JSON'),
        ('no JSON', 'cannot be read as JSON'),
        (lines_of(head={'format': 2, 'places': COUNT}), 'format is 2'),
        (lines_of(head={'format': 1, 'places': 9}), 'texts of 9 places; expected 8'),
        (lines_of(said(), said()), ':3: place 1 after 1'),
        (lines_of({'place': COUNT, 'texts': []}), 'below 8'),
        (lines_of({'place': -1, 'texts': []}), 'place is -1'),
        (lines_of({'texts': []}), 'place is missing'),
        (lines_of(said(text='x' * 65)), 'up to 64 letters'),
        (lines_of(said(text='~')), 'is no text'),
        (lines_of(said(camera='side')), "camera is 'side'; expected one of front, back"),
        (lines_of(said(confidence=1.5)), 'confidence is 1.5'),
        (lines_of(said(confidence=float('nan'))), 'confidence is nan'),
        (lines_of(said(quad=[[0, 0], [1, 0], [1, 1]])), 'a list of 4 to 4 values'),
        (lines_of(said(quad=[[0, 0], [1, 0], [1, 1], [0, 1e9]])), 'quad'),
        (lines_of({'place': 1, 'texts': said()['texts'] * (MOST_TEXTS + 1)}), 'texts is'),
        (lines_of() + '[' * 2000 + '\n', 'cannot be read as JSON'),
    ],
)
def test_texts_that_are_not_as_expected_are_refused(saved, text, why):
    rewrite(saved, text)
    with pytest.raises(InputError, match=why) as refused:
        load_map(saved)
    assert 'texts-' in str(refused.value)


def test_what_a_terminal_would_obey_is_removed(saved):
    rewrite(saved, lines_of(said(text='\x1b[2J\u202eEXIT')))
    assert load_map(saved).texts.of_places[1][0].text == '[2J EXIT'


def test_a_flood_of_different_texts_is_refused(saved, monkeypatch):
    monkeypatch.setattr(map_texts, 'MOST_DIFFERENT', 5)
    with pytest.raises(InputError, match='over 5 different texts'):
        load_map(saved)
    monkeypatch.undo()
    monkeypatch.setattr(map_texts, 'MOST_FILE_BYTES', 100)
    with pytest.raises(InputError, match='expected at most 100'):
        load_map(saved)


def test_of_too_many_texts_the_surest_are_kept():
    many = [SeenText(f'T{number}', FRONT, number / 200) for number in range(MOST_TEXTS + 20)]
    kept = limited(many)
    assert len(kept) == MOST_TEXTS
    assert min(seen.confidence for seen in kept) == pytest.approx(0.1)
    assert limited(many[:3]) == tuple(many[:3])
