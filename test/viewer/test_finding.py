"""Where drives and maps are that results name, and where nobody looks."""

from __future__ import annotations

from husky_placerec.viewer.finding import Finder
from husky_placerec.viewer.settings import is_local, Settings
import pytest


@pytest.fixture
def folders(tmp_path):
    for name in ('work/out/results', 'work/drives/summer', 'moved/summer', 'secret/summer'):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def test_a_path_is_found_where_it_was(folders, monkeypatch):
    named = folders / 'work/drives/summer'
    assert Finder().find(str(named)) == named
    monkeypatch.chdir(folders / 'work')
    assert Finder().find('drives/summer').resolve() == named


def test_a_relative_path_is_found_from_a_folder_above_the_results(folders, monkeypatch):
    monkeypatch.chdir(folders / 'secret')
    finder = Finder(beside=folders / 'work/out/results')
    assert finder.find('drives/summer') == folders / 'work/drives/summer'


def test_a_drive_that_moved_is_found_where_the_user_says(folders):
    gone = '/no/such/summer'
    assert Finder().find(gone) is None
    for given in ('moved', 'moved/summer'):
        assert Finder((folders / given,)).find(gone) == folders / 'moved/summer'


def test_what_the_user_names_comes_before_what_the_results_name(folders):
    named = str(folders / 'work/drives/summer')
    assert Finder((folders / 'moved',)).find(named) == folders / 'moved/summer'


def test_a_confined_page_finds_nothing_outside_of_what_was_given(folders):
    secret = str(folders / 'secret/summer')
    results = folders / 'work/out/results'
    assert Finder(beside=results).find(secret) is not None
    assert Finder(beside=results, confined=True).find(secret) is None
    assert Finder(beside=results, confined=True).find('../../secret/summer') is None
    given = Finder((folders / 'secret',), results, confined=True)
    assert given.find(secret) == folders / 'secret/summer'


def test_a_confined_page_follows_no_link_outside(folders):
    (folders / 'moved/link').symlink_to(folders / 'secret/summer')
    finder = Finder((folders / 'moved',), confined=True)
    assert finder.find('/no/such/link') is None
    assert Finder((folders / 'moved',)).find('/no/such/link') is not None


@pytest.mark.parametrize('name', ['x' * 5000, 'a\0b'])
def test_a_name_that_is_no_path_is_not_found(name):
    assert Finder().find(name) is None


def test_settings_come_through_the_command_line_of_the_script(folders):
    for map_path in (None, folders / 'a map'):
        made = Settings((folders / 'work', folders), map_path, (folders / 'ü "x"',), True, True)
        assert Settings.from_arguments(made.as_arguments()) == made


@pytest.mark.parametrize(
    ('address', 'local'),
    [
        *(('localhost', True), ('127.0.0.1', True), ('127.1.2.3', True), ('::1', True)),
        *(('0.0.0.0', False), ('192.168.1.7', False), ('::', False), ('robot.example', False)),
    ],
)
def test_only_this_machine_is_local(address, local):
    assert is_local(address) is local
