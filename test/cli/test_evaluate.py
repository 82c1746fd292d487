"""`placerec evaluate` as a user meets it: two drives in, results and a report out."""

from __future__ import annotations

from dataclasses import replace
import gzip
from html.parser import HTMLParser
from importlib.util import find_spec
import json
import re
import shutil

from husky_placerec.config import make_config
from husky_placerec.data.source import find_trajectory, open_source
from husky_placerec.evaluation.baselines import baselines, method_name
from husky_placerec.evaluation.baselines import exported as exported_methods
from husky_placerec.evaluation.evaluate import evaluate
from husky_placerec.evaluation.output import submission
from husky_placerec.evaluation.protocol import PairProtocol
from husky_placerec.evaluation.replay import replay
from husky_placerec.evaluation.results import summary
from husky_placerec.evaluation.summary import evaluation_summary
from husky_placerec.evaluation.tracks import read_track
from husky_placerec.operations.calibrate_map import calibrate_map
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.storage import save_map
from husky_placerec.recognition.measurement import Thresholds
from husky_placerec.recognition.recognizer import Recognizer
from husky_placerec.recognition.serialization import recognition_json
import numpy as np
import pytest
from support.builders import encode, smooth_image
from support.commands import assert_refused

SETTINGS = '--set', 'extractor=hog', '--set', 'min_similarity=0.7'
BASELINE_NETWORK = '--set', 'backbone=test_resnet'
PNGS = {'route.png', 'distances.png', 'similarities.png', 'precision_recall.png', 'latency.png'}
FILES = {
    *('recognitions.jsonl', 'poses.tum', 'summary.json', 'config.yaml', 'report.html'),
    *('submission.txt', 'pairs', *PNGS),
}
PROTOCOL = PairProtocol(opposites=(1, 0), thresholds=Thresholds(0.7, 0.02))


class Page(HTMLParser):
    """Collects the ids, the sources of images and the tags that were left open."""

    VOID = {'meta', 'img', 'br', 'link'}  # noqa: RUF012

    def __init__(self, html):
        super().__init__()
        self.ids, self.images, self.links, self.open = [], [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.ids += [values['id']] if 'id' in values else []
        self.images += [values['src']] if tag == 'img' else []
        self.links += [value for name, value in attributes if name in ('href', 'action')]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope='session')
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp('cache')


def assert_reads_alone(report, sections):
    """Check that a page is valid, has these sections, and needs nothing beside it."""
    html = report.read_text()
    page = Page(html)
    assert page.open == []
    assert sections <= set(page.ids)
    assert all(source.startswith('data:image/') for source in page.images)
    assert page.links == []
    assert not re.search(r'https?://|url\(|@import|<script', html)
    return page


SECTIONS = {'words', 'table', 'route', 'errors', 'mistakes', 'latency', 'facts'}


def test_two_drives_are_evaluated_and_written_up(placerec, drives, cache, tmp_path):
    options = *SETTINGS, '--cache', cache, '-o', tmp_path / 'out', '--no-baselines'
    done = placerec('evaluate', *drives, *options)
    assert done.returncode == 0, done.stderr
    assert 'HOG' in done.stdout
    assert 'R@1' in done.stdout
    assert {file.name for file in (tmp_path / 'out').iterdir()} == FILES
    numbers = json.loads((tmp_path / 'out' / 'summary.json').read_text())
    assert [(p['database'], p['queries'], p['frames']) for p in numbers['pairs']] == [
        ('mapped', 'driven', 19),
        ('driven', 'mapped', 20),
    ]
    assert numbers['frames'] == 39
    each = [pair['recall']['10']['1'] for pair in numbers['pairs']]
    assert numbers['recall']['10']['1'] == pytest.approx(np.mean(each))
    assert numbers['recall']['10']['1'] >= 0.75  # a third by chance
    low, high = numbers['intervals']['recall']['10']['1']
    assert low <= numbers['recall']['10']['1'] <= high
    lines = (tmp_path / 'out' / 'recognitions.jsonl').read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert len(records) == 39
    assert {(r['database'], r['queries']) for r in records} == {
        ('mapped', 'driven'),
        ('driven', 'mapped'),
    }
    rows = (tmp_path / 'out' / 'submission.txt').read_text().split()
    assert [int(row) for row in rows] == [r['place'] for r in records[:19]]
    page = assert_reads_alone(tmp_path / 'out' / 'report.html', SECTIONS)
    wrong = [r for r in records if r['error_m'] > 10 or r['error_deg'] > 30]
    assert len(page.images) >= len(PNGS) + (4 if wrong else 0)


def test_baselines_stand_in_every_table(placerec, drives, cache, tmp_path):
    options = '--cache', cache, '-o', tmp_path / 'out', '--set', 'backbone=resnet18'
    done = placerec('evaluate', *drives, *SETTINGS, *options, '--set', 'threads=1')
    assert done.returncode == 0, done.stderr
    numbers = json.loads((tmp_path / 'out' / 'summary.json').read_text())
    expected = {'grey pixels', 'chance'}
    if 'not available' not in done.stderr:
        expected.add('resnet18, random weights')
    assert set(numbers['baselines']) == expected
    html = (tmp_path / 'out' / 'report.html').read_text()
    for name in expected:
        assert f'<td>{name}</td>' in html
        assert name.split(',')[0] in done.stdout
    assert numbers['baselines']['chance']['recall']['5']['1'] < numbers['recall']['5']['1']


@pytest.fixture(scope='module')
def exported(tmp_path_factory):
    if not all(map(find_spec, ['torch', 'timm', 'safetensors', 'onnx', 'onnxruntime'])):
        pytest.skip('needs the extra [export]')
    from husky_placerec.descriptor.onnx_export import export_onnx
    from husky_placerec.descriptor.spec import resolve_spec

    path = tmp_path_factory.mktemp('model') / 'small.onnx'
    network = {'backbone': 'lcn_cnn', 'weights': 'random', 'pooling': 'gem:1x2', 'head': 8}
    config = make_config({**network, 'input_width': 64, 'input_height': 48})
    images = [smooth_image(seed, 64, 48) for seed in range(2)]
    export_onnx(resolve_spec(config, None), path, images, threads=1)
    return path


def test_an_exported_network_is_compared_with_the_method(
    exported, placerec, drives, cache, tmp_path
):
    options = '--cache', cache, '-o', tmp_path / 'out', '--no-baselines', '--against', exported
    done = placerec('evaluate', *drives, *SETTINGS, *options)
    assert done.returncode == 0, done.stderr
    numbers = json.loads((tmp_path / 'out' / 'summary.json').read_text())
    assert numbers['method'] == 'HOG'
    recall = numbers['baselines']['lcn_cnn, weights small.onnx']['recall']['10']['1']
    assert f'{100 * recall:.1f} %' in done.stdout
    assert '<td>lcn_cnn, weights small.onnx</td>' in (tmp_path / 'out/report.html').read_text()
    assert str(exported) in (tmp_path / 'out' / 'config.yaml').read_text()
    missing = placerec('evaluate', *drives, '--against', 'none.onnx', '-o', tmp_path / 'other')
    assert_refused(missing, "weights is 'none.onnx'; expected a file", output=tmp_path / 'other')


def test_an_exported_network_is_beside_itself_with_random_weights(exported):
    config = make_config({'extractor': 'onnx', 'weights': str(exported)})
    assert method_name(config) == 'lcn_cnn, weights small.onnx'
    found, _ = baselines(config)
    random = found['lcn_cnn, random weights']
    assert (random.extractor, random.pooling, random.input_width) == ('timm', 'gem:1x2', 64)
    twice = exported_methods(config, [exported])
    assert list(twice) == [f'lcn_cnn, weights small.onnx ({exported})']


def decided(pair):
    """Return the lines of recognitions.jsonl of a pair."""
    return [json.loads(line) for line in gzip.decompress(pair.decisions.lines).splitlines()]


@pytest.mark.parametrize('alone', [False, True], ids=['thresholds', 'calibrated'])
def test_the_evaluation_decides_as_a_replay(alone, drives, map_path, cache, tmp_path):
    config = make_config({'extractor': 'hog', 'min_similarity': 0.7, 'min_margin': 0.02})
    tracks = [read_track(path, path.name, config) for path in drives]
    options = {'cache': cache, 'with_baselines': False, 'calibrate_alone': alone}
    found = evaluate(tracks, config, PROTOCOL, **options)
    campus = shutil.copytree(map_path, tmp_path / 'campus')
    if alone:
        calibrate_map(campus, config=config)
    place_map = load_map(campus)
    with open_source(drives[1]) as source:
        truth = find_trajectory(source, None)
        recognizer = Recognizer.load(place_map, config)
        results = list(replay(source, recognizer, config, truth=truth))
    assert found.pairs[0].calibration_kind == ('map_alone' if alone else 'uncalibrated')
    for line, result in zip(decided(found.pairs[0]), results, strict=True):
        expected = recognition_json(result.recognition, result.truth)
        for key in ('stamp_ns', 'image_stamps_ns', 'accepted', 'reason', 'state', 'reversed'):
            assert line[key] == expected[key], key
        assert line['place'] == expected['place']
        assert line['truth'] == pytest.approx(expected['truth'])
        # queries are rounded to float16 in the cache, as places are in a map
        assert line['pose'] == pytest.approx(expected['pose'], abs=0.05)
        assert line['probability'] == pytest.approx(expected['probability'], abs=0.02)
        for candidate, other in zip(line['candidates'], expected['candidates'], strict=True):
            assert candidate['similarity'] == pytest.approx(other['similarity'], abs=2e-3)
    if alone:
        assert {line['state'] for line in decided(found.pairs[0])} >= {'LOCALIZED'}
    own = evaluation_summary(found)['pairs'][0]
    theirs = summary(results, place_map)
    for key in ('recall', 'recall_with_heading', 'precision', 'off_map', 'accepted'):
        assert own[key] == pytest.approx(theirs[key]) if key == 'precision' else True
        if key in ('off_map', 'accepted'):
            assert own[key] == theirs[key]
    assert own['recall']['10']['1'] == theirs['recall']['10']['1']


def test_a_replay_with_truth_has_the_report_too(placerec, drives, map_path, tmp_path):
    done = placerec('replay', drives[1], '--map', map_path, '-o', tmp_path / 'out')
    assert done.returncode == 0, done.stderr
    assert_reads_alone(tmp_path / 'out' / 'report.html', SECTIONS)
    assert {file.name for file in (tmp_path / 'out').iterdir()} >= PNGS


def test_a_map_that_outlived_its_drive_still_has_a_report(placerec, drives, map_path, tmp_path):
    moved = tmp_path / 'moved.map'
    save_map(replace(load_map(map_path), sources={'mapped': '/nowhere/drive'}), moved)
    poses = tmp_path / 'shifted.tum'  # a truth 15 m further on makes every match a mistake
    with open_source(drives[1]) as source:
        trajectory = find_trajectory(source, None)
    poses.write_text(
        '\n'.join(
            f'{stamp} {" ".join(map(str, pose))}'
            for stamp, pose in zip(trajectory.stamps_ns, np.roll(trajectory.poses, -75, axis=0))
        )
    )
    options = '--map', moved, '-o', tmp_path / 'out', '--poses', poses
    assert placerec('replay', drives[1], *options).returncode == 0
    html = (tmp_path / 'out' / 'report.html').read_text()
    assert 'image not at hand' in html
    assert 'data:image/jpeg' in html  # the query's own images are there


def test_names_in_the_report_are_text_and_no_markup(placerec, drives, cache, tmp_path):
    odd = tmp_path / '<b>drive & co'
    shutil.copytree(drives[1], odd)
    options = *SETTINGS, '--no-cache', '-o', tmp_path / 'out', '--no-baselines'
    done = placerec('evaluate', drives[0], odd, *options)
    assert done.returncode == 0, done.stderr
    html = (tmp_path / 'out' / 'report.html').read_text()
    assert '<b>drive' not in html
    assert '&lt;b&gt;drive &amp; co' in html


def folder_drive(path, x, stamps=range(6), names=()):
    """Write a folder of images eastwards from x, a frame a second and a metre."""
    path.mkdir()
    lines = ['stamp,front,back,x,y,z,yaw']
    for i, stamp in enumerate(stamps):
        for camera, seed in (('front', i), ('back', 50 + i)):
            (path / f'{camera}_{i}.png').write_bytes(encode(smooth_image(seed, 64, 48)))
        row = f'front_{i}.png,back_{i}.png,{x + i},0,0,0'
        lines.append(f'{1_700_000_000 + stamp},{row}')
    (path / 'frames.csv').write_text('\n'.join(lines))
    return path


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
