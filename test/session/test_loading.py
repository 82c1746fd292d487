"""Loading in a thread: what it returns and raises, and how it is interrupted."""

from __future__ import annotations

import threading

from husky_placerec.config import make_config
from husky_placerec.errors import InputError
from husky_placerec.recognition.recognizer import Recognizer
from husky_placerec.session import loading
import pytest


def test_an_empty_map_parameter_is_refused():
    with pytest.raises(InputError, match='parameter map: empty'):
        loading.load_in_thread(make_config({'map': ''}), lambda: True)


def test_a_map_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match=r'campus\.map'):
        loading.load_in_thread(make_config({'map': str(tmp_path / 'campus.map')}), lambda: True)


def test_any_failure_is_raised_where_the_caller_is(monkeypatch):
    def fail(config, tell):
        raise MemoryError('too large')

    monkeypatch.setattr(loading, 'load_recognizer', fail)
    with pytest.raises(MemoryError, match='too large'):
        loading.load_in_thread(make_config({}), lambda: True)


def test_the_caller_is_asked_until_all_is_loaded(monkeypatch):
    go_on, asked = threading.Event(), []
    monkeypatch.setattr(loading, 'load_recognizer', lambda config, tell: go_on.wait(5) and config)

    def goes_on():
        asked.append(None)
        if len(asked) == 3:
            go_on.set()
        return True

    config = make_config({})
    assert loading.load_in_thread(config, goes_on) is config
    assert 3 <= len(asked) <= 5


def test_loading_is_interrupted_when_the_process_shall_end(monkeypatch):
    go_on = threading.Event()
    monkeypatch.setattr(loading, 'load_recognizer', lambda config, tell: go_on.wait(5))
    with pytest.raises(loading.Interrupted):
        loading.load_in_thread(make_config({}), lambda: False)
    go_on.set()


def test_a_recognizer_is_loaded_and_warmed_up(map_path, monkeypatch):
    warmed = []
    monkeypatch.setattr(Recognizer, 'warm_up', lambda self: warmed.append(self))
    loaded = loading.load_recognizer(make_config({'map': str(map_path)}))
    assert warmed == [loaded]
    assert loaded.place_map.name == str(map_path)


def test_a_process_that_ends_does_not_wait_for_the_loading(monkeypatch):
    monkeypatch.setattr(loading, 'load_recognizer', lambda *_: threading.current_thread().daemon)
    assert loading.load_in_thread(make_config({}), lambda: True) is True
