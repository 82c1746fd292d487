"""Segmentation networks: what they say of an image, within what time, and which are refused."""

from __future__ import annotations

import threading

from husky_placerec.errors import InputError
from husky_placerec.semantics.segmenter import Segmenter, TimedSegmenter
from husky_placerec.semantics.tables import tables
import numpy as np
import pytest
from support.segmentation import half_bright, write_segmentation

NEEDS = ('onnx', 'onnxruntime')
VISTAS = tables()['vistas']
IMAGE, CLASSES = half_bright()


@pytest.mark.parametrize(
    'form',
    [{}, {'numbers': True}, {'size': None}, {'first': False}, {'names': list(VISTAS.names)}],
    ids=str,
)
def test_a_network_gives_each_pixel_its_class_at_the_size_of_the_image(form, tmp_path):
    network = Segmenter(write_segmentation(tmp_path / 'a.onnx', **form), VISTAS)
    found = network.segment({'front': IMAGE})['front']
    assert found.shape == CLASSES.shape
    assert (found == CLASSES).mean() > 0.95  # the edge is that of the small image


@pytest.mark.parametrize(
    ('form', 'said'),
    [
        ({'classes': 19, 'bright': 13, 'dark': 2}, r'\[1, 19, 12, 20\].* would fit cityscapes'),
        ({'numbers': True, 'classes': 99, 'dark': 98}, 'the numbers 98; expected 0 to 64'),
        ({'names': ['road', 'car']}, 'its classes are road, car.*mask_classes is vistas'),
    ],
)
def test_a_network_of_other_classes_than_its_table_is_refused_when_it_is_loaded(
    form, said, tmp_path
):
    with pytest.raises(InputError, match=said):
        Segmenter(write_segmentation(tmp_path / 'a.onnx', **form), VISTAS)


@pytest.mark.parametrize('name', ['a.onnx', 'a.tflite', 'a.pth', 'missing.onnx'])
def test_what_is_no_network_is_refused(name, tmp_path):
    if name == 'a.tflite':
        pytest.importorskip('ai_edge_litert')
    if not name.startswith('missing'):
        (tmp_path / name).write_bytes(b'nothing')
    with pytest.raises(InputError, match=name):
        Segmenter(tmp_path / name, VISTAS)


class Waiting:
    """Segments when it is told to."""

    def __init__(self):
        self.go = threading.Event()

    def segment(self, images):
        if 'back' in images:
            self.go.wait(10)
        return dict.fromkeys(images, CLASSES)


def test_a_frame_waits_no_longer_than_the_budget_and_takes_what_is_ready():
    slow = Waiting()
    timed = TimedSegmenter(slow, 0.05)
    both = {'front': IMAGE, 'back': IMAGE}
    assert list(timed.segment(both)) == ['front']  # the back image is not done
    assert timed.segment({'front': IMAGE}) == {}  # it still works at the frame before
    slow.go.set()
    timed._work.result(10)
    assert list(timed.segment(both)) == ['front', 'back']


def test_a_network_that_fails_costs_the_masks_alone():
    class Broken:
        def segment(self, images):
            raise RuntimeError('out of memory')

    timed = TimedSegmenter(Broken(), 1.0)
    assert timed.segment({'front': IMAGE}) == {}
    assert (timed.failures, timed.problem) == (1, 'RuntimeError: out of memory')


def test_a_published_network_finds_the_person_in_a_photograph(deeplab):
    """DeepLab v3 on MobileNetV2, of PASCAL VOC, and a portrait that comes with Matplotlib."""
    pytest.importorskip('ai_edge_litert')
    cbook = pytest.importorskip('matplotlib.cbook')
    import cv2

    with cbook.get_sample_data('grace_hopper.jpg') as file:
        photo = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    voc = tables()['voc']
    found = Segmenter(deeplab, voc).classes(np.ascontiguousarray(photo))
    person = found == voc.names.index('person')
    height, width = person.shape
    assert 0.3 < person.mean() < 0.8
    assert person[height // 2, width // 2]
    assert person[: height // 3, width * 4 // 5 :].mean() < 0.05  # the wall beside the head
    with pytest.raises(InputError, match='deeplab'):
        Segmenter(deeplab.with_name('labels.txt'), voc)
