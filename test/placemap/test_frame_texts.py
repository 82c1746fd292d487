"""The texts of the frames of a track: as its labels say, or read in their boxes."""

from __future__ import annotations

from pathlib import Path

import cv2
from husky_placerec.config import make_config
from husky_placerec.data.source import decoded_frames, open_source
from husky_placerec.errors import InputError
from husky_placerec.placemap.frame_texts import frame_texts, FrameTexts
from husky_placerec.texts.encoders import fold
from husky_placerec.texts.ocr import SignReader
from husky_placerec.types import Frame
import numpy as np
import pytest
from support.builders import BACK, FRONT, track_rows, write_csv, write_track_folder
from support.signs import photograph, SIGNS

NEEDS = ('PIL',)
HEADER = ['path', 'quad', 'x0', 'y0', 'x1', 'y1', 'letter_px', 'whole', 'text']


def sign_row(stamp_ns, text, letter_px=20, whole=1, shown=None):
    quad = ' '.join(f'{value}' for corner in SIGNS[text][2] for value in corner)
    return [f'{stamp_ns}.png', quad, '', '', '', '', letter_px, whole, shown or text]


@pytest.fixture(scope='module')
def track(tmp_path_factory):
    """Return a track whose front camera sees signs; the labels are in the format of ITLP."""
    rows = track_rows(2)
    folder = write_track_folder(tmp_path_factory.mktemp('texts') / 'track', rows)
    stamp_ns = rows[0][1]
    cv2.imwrite(str(folder / 'front_cam' / f'{stamp_ns}.png'), photograph()[..., ::-1])
    labels = [
        sign_row(stamp_ns, 'АПТЕКА'),
        sign_row(stamp_ns, 'PIZZA', letter_px=7),
        sign_row(stamp_ns, 'ВЫХОД', whole=0),
        sign_row(stamp_ns, 'LIBRARY 12', letter_px='', whole='', shown='L' * 10_000),
        [f'{stamp_ns}.png', '', 118, 300, 330, 366, '', '', 'Столовая'],
        [f'{stamp_ns}.png', '', '', '', '', '', '', '', 'Касса'],  # noqa: RUF001
    ]
    write_csv(folder / 'text_labels' / 'front_cam_text_labels.csv', HEADER, labels)
    write_csv(folder / 'text_labels' / 'back_cam_text_labels.csv', HEADER, [])
    return folder


def texts_of(track, **parameters):
    config = make_config(parameters)
    with open_source(track) as drive:
        texts = FrameTexts(config, drive)
        found = [texts(frame) for frame in decoded_frames(drive, drive.frames(config))]
        return found, ' '.join(drive.problems.lines())


def test_labels_that_are_readable_are_taken_as_written(track):
    (first, second), problems = texts_of(track, texts='labels')
    assert [seen.text for seen in first] == ['АПТЕКА', 'Столовая', 'Касса']  # noqa: RUF001
    assert {(seen.camera, seen.confidence) for seen in first} == {(FRONT, 1.0)}
    corners = np.array(SIGNS['АПТЕКА'][2]) / (640, 400)
    np.testing.assert_allclose(first[0].quad, corners)
    assert first[1].quad[2] == (330 / 640, 366 / 400)
    assert first[2].quad is None
    assert 'text without a box: front_cam_text_labels.csv:7' in problems
    assert second == ()


def test_signs_are_read_in_the_corners_of_labels(track):
    try:
        SignReader()
    except InputError as error:
        pytest.skip(str(error))
    (first, second), _ = texts_of(track, texts='ocr')
    read = {fold(seen.text) for seen in first}
    assert {'АПТЕКА', 'LIBRARY 12'} <= {text for text in SIGNS if fold(text) in read}
    assert fold('PIZZA') not in read  # too small, as its label says
    assert second == ()


def test_what_has_no_boxes_needs_a_detector(track, tmp_path):
    with pytest.raises(InputError, match=r'the robot has no boxes.*masks, or with text_detector'):
        frame_texts(make_config({'texts': 'labels'}))
    with pytest.raises(InputError, match='the robot has no boxes'):
        frame_texts(make_config({'texts': 'ocr'}))
    broken = tmp_path / 'broken.onnx'
    broken.write_bytes(b'no network')
    for file in (broken, tmp_path / 'missing.onnx'):
        with pytest.raises(InputError, match=r'text_detector: .*\.onnx cannot be loaded'):
            frame_texts(make_config({'texts': 'ocr', 'text_detector': str(file)}))
    other = Path(__file__).parents[2] / 'husky_placerec' / 'models'
    model = next(path for path in sorted(other.glob('*.onnx')))
    with pytest.raises(InputError, match=r'text_detector: .* (gives|has the inputs)'):
        reading = frame_texts(make_config({'texts': 'ocr', 'text_detector': str(model)}))
        reading._detector.find(np.zeros((100, 160, 3), np.uint8))


def test_signs_are_read_where_a_mask_has_them():
    try:
        SignReader()
    except InputError as error:
        pytest.skip(str(error))
    image, mask = photograph(), np.zeros((400, 640), np.uint8)
    for text in ('АПТЕКА', 'LIBRARY 12'):
        cv2.fillConvexPoly(mask, np.int32(SIGNS[text][2]), 35)  # billboard of Mapillary Vistas
    cv2.fillConvexPoly(mask, np.int32(SIGNS['PIZZA'][2]), 17)  # building
    texts = frame_texts(make_config({'texts': 'ocr', 'masks': True}))
    found = texts(Frame(0, {FRONT: image}, {FRONT: 0}, {FRONT: mask}))
    assert {fold(seen.text) for seen in found} == {fold('АПТЕКА'), fold('LIBRARY 12')}
    assert texts(Frame(0, {FRONT: image}, {FRONT: 0})) == ()  # its mask has not come


def test_texts_are_off_by_default(track):
    assert frame_texts(make_config({})) is None
    assert BACK in make_config({}).cameras
