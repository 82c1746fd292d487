"""Reading of results for the page: what replay, evaluate and the node write."""

from __future__ import annotations

import json
import shutil

from husky_placerec.errors import InputError
from husky_placerec.viewer.deciding import Decided, Rule
from husky_placerec.viewer.finding import Finder
from husky_placerec.viewer.results import read_results
import numpy as np
import pytest
from support.shown_drives import AS, COUNT, DRIVEN, MISLED, SPACING_M

NEEDS = 'sklearn', 'matplotlib', 'jinja2'


def read(path, **options):
    return read_results(path, Finder((), path), **options)


def test_a_replay_is_one_drive_in_one_map(world):
    results = read(world / 'replayed')
    (run,) = results.runs
    assert (run.queries, run.database) == (DRIVEN, 'tiny.map')
    assert (len(run), len(run.places), run.notes) == (COUNT, COUNT, ())
    assert run.source == str(world / DRIVEN)
    assert run.truths[:, 0] == pytest.approx(SPACING_M * np.arange(COUNT) + 1)
    assert run.places.cameras == ('front', 'back')
    assert run.tolerances_m == (5.0, 10.0, 25.0)
    assert run.answer(3).place == 3
    assert run.answer(MISLED).place == AS
    counts = Decided(run, Rule()).counts
    summary = json.loads((world / 'replayed' / 'summary.json').read_text())
    assert counts.accepted == summary['accepted'] > 0
    assert counts.precision == pytest.approx(summary['precision'])


def test_an_evaluation_has_every_pair_and_the_places_of_each_drive(world):
    results = read(world / 'evaluated')
    pairs = [(run.database, run.queries) for run in results.runs]
    assert pairs == [('mapped', DRIVEN), (DRIVEN, 'mapped')]
    for run, shift_m in zip(results.runs, (0.0, 1.0)):
        assert run.places.poses[:, 0] == pytest.approx(SPACING_M * np.arange(COUNT) + shift_m)
        assert run.places.opposites == {'front': 'back', 'back': 'front'}
        assert list(run.places.image_stamps_ns[2]) == ['front', 'back']
        assert run.source == str(world / run.queries)
        recalls = run.judged
        assert recalls.places == COUNT


def test_a_map_that_is_gone_leaves_the_places_that_the_results_name(world, tmp_path):
    moved = shutil.copytree(world / 'replayed', tmp_path / 'replayed')
    config = (moved / 'config.yaml').read_text()
    gone = tmp_path / 'gone.map'
    (moved / 'config.yaml').write_text(config.replace(str(world / 'tiny.map'), str(gone)))
    (run,) = read(moved).runs
    assert 'gone.map: this map is not there' in run.notes[0]
    assert run.places.thumbnails is None
    known = np.isfinite(run.places.poses[:, 0])
    assert known.any()
    rows = np.flatnonzero(known)
    assert run.places.poses[rows, 0] == pytest.approx(SPACING_M * rows)
    (run,) = read(moved, map_path=world / 'tiny.map').runs
    assert run.notes == () and run.places.thumbnails is not None


def test_places_of_another_version_of_the_map_are_not_shown_as_those_of_the_results(
    world, tmp_path
):
    changed = shutil.copytree(world / 'replayed', tmp_path / 'replayed')
    config = (changed / 'config.yaml').read_text().splitlines()
    lines = [f'map_version: {"f" * 64}' if 'map_version' in line else line for line in config]
    (changed / 'config.yaml').write_text('\n'.join(lines))
    (run,) = read(changed).runs
    assert 'another version of the map' in run.notes[0]


def test_the_log_of_a_node_is_read_with_a_map_that_is_named(world, tmp_path):
    log = tmp_path / 'node.jsonl'
    lines = (world / 'replayed' / 'recognitions.jsonl').read_text().splitlines()
    told = [{k: v for k, v in json.loads(line).items() if k != 'truth'} for line in lines]
    log.write_text('\n'.join(json.dumps({**line, 'map_version': ''}) for line in told))
    (run,) = read(log, map_path=world / 'tiny.map').runs
    assert (len(run), run.judged, run.queries) == (COUNT, None, 'node')
    assert len(run.places) == COUNT
    assert Decided(run, Rule()).counts is None


@pytest.mark.parametrize(
    ('file', 'text', 'words'),
    [
        ('recognitions.jsonl', '', 'no frames'),
        ('recognitions.jsonl', '{"stamp_ns": 1', 'recognitions.jsonl:1'),
        ('recognitions.jsonl', '{"stamp_ns": "now"}', 'recognitions.jsonl:1.*missing'),
        ('summary.json', '{"tracks": [{"name": 7}]}', 'summary.json'),
        ('config.yaml', 'parameters: 7', 'config.yaml'),
        ('config.yaml', 'inputs: {source: 3}', 'inputs.source'),
    ],
)
def test_a_broken_file_is_named(world, tmp_path, file, text, words):
    broken = shutil.copytree(world / 'replayed', tmp_path / 'broken')
    (broken / file).write_text(text)
    with pytest.raises(InputError, match=words) as refused:
        read(broken)
    assert str(broken) in str(refused.value)


def test_a_place_number_that_would_fill_the_memory_is_refused(world, tmp_path):
    broken = shutil.copytree(world / 'replayed', tmp_path / 'broken')
    lines = (broken / 'recognitions.jsonl').read_text().splitlines()
    line = json.loads(lines[0])
    line['candidates'][0]['place'] = 2**31 - 1
    (broken / 'recognitions.jsonl').write_text(json.dumps(line))
    with pytest.raises(InputError, match='2147483647'):
        read(broken)


def test_a_folder_without_results_is_named(tmp_path):
    with pytest.raises(InputError, match=r'recognitions\.jsonl'):
        read(tmp_path)
    with pytest.raises(InputError, match='no such folder'):
        read(tmp_path / 'nothing')


def test_parameters_of_someone_else_set_no_limits(world, tmp_path):
    """Only what names images is taken over: no weights, no trust, no larger images."""
    other = shutil.copytree(world / 'replayed', tmp_path / 'other')
    text = (other / 'config.yaml').read_text()
    assert 'max_pixels: 50000000' in text and 'trust_map: false' in text
    text = text.replace('max_pixels: 50000000', 'max_pixels: 60000000')
    (other / 'config.yaml').write_text(text.replace('trust_map: false', 'trust_map: true'))
    config = read(other).config
    assert (config.max_pixels, config.trust_map) == (50_000_000, False)
