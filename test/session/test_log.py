"""The log of a session: a complete line for each frame, appended to a file."""

from __future__ import annotations

import errno
import json
import os
import threading
import time
from types import SimpleNamespace

from husky_placerec.config import make_config
from husky_placerec.errors import InputError
from husky_placerec.recognition.serialization import recognition_json
from husky_placerec.session import log as log_module
from husky_placerec.session.log import DECISIONS, log_line, MOST_WAITING, open_log
import pytest
from support.builders import planar, START_NS
from support.sessions import recognition


def test_a_line_has_the_decision_and_all_that_it_depends_on():
    config = make_config({'min_similarity': 0.3})
    odometry = [(START_NS - 1, planar(1.0, 2.0, 90.0))]
    place_map = SimpleNamespace(version='abc')
    line = log_line(recognition(), True, odometry, place_map, config)
    assert line.endswith('}\n') and line.count('\n') == 1
    values = json.loads(line)
    assert values['forgot'] is True
    assert values['map_version'] == 'abc'
    assert values['odometry'] == [[START_NS - 1, *planar(1.0, 2.0, 90.0).as_array().tolist()]]
    assert values['parameters'] == {name: getattr(config, name) for name in DECISIONS}
    assert values['parameters']['min_similarity'] == 0.3
    assert {'candidates', 'contradiction', 'usual_speed'} <= set(DECISIONS)
    assert 'max_rate' not in DECISIONS
    said = json.loads(json.dumps(recognition_json(recognition())))
    assert {name: values[name] for name in said} == said


def test_a_log_is_appended_to_line_by_line(tmp_path):
    path = tmp_path / 'log.jsonl'
    path.write_text('before\n')
    log = open_log(str(path))
    log.write('é\n')
    log.close()
    assert path.read_text(encoding='utf-8') == 'before\né\n'
    assert (log.lost, log.told_problem()) == (0, '')


def test_without_a_name_there_is_no_log_and_what_cannot_be_written_is_refused(tmp_path):
    assert open_log('') is None
    with pytest.raises(InputError, match='parameter recognitions_file: '):
        open_log(str(tmp_path / 'missing' / 'log.jsonl'))


def test_a_fifo_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / 'log')
    with pytest.raises(InputError, match=r'recognitions_file: .*log is a FIFO; expected a file'):
        open_log(str(tmp_path / 'log'))


def test_a_full_disk_loses_lines_and_says_so_but_fails_nothing():
    log = open_log('/dev/full')
    for _ in range(3):
        log.write('a line\n')
    log.close()
    assert log.lost == 3
    told = log.told_problem()
    assert 'recognitions_file /dev/full: No space left on device; 3 lines are lost' in told
    assert 'make room' in told
    assert log.told_problem() == ''


def test_a_line_that_is_half_written_is_removed(tmp_path, monkeypatch):
    """A disk that fills up within a line takes a part of it; none can be had here."""
    path, write, room = tmp_path / 'log.jsonl', os.write, [6 + 4]

    def partly(handle, data):
        if not room[0]:
            raise OSError(errno.ENOSPC, 'No space left on device')
        count = write(handle, data[: room[0]])
        room[0] -= count
        return count

    monkeypatch.setattr(os, 'write', partly)
    log = open_log(str(path))
    log.write('first\n')
    log.write('second\n')
    while not log.lost:
        time.sleep(0.001)
    room[0] = 100
    log.write('third\n')
    log.close()
    assert path.read_text() == 'first\nthird\n'
    assert log.lost == 1


def test_a_disk_that_hangs_delays_nobody(tmp_path, monkeypatch):
    go_on, write = threading.Event(), os.write
    monkeypatch.setattr(os, 'write', lambda *args: go_on.wait(10) and write(*args))
    monkeypatch.setattr(log_module, 'CLOSE_S', 0.01)
    log = open_log(str(tmp_path / 'log.jsonl'))
    for _ in range(MOST_WAITING + 10):
        log.write('a line\n')
    assert log.lost >= 9  # the thread has taken one at most
    assert 'too slow' in log.told_problem()
    log.close()
    go_on.set()
