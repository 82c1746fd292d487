"""`placerec download`: the sources are named; what cannot be fetched says how to get it."""

import os
import subprocess
import sys

import pytest


def test_the_official_sources_and_the_licence_are_named(placerec):
    result = placerec('download', 'itlp')
    assert result.returncode == 0
    for words in (
        'CC BY 4.0',
        'huggingface.co/datasets/OPR-Project/ITLP-Campus-Outdoor',
        'kaggle',
    ):
        assert words in result.stdout


def test_an_unknown_name_lists_those_there_are(placerec):
    result = placerec('download', 'kitti')
    assert result.returncode == 2
    assert 'kitti: no such data set; there are: itlp' in result.stderr


def test_a_hub_that_is_not_reached_ends_in_one_error_that_says_how_to_go_on(tmp_path):
    pytest.importorskip('huggingface_hub')
    command = [sys.executable, '-m', 'husky_placerec.cli', 'download', 'itlp', '-o', 'itlp']
    nowhere = {**os.environ, 'HF_ENDPOINT': 'http://127.0.0.1:9', 'HF_HOME': str(tmp_path)}
    nowhere['PYTHONPATH'] = os.pathsep.join(filter(None, sys.path))
    result = subprocess.run(
        command, env=nowhere, cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 2
    assert 'Traceback' not in result.stderr
    (error,) = [line for line in result.stderr.splitlines() if line.startswith('error: ')]
    assert 'cannot be reached' in error
    assert 'by hand from https://huggingface.co/datasets/OPR-Project' in error


def test_without_the_hubs_client_it_says_what_to_install(placerec, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'huggingface_hub', None)
    result = placerec('download', 'itlp', '-o', tmp_path / 'itlp')
    assert result.returncode == 2
    assert 'pip install husky_placerec[hub]' in result.stderr
    assert 'by hand' in result.stderr


def test_what_is_fetched_is_that_data_set_into_that_folder(placerec, tmp_path, monkeypatch):
    hub = pytest.importorskip('huggingface_hub')
    asked = {}
    monkeypatch.setattr(
        hub, 'snapshot_download', lambda name, **options: asked.update(options, name=name)
    )
    result = placerec('download', 'itlp', '-o', tmp_path / 'itlp', '--only', '00_*')
    assert result.returncode == 0, result.stderr
    assert asked['name'] == 'OPR-Project/ITLP-Campus-Outdoor'
    assert asked['repo_type'] == 'dataset'
    assert (asked['local_dir'], asked['allow_patterns']) == (tmp_path / 'itlp', '00_*')
