"""The log of a session: a complete line for each frame, appended to a file."""

from __future__ import annotations

import json
from types import SimpleNamespace

from husky_placerec.config import make_config
from husky_placerec.errors import InputError
from husky_placerec.recognition.serialization import recognition_json
from husky_placerec.session.log import DECISIONS, log_line, open_log
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
    with open_log(str(path)) as log:
        log.write('é\n')
        assert path.read_text(encoding='utf-8') == 'before\né\n'  # written at once


def test_without_a_name_there_is_no_log_and_what_cannot_be_written_is_refused(tmp_path):
    assert open_log('') is None
    with pytest.raises(InputError, match='parameter recognitions_file: '):
        open_log(str(tmp_path / 'missing' / 'log.jsonl'))
