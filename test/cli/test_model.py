"""`placerec model list` and `placerec distil`: what they print, and what they refuse."""

from __future__ import annotations

from husky_placerec.descriptor.local.network import LocalNetwork
from husky_placerec.descriptor.published.presets import PRESETS
import pytest
from support.builders import track_rows, write_track_folder
from support.needs import needs


def test_the_list_has_every_preset_and_what_is_in_the_cache(placerec, tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    monkeypatch.setenv('TERM', 'dumb')  # 80 columns, whatever the terminal
    listed = placerec('model', 'list')
    assert listed.returncode == 0, listed.stderr
    rows = _rows(listed.stdout)
    assert set(rows) == set(PRESETS)
    salad = rows['salad']
    assert 'GPL-3.0; not stated' in salad[5] and 'sides multiples of 14' in salad[3]
    assert 'by hand' in rows['mixvpr'][6] and '320x320' in rows['mixvpr'][3]


def _rows(printed: str) -> dict[str, list[str]]:
    """Give the cells of each row by its name; the lines of a cell are joined."""
    rows: list[list[str]] = []
    for line in printed.splitlines():
        if line.startswith('│'):
            cells = [cell.strip() for cell in line.strip('│').split('│')]
            if cells[0]:
                rows.append(cells)
            else:
                rows[-1] = [' '.join(pair).strip() for pair in zip(rows[-1], cells, strict=True)]
    return {cells[0]: cells for cells in rows}


def test_a_listed_preset_tells_its_file(placerec, tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    listed = placerec('model', 'list', 'megaloc')
    assert 'https://huggingface.co/gberton/MegaLoc' in listed.stdout
    assert 'SHA-256 not known' in listed.stdout
    assert str(tmp_path / 'husky_placerec' / 'networks') in listed.stdout
    refused = placerec('model', 'list', 'megalok')
    assert refused.returncode == 2 and 'did you mean megaloc?' in refused.stderr


@needs('torch', 'timm', 'onnx', 'onnxruntime', 'safetensors', 'pytorch_metric_learning')
def test_a_student_is_measured_beside_its_teacher(placerec, tmp_path):
    for name in ('a', 'b'):
        write_track_folder(tmp_path / name, track_rows(20))
    (tmp_path / 'training.yaml').write_text('iterations: 2\nnorm: batch\nimages_a_session: 6\n')
    (tmp_path / 'teacher.yaml').write_text('extractor: hog\n')
    student = {'backbone': 'lcn_cnn', 'weights': 'random', 'pooling': 'gem:1x2', 'threads': 1}
    size = {'input_width': 64, 'input_height': 48}
    settings = [f'--set={name}={value}' for name, value in {**student, **size}.items()]
    drives = tmp_path / 'a', tmp_path / 'b'
    output = tmp_path / 'student.onnx'
    command = ['distil', tmp_path / 'teacher.yaml', *drives, '-o', output, *settings]
    ended = placerec(*command, '--training', tmp_path / 'training.yaml', '--measure', *drives)
    assert ended.returncode == 0, ended.stderr
    rows = [line.split('│') for line in ended.stdout.splitlines() if line.startswith('│')]
    assert [row[1].strip() for row in rows] == ['teacher', 'student', 'student, not taught']
    assert rows[0][3].strip() == '100.0 %'
    again = placerec(*command)
    assert again.returncode == 2 and 'exists already' in again.stderr


@pytest.mark.parametrize('teacher', ['megalok', 'no.yaml', 'no.onnx'])
@needs('torch', 'timm', 'onnx', 'onnxruntime', 'safetensors', 'pytorch_metric_learning')
def test_a_teacher_that_is_not_there_is_named(teacher, placerec, tmp_path):
    write_track_folder(tmp_path / 'a', track_rows(4))
    student = ['--set=backbone=lcn_cnn', '--set=weights=random']
    ended = placerec('distil', teacher, tmp_path / 'a', '-o', tmp_path / 'student.onnx', *student)
    assert ended.returncode == 2
    assert teacher.split('.')[0] in ended.stderr and not (tmp_path / 'student.onnx').exists()


@needs('torch', 'timm', 'onnx')
def test_any_network_gives_local_descriptors(placerec, tmp_path):
    drive = write_track_folder(tmp_path / 'drive', track_rows(24))
    file = tmp_path / 'cells.onnx'
    network = ('-s', 'backbone=lcn_cnn', '-s', 'weights=random', '-s', 'normalization=half')
    size = ('-s', 'input_width=160', '-s', 'input_height=96', '--width', '160', '--height', '96')
    done = placerec('model', 'local', drive, file, *network, *size)
    assert done.returncode == 0, done.stderr
    assert 'fitted to 48 images' in done.stdout
    assert LocalNetwork(str(file), threads=1).branches == ('features',)
    few = write_track_folder(tmp_path / 'few', track_rows(6))
    refused = placerec('model', 'local', few, tmp_path / 'few.onnx', *network, *size)
    assert refused.returncode == 2 and '12 images to fit a basis; expected 20' in refused.stderr
    assert not (tmp_path / 'few.onnx').exists()
