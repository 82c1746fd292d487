"""The documentation as a site: it builds, and its navigation has every page."""

from __future__ import annotations

import os
import subprocess
import sys

import husky_placerec
from support.needs import needs
from support.paths import ROOT

DOCS = ROOT / 'docs'


@needs('mkdocs', 'material', 'mkdocstrings_handlers')
def test_the_site_builds_without_a_warning(tmp_path):
    environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'NO_MKDOCS_2_WARNING': '1'}
    built = subprocess.run(
        [sys.executable, '-m', 'mkdocs', 'build', '--strict', '--quiet', '-d', tmp_path / 'site'],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    assert (tmp_path / 'site' / 'first_map' / 'index.html').is_file()


def test_every_page_is_in_the_navigation():
    navigation = (ROOT / 'mkdocs.yml').read_text(encoding='utf-8').partition('nav:')[2]
    listed = {line.split(': ')[1] for line in navigation.splitlines() if line.endswith('.md')}
    assert listed == {page.name for page in DOCS.glob('*.md')}


def test_the_python_reference_has_every_public_name():
    page = (DOCS / 'python_reference.md').read_text(encoding='utf-8')
    listed = {line.split()[1] for line in page.splitlines() if line.startswith(':::')}
    modules = husky_placerec._MODULES
    assert listed == {f'husky_placerec.{modules[n]}.{n}' for n in husky_placerec.__all__}


def test_every_file_of_a_model_has_a_licence_and_a_place_in_the_model_card():
    models = ROOT / 'husky_placerec' / 'models'
    card = (models / 'README.md').read_text(encoding='utf-8')
    licences = (DOCS / 'licences.md').read_text(encoding='utf-8')
    files = {file.name for file in models.iterdir()} - {'README.md'}
    assert {name for name in files if f'{name}`' not in licences} == set()
    assert {name for name in files if f'`{name}`' not in card} == set()
