"""The cameras of a bag: intrinsics by CameraInfo, mountings by static TF, and what is wrong."""

from __future__ import annotations

from husky_placerec.cameras.known import cameras_of
from husky_placerec.config import make_config
from husky_placerec.data.bag import Bag
from husky_placerec.data.source import config_of_source
from husky_placerec.errors import InputError
from husky_placerec.types import Pose
import numpy as np
import pytest
from support.builders import compressed, encode, MS, smooth_image, START_NS
from support.camera_messages import camera_info, mounted, write_camera_bag

SIZE = (64, 36)
IMAGES = {'front': '/eyes/front/image_raw/compressed', 'back': '/eyes/back/image_raw/compressed'}
INFOS = {'front': '/eyes/front/camera_info', 'back': '/eyes/back/camera_info'}
FOCAL = {'front': 34.0, 'back': 45.0}
PARAMETERS = {f'camera.{name}.topic': topic for name, topic in IMAGES.items()}
PICTURE = encode(smooth_image(1, *SIZE))


def messages(count=3, size=SIZE, **infos):
    """Return images of both cameras, each with its CameraInfo; `front_later` changes the last."""
    found = []
    for i in range(count):
        for name, topic in IMAGES.items():
            stamp_ns = START_NS + i * 100 * MS
            last = infos.get(f'{name}_later', {}) if i == count - 1 else {}
            changes = {**infos.get(name, {}), **last}
            found.append((topic, compressed(stamp_ns, PICTURE)))
            info = {'frame_id': f'{name}_eye', 'focal': FOCAL[name], 'size': size, **changes}
            found.append((INFOS[name], camera_info(stamp_ns, **info)))
    return found


def rig(**yaws):
    return [('base_link', f'{name}_eye', mounted(yaw)) for name, yaw in yaws.items()]


def read(tmp_path, sent, *transforms, **parameters):
    config = make_config({**PARAMETERS, **parameters})
    with Bag(write_camera_bag(tmp_path / 'drive', sent, *transforms)) as bag:
        found, notes = config_of_source(bag, config)
    return found, notes


def test_camera_info_and_static_tf_fill_in_what_the_parameters_leave_open(tmp_path):
    found, notes = read(tmp_path, messages(), *rig(front=0, back=180))
    assert notes == []
    for name, camera in cameras_of(found).items():
        lens = camera.intrinsics
        assert (lens.fx, lens.cx, lens.cy, lens.width, lens.height) == (FOCAL[name], 32, 18, *SIZE)
        np.testing.assert_allclose(
            camera.mounting.as_array(), mounted(0 if name == 'front' else 180).as_array()
        )


def test_parameters_count_more_than_messages(tmp_path):
    given = {'camera.front.fx': 50.0, 'camera.front.width': 64, 'camera.front.height': 36}
    found, _ = read(tmp_path, messages(), **given)
    lenses = {name: camera.intrinsics for name, camera in cameras_of(found).items()}
    assert (lenses['front'].fx, lenses['back'].fx) == (50.0, FOCAL['back'])


def test_a_named_topic_is_read_and_one_that_is_missing_is_refused(tmp_path):
    moved = [(t.replace('/eyes/front/camera_info', '/odd'), m) for t, m in messages()]
    found, _ = read(tmp_path, moved, **{'camera.front.info_topic': 'odd'})
    assert cameras_of(found)['front'].intrinsics.fx == FOCAL['front']
    gone = make_config({**PARAMETERS, 'camera.back.info_topic': 'gone'})
    expected = r'no messages on /gone \(sensor_msgs/msg/CameraInfo\)'
    with Bag(tmp_path / 'drive') as bag, pytest.raises(InputError, match=expected):
        config_of_source(bag, gone)


def test_a_bag_without_camera_info_tells_nothing(tmp_path):
    sent = [(topic, message) for topic, message in messages() if topic in IMAGES.values()]
    found, notes = read(tmp_path, sent)
    assert (found, notes) == (make_config(PARAMETERS), [])


FAULTS = {
    'all zeros': (
        {'front': {'k': np.zeros(9), 'p': np.zeros(12)}},
        'CameraInfo of front on /eyes/front/camera_info: all zeros, the camera is not calibrated; '
        'it counts as not known',
    ),
    'focal length of 0': (
        {'front': {'focal': 0.0}},
        'CameraInfo of front on /eyes/front/camera_info: focal length fx is 0; expected more '
        'than 0; it counts as not known',
    ),
    'focal length that is none': (
        {'front': {'focal': np.nan}},
        'CameraInfo of front on /eyes/front/camera_info: focal length fx is nan; expected more '
        'than 0; it counts as not known',
    ),
    'focal length': (
        {'front': {'focal': -1.0}},
        'CameraInfo of front on /eyes/front/camera_info: focal length fx is -1; expected more '
        'than 0; it counts as not known',
    ),
    'coefficients': (
        {'front': {'d': np.zeros(7)}},
        'CameraInfo of front on /eyes/front/camera_info: 7 coefficients of plumb_bob; expected 0 '
        'or 4 or 5; it counts as not known',
    ),
    'another shape': (
        {'front': {'size': (64, 48)}},
        'CameraInfo of front: it is of images of 64x48 (by binning and region of interest), but '
        'those that came are 64x36; expected the same size, or the same shape; it counts as not '
        'known',
    ),
}


@pytest.mark.parametrize('fault', FAULTS)
def test_a_camera_info_that_cannot_be_is_told_in_a_sentence_and_left_out(tmp_path, fault):
    infos, note = FAULTS[fault]
    found, notes = read(tmp_path, messages(**infos))
    assert notes == [note]
    assert cameras_of(found)['front'].intrinsics is None
    assert cameras_of(found)['back'].intrinsics.fx == FOCAL['back']


def test_intrinsics_of_resized_images_are_scaled_and_told(tmp_path):
    found, notes = read(tmp_path, messages(size=(128, 72)))
    assert cameras_of(found)['front'].intrinsics.fx == FOCAL['front'] / 2
    assert [note.split(':')[0] for note in notes] == ['CameraInfo of front', 'CameraInfo of back']


def test_a_zoom_is_told_and_the_first_intrinsics_count(tmp_path):
    found, notes = read(tmp_path, messages(back_later={'focal': 60.0}))
    assert cameras_of(found)['back'].intrinsics.fx == FOCAL['back']
    assert notes == [
        f'CameraInfo of back on /eyes/back/camera_info changes at {START_NS + 200 * MS} '
        '(a zoom?); the first one is used for the whole drive'
    ]


AWAY = Pose.planar(1.0, 0.0, 0.0)
TF_FAULTS = {
    'missing': (rig(front=0), 'static TF has no way from base_link to back_eye'),
    'loop': (
        [*rig(front=0), ('mast', 'back_eye', AWAY), ('back_eye', 'mast', AWAY)],
        'static TF: back_eye and mast are in a loop',
    ),
    'two parents': (
        [*rig(front=0, back=180), ('mast', 'back_eye', AWAY)],
        'static TF: back_eye has two parents, base_link and mast',
    ),
    'no pose': (
        [*rig(front=0), ('base_link', 'back_eye', Pose(0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0))],
        'static TF: back_eye is in base_link at 0.1 0 0 0 0 0 0; expected finite x y z and a unit '
        'quaternion',
    ),
    'not finite': (
        [*rig(front=0), ('base_link', 'back_eye', Pose(np.nan, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0))],
        'static TF: back_eye is in base_link at nan 0 0 0 0 0 1; expected finite x y z',
    ),
    'not optical': (
        [*rig(front=0), ('base_link', 'back_eye', AWAY)],
        'static TF: back_eye looks up or down from base_link; expected an optical frame',
    ),
}


@pytest.mark.parametrize('fault', TF_FAULTS)
def test_a_mounting_that_static_tf_cannot_tell_is_told_in_a_sentence(tmp_path, fault):
    transforms, note = TF_FAULTS[fault]
    found, notes = read(tmp_path, messages(), *transforms)
    assert len(notes) == 1 and notes[0].startswith(note)
    assert notes[0].endswith('where camera back is counts as not known')
    assert cameras_of(found)['back'].mounting is None
    assert cameras_of(found)['front'].mounting is not None
    assert found.camera_config('front').opposite == 'back'  # as the parameters say


def test_two_cameras_of_one_optical_frame_have_no_mounting(tmp_path):
    same = {name: {'frame_id': 'front_eye'} for name in IMAGES}
    found, notes = read(tmp_path, messages(**same), *rig(front=0))
    assert notes == [
        'cameras front and back have one optical frame, front_eye; where they are counts as not '
        'known'
    ]
    assert all(camera.mounting is None for camera in cameras_of(found).values())


def test_the_mountings_tell_which_camera_looks_the_other_way(tmp_path):
    found, _ = read(tmp_path, messages(), *rig(front=0, back=90))
    assert [found.camera_config(name).opposite for name in IMAGES] == ['', '']
