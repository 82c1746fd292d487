"""`placerec evaluate` on drives of tiny images: refusals, duplicates, tags, and no candidates."""

from __future__ import annotations

import json

from husky_placerec.config import make_config
from husky_placerec.evaluation.evaluate import evaluate
from husky_placerec.evaluation.output import submission
from husky_placerec.evaluation.protocol import PairProtocol
from husky_placerec.evaluation.tracks import read_track
from support.commands import assert_refused
from support.folder_drives import folder_drive

NEEDS = 'matplotlib', 'jinja2', 'sklearn'


def evaluate_folders(placerec, tmp_path, *drives, options=()):
    words = '--set', 'extractor=pixels', '--no-cache', '--no-baselines', '-o', tmp_path / 'out'
    return placerec('evaluate', *drives, *words, *options)


def test_one_drive(placerec, tmp_path):
    drive = folder_drive(tmp_path / 'lap', 0)
    result = evaluate_folders(placerec, tmp_path, drive)
    assert_refused(result, drive, 'expected two', output=tmp_path / 'out')


def test_drives_in_different_frames(placerec, tmp_path):
    drives = folder_drive(tmp_path / 'local', 0), folder_drive(tmp_path / 'utm', 6_200_000)
    result = evaluate_folders(placerec, tmp_path, *drives)
    words = 'local', 'utm', 'different frames', '6,200 km'
    assert_refused(result, *words, output=tmp_path / 'out')


def test_drives_that_do_not_overlap(placerec, tmp_path):
    drives = folder_drive(tmp_path / 'east', 500), folder_drive(tmp_path / 'west', 0)
    result = evaluate_folders(placerec, tmp_path, *drives)
    assert_refused(result, 'east', 'west', 'do not overlap', '495 m', output=tmp_path / 'out')
    wider = evaluate_folders(placerec, tmp_path, *drives, options=('--tolerance', '600'))
    assert wider.returncode == 0, wider.stderr


def test_a_stamp_that_is_there_twice_counts_once_and_is_said(placerec, tmp_path):
    stamps = [0, 1, 2, 2, 3, 4]
    drives = folder_drive(tmp_path / 'a', 0), folder_drive(tmp_path / 'b', 0, stamps)
    result = evaluate_folders(placerec, tmp_path, *drives)
    assert result.returncode == 0, result.stderr
    assert 'duplicate stamp' in result.stderr
    numbers = json.loads((tmp_path / 'out' / 'summary.json').read_text())
    assert numbers['pairs'][0]['frames'] == 5
    assert numbers['recall']['5']['1'] == 1


def test_a_tag_for_a_drive_that_is_not_there(placerec, tmp_path):
    drives = folder_drive(tmp_path / 'a', 0), folder_drive(tmp_path / 'b', 0)
    result = evaluate_folders(placerec, tmp_path, *drives, options=('--tag', 'c=winter'))
    assert_refused(result, '--tag c', 'a, b', output=tmp_path / 'out')


def test_seasons_and_lights_have_tables(placerec, tmp_path):
    drives = [folder_drive(tmp_path / f'drive_{i}', i) for i in range(3)]
    tags = 'drive_0=winter,day', 'drive_1=winter,night', 'drive_2=summer,day'
    options = [word for tag in tags for word in ('--tag', tag)]
    result = evaluate_folders(placerec, tmp_path, *drives, options=options)
    assert result.returncode == 0, result.stderr
    assert 'By season' in result.stdout
    numbers = json.loads((tmp_path / 'out' / 'summary.json').read_text())
    seasons = {(g['database'], g['queries']): g['pairs'] for g in numbers['by_season']}
    assert seasons == {
        ('winter', 'winter'): 2,
        ('winter', 'summer'): 2,
        ('summer', 'winter'): 2,
    }
    assert (tmp_path / 'out' / 'pairs.png').exists()


def test_an_output_that_exists_stays(placerec, tmp_path):
    (tmp_path / 'out').mkdir()
    drives = folder_drive(tmp_path / 'a', 0), folder_drive(tmp_path / 'b', 0)
    assert_refused(evaluate_folders(placerec, tmp_path, *drives), tmp_path / 'out', '--overwrite')
    assert not list((tmp_path / 'out').iterdir())


def test_a_query_without_candidates_is_row_minus_one(tmp_path):
    config = make_config({'extractor': 'pixels'})
    one = folder_drive(tmp_path / 'a', 0)
    other = folder_drive(tmp_path / 'b', 0)
    for path, camera in ((one, 'back'), (other, 'front')):
        for image in path.glob(f'{camera}_*.png'):
            image.unlink()
    tracks = [read_track(path, path.name, config) for path in (one, other)]
    protocol = PairProtocol(search_reversed=False)
    found = evaluate(tracks, config, protocol, with_baselines=False)
    assert submission(found.pairs[0]) == '-1\n' * 6
    assert found.pairs[0].figures['recall', '5', '1'] == 0
