"""Distillation: a student learns what its teacher sees, goes on after a stop, is exported."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import make_config
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.errors import InputError
from husky_placerec.training.distillation.settings import DistillationSettings, read_settings
import numpy as np
import pytest
from support.builders import track_rows, write_track_folder
from support.trainings import PARAMETERS, read_numbers

NEEDS = 'torch', 'timm', 'pytorch_metric_learning', 'onnx', 'onnxruntime', 'safetensors'

STUDENT = make_config({**PARAMETERS, 'head': 0, 'input_width': 64, 'input_height': 48})
TEACHER = make_config({'extractor': 'hog'})
SETTINGS = DistillationSettings(
    iterations=6, images_a_session=8, validate_every=3, save_every=2, warm_up=1, norm='batch'
)


@pytest.fixture(scope='module')
def drives(tmp_path_factory):
    """Write two drives without poses."""
    folder = tmp_path_factory.mktemp('drives')
    for name in ('a', 'b'):
        write_track_folder(folder / name, track_rows(20))
    return [folder / 'a', folder / 'b']


def distil(drives, output, settings=SETTINGS, student=STUDENT, teacher=TEACHER, **options):
    from husky_placerec.training.distillation.run import distil as run

    said: list[str] = []
    how = {'resume': False, 'overwrite': False, **options}
    run(teacher, student, drives, output, settings, say=said.append, **how)
    return said


@pytest.fixture(scope='module')
def done(drives, tmp_path_factory):
    output = tmp_path_factory.mktemp('out') / 'student.onnx'
    return output, distil(drives, output)


def test_the_student_is_an_exported_network(done):
    output, said = done
    extractor = load_extractor(make_config({'extractor': 'onnx', 'weights': str(output)}))
    assert extractor.spec.backbone == STUDENT.backbone
    assert said[0] == '80 images of 4 sessions, 12 of them held out'
    agreements = read_numbers(output.with_suffix('.distillation') / 'agreement.csv')
    assert [each['iteration'] for each in agreements] == [0, 3, 6]


def test_a_stopped_distillation_ends_as_if_it_had_not_stopped(done, drives, tmp_path, monkeypatch):
    from husky_placerec.training.distillation.trainer import Distiller

    output, step = tmp_path / 'student.onnx', Distiller.step

    def stopped(self):
        if self.iteration == 4:
            raise KeyboardInterrupt
        return step(self)

    monkeypatch.setattr(Distiller, 'step', stopped)
    with pytest.raises(KeyboardInterrupt):
        distil(drives, output)
    assert not output.exists()
    monkeypatch.undo()
    said = distil(drives, output, resume=True)
    assert 'continues at iteration 4 of 6' in said
    losses = [
        read_numbers(each.with_suffix('.distillation') / 'loss.csv') for each in (done[0], output)
    ]
    assert losses[0] == losses[1]


def test_a_checkpoint_of_other_settings_is_refused(done, drives):
    other = replace(SETTINGS, learning_rate=0.1)
    with pytest.raises(InputError, match='of another teacher, student, settings or drives'):
        distil(drives, done[0], other, resume=True, overwrite=True)


@pytest.mark.parametrize(
    ('changes', 'expected'),
    [
        ({'output': 'student.pth'}, r'expected a name that ends in \.onnx'),
        ({'student': make_config({'extractor': 'hog'})}, 'student: extractor hog'),
        ({'teacher': replace(STUDENT, fusion='add')}, 'teacher: its fusion mixes the cameras'),
    ],
)
def test_the_error_names_what_does_not_fit(changes, expected, drives, tmp_path):
    output = tmp_path / str(changes.pop('output', 'student.onnx'))
    with pytest.raises(InputError, match=expected):
        distil(drives, output, **changes)


def test_too_few_images_are_refused(tmp_path):
    write_track_folder(tmp_path / 'short', track_rows(6))
    with pytest.raises(InputError, match='12 images; expected 40 or more'):
        distil([tmp_path / 'short'], tmp_path / 'student.onnx')


def test_the_loss_is_least_for_the_teachers_similarities():
    from husky_placerec.training.distillation.loss import DistillationLoss
    import torch

    torch.manual_seed(0)
    teacher = torch.nn.functional.normalize(torch.randn(6, 5), dim=1)
    turned = teacher @ torch.linalg.qr(torch.randn(5, 5))[0]  # other vectors, equal similarities
    other = torch.nn.functional.normalize(torch.randn(6, 5), dim=1)
    parts = {
        name: DistillationLoss(
            **{**dict.fromkeys(('direct', 'relational', 'neighbours'), 0.0), name: 1.0},
            temperature=0.1,
        )
        for name in ('direct', 'relational', 'neighbours')
    }
    for name, loss in parts.items():
        same, different = loss(turned, teacher, teacher), loss(other, other, teacher)
        assert float(same) < 1e-5 < 0.01 < float(different), name
    assert float(parts['direct'](turned, turned, teacher)) > 0.1


def test_agreement_is_the_share_of_common_neighbours():
    from husky_placerec.training.distillation.agreement import agreement

    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(30, 8)).astype(np.float32)
    vectors -= vectors.mean(0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    shifted = vectors * 0.1 + 0.9  # what is common to a session does not count
    rows = [np.arange(30)]
    from husky_placerec.descriptor.fusion import normalize

    centred = normalize(vectors - vectors.mean(0))
    assert agreement([centred], [shifted], rows) == pytest.approx(1, abs=0.02)
    random = rng.normal(size=(30, 8)).astype(np.float32)
    assert agreement([centred], [random], rows) == pytest.approx(10 / 29, abs=0.12)


def test_a_student_learns_to_agree(drives, tmp_path):
    settings = replace(
        SETTINGS,
        iterations=40,
        validate_every=40,
        learning_rate=0.003,
        light=0.0,
        geometry=0.0,
        occlusion=0.0,
        held_out=0.3,
    )
    distil(drives, tmp_path / 'student.onnx', settings)
    losses = read_numbers(tmp_path / 'student.distillation' / 'loss.csv')
    first, last = (np.mean([each['loss'] for each in part]) for part in (losses[:5], losses[-5:]))
    assert last < 0.8 * first


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('iteration: 5', 'has iteration; expected settings among seed, iterations'),
        ('iterations: many', "iterations is 'many'; expected int"),
        ('[1]', 'expected settings among'),
        ('norm: none', "norm is 'none'; expected one of batch, stored"),
    ],
)
def test_the_error_names_a_wrong_setting(text, expected, tmp_path):
    file = tmp_path / 'settings.yaml'
    file.write_text(text)
    with pytest.raises(InputError, match=expected):
        read_settings(file)
