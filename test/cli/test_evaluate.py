"""`placerec evaluate` as a user meets it: two drives in, results and a report out."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from importlib.util import find_spec
import json
import re
import shutil

from husky_placerec.config import make_config
from husky_placerec.data.source import find_trajectory, open_source
from husky_placerec.errors import InputError
from husky_placerec.evaluation.baselines import baselines, method_name
from husky_placerec.evaluation.baselines import exported as exported_methods
from husky_placerec.operations.evaluate import evaluate
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.storage import save_map
import numpy as np
import pytest
from support.builders import smooth_image
from support.commands import assert_refused
from support.needs import needs

NEEDS = 'matplotlib', 'jinja2', 'sklearn'

SETTINGS = '--set', 'extractor=hog', '--set', 'min_similarity=0.7'
BASELINE_NETWORK = '--set', 'backbone=test_resnet'
PNGS = {'route.png', 'distances.png', 'similarities.png', 'precision_recall.png', 'latency.png'}
FILES = {
    *('recognitions.jsonl', 'poses.tum', 'summary.json', 'config.yaml', 'report.html'),
    *('submission.txt', 'pairs', '.placerec.json', *PNGS),
}


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
    assert {file.name for file in (tmp_path / 'out').iterdir()} == FILES | {'reliability.png'}
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
    assert [int(row) for row in rows] == [r['candidates'][0]['place'] for r in records[:19]]
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


def test_calibrated_maps_decide_and_the_report_says_so(placerec, drives, cache, tmp_path):
    options = '--no-baselines', '--cache', cache, '-o', tmp_path / 'out', '--calibrate', 'alone'
    done = placerec('evaluate', *drives, '--set', 'extractor=hog', *options)
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / 'out' / 'recognitions.jsonl').read_text().splitlines()
    accepted = [record for record in map(json.loads, lines) if record['accepted']]
    assert accepted
    for record in accepted:
        assert 0.7 <= record['probability'] <= 1
        assert record['state'] == 'LOCALIZED'
        assert len(record['covariance']) == 6
        assert record['proof'] > 0
        assert record['measurement']['probability'] is not None
    html = (tmp_path / 'out' / 'report.html').read_text()
    assert 'probable enough, by the calibration of the map' in html
    assert 'calibration (map_alone) on the map of mapped' in html
    assert (tmp_path / 'out' / 'reliability.png').exists()
    used = (tmp_path / 'out' / 'config.yaml').read_text()
    assert 'mapped: map_alone' in used


def test_another_word_for_the_calibration(placerec, drives, tmp_path):
    done = placerec('evaluate', *drives, '--calibrate', 'twice', '-o', tmp_path / 'out')
    assert_refused(done, '--calibrate twice', 'expected alone', output=tmp_path / 'out')


def test_the_function_writes_what_it_is_asked_to_and_prints_nothing(
    drives, cache, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    config = make_config({'extractor': 'hog', 'min_similarity': 0.7})
    said = []
    options = {'config': config, 'with_baselines': False, 'cache': cache, 'warn': said.append}
    done = evaluate(drives, **options)
    assert done.summary['frames'] == 39
    assert not list(tmp_path.iterdir())
    again = evaluate(drives, tmp_path / 'out', **options)
    kept = json.loads((tmp_path / 'out' / 'summary.json').read_text())
    assert kept['accepted'] == again.summary['accepted'] == done.summary['accepted'] > 0
    assert capsys.readouterr() == ('', '')
    with pytest.raises(InputError, match='out'):
        evaluate(drives, tmp_path / 'out', **options)
    with pytest.raises(InputError, match='expected two or more'):
        evaluate(drives[:1], **options)


def test_a_replay_with_truth_has_the_report_too(placerec, drives, map_path, tmp_path):
    done = placerec('replay', drives[1], '--map', map_path, '-o', tmp_path / 'out')
    assert done.returncode == 0, done.stderr
    assert_reads_alone(tmp_path / 'out' / 'report.html', SECTIONS)
    assert {file.name for file in (tmp_path / 'out').iterdir()} >= PNGS


@needs('onnxruntime')
def test_a_replay_by_the_default_calibration_says_so(placerec, drives, tmp_path):
    raw = '-s', 'weights=shipped', '-s', 'pinhole=off'
    built = placerec('map', 'build', drives[0], tmp_path / 'campus.map', *raw)
    assert built.returncode == 0, built.stderr
    options = '--map', tmp_path / 'campus.map', '-o', tmp_path / 'out'
    done = placerec('replay', drives[1], *options)
    assert done.returncode == 0, done.stderr
    html = (tmp_path / 'out' / 'report.html').read_text()
    assert 'Place recognition: driven in the map of campus.map' in html
    assert 'by the default calibration that comes with the network' in html
    assert '<dt>decided by</dt><dd>calibration (simulated)</dd>' in html
    assert 'a similarity of' not in html
    numbers = json.loads((tmp_path / 'out' / 'summary.json').read_text())
    assert f'Of {numbers["frames_on_map"]["10"]} frames at places' in html


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
