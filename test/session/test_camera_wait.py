"""The wait for CameraInfo at the start: a second at most, and said when none comes."""

from __future__ import annotations

from husky_placerec.cameras.known import cameras_of
from husky_placerec.config import make_config
from husky_placerec.errors import InputError
from husky_placerec.session.camera_wait import CameraWait
from husky_placerec.types import Pose
import numpy as np
from support.builders import frame
from support.camera_messages import camera_info, mounted

TOPICS = {'front': '/front/image_raw', 'back': '/back/image_raw'}
PICTURE = np.zeros((36, 64, 3), np.uint8)


class Heard:
    """What a CameraWait hands on."""

    def __init__(self, topics=TOPICS, refused=''):
        self.stored, self.said, self.warned, self.seen = [], [], [], []
        self.refused = refused
        self.wait = CameraWait(
            make_config({}),
            topics,
            decode=lambda message: message,
            look_through=self.look_through,
            store=self.stored.append,
            tell=self.said.append,
            warn=self.warned.append,
        )

    def look_through(self, config):
        if self.refused:
            raise InputError(self.refused)
        self.seen.append(cameras_of(config))
        return 'images: as told'

    def info(self, camera, now_s, **values):
        info = camera_info(frame_id=f'{camera}_eye', size=(64, 36), focal=34.0, **values)
        self.wait.add_info(camera, info, f'/{camera}/camera_info', now_s)


def pictures(number):
    return frame(number, front=PICTURE, back=PICTURE)


def test_frames_wait_until_every_camera_has_told_its_intrinsics_and_none_is_lost():
    heard = Heard()
    heard.info('front', 0.0)
    for number in range(3):
        assert heard.wait.add_frame(pictures(number), 0.1 * number)
    assert heard.stored == []
    heard.info('back', 0.4)
    assert [each.stamp_ns for each in heard.stored] == [0, 1, 2]
    (known,) = heard.seen
    assert [known[name].intrinsics.fx for name in TOPICS] == [34.0, 34.0]
    assert (heard.said, heard.warned) == (['images: as told'], [])
    heard.wait.add_frame(pictures(3), 0.5)
    assert heard.stored[-1].stamp_ns == 3


def test_no_frame_waits_longer_than_a_second_and_it_is_said_what_is_missing():
    heard = Heard()
    heard.info('front', 0.0)
    heard.wait.add_frame(pictures(0), 10.0)
    heard.wait.check(10.99)
    assert heard.stored == []
    heard.wait.check(11.0)
    assert [each.stamp_ns for each in heard.stored] == [0]
    assert heard.warned == [
        'no CameraInfo of back came within 1 s; the intrinsics that the map was built with are '
        'used; set camera.<name>.info_topic'
    ]


def test_a_camera_info_that_comes_late_counts_from_then_on():
    heard = Heard()
    heard.wait.add_frame(pictures(0), 0.0)
    heard.wait.check(1.0)
    heard.info('back', 5.0)
    assert [seen['back'].intrinsics is not None for seen in heard.seen] == [False, True]


def test_only_the_first_camera_info_of_a_camera_counts():
    heard = Heard({'front': TOPICS['front']})
    heard.wait.add_frame(pictures(0), 0.0)
    heard.info('front', 0.1)
    heard.info('front', 0.2, k=np.array([50.0, 0, 32, 0, 50, 18, 0, 0, 1]))
    assert [seen['front'].intrinsics.fx for seen in heard.seen] == [34.0]


def test_static_tf_that_comes_late_counts_from_then_on():
    heard = Heard()
    heard.wait.add_frame(pictures(0), 0.0)
    for camera in TOPICS:
        heard.info(camera, 0.1)
    for camera, yaw in (('front', 0), ('back', 180)):
        heard.wait.add_transforms(
            lambda tree, c=camera, y=yaw: tree.add('base_link', f'{c}_eye', mounted(y, 180))
        )
    assert heard.seen[0]['front'].mounting is None
    assert heard.seen[-1]['back'].turns == 2


def test_static_tf_that_tells_no_pose_is_told_once_and_frames_go_on():
    heard = Heard({'front': TOPICS['front']})
    heard.wait.add_frame(pictures(0), 0.0)
    heard.info('front', 0.1)
    for frame_id in ('front_eye', 'mast'):
        heard.wait.add_transforms(
            lambda tree, f=frame_id: tree.add('base_link', f, Pose(0, 0, 0, 0, 0, 0, 0))
        )
    assert heard.warned == [
        'static TF: front_eye is in base_link at 0 0 0 0 0 0 0; expected finite x y z and a unit '
        'quaternion; where camera front is counts as not known'
    ]
    assert heard.seen[-1]['front'].mounting is None
    assert heard.wait.add_frame(pictures(1), 1.0)


def test_images_of_another_shape_than_their_camera_info_are_told():
    heard = Heard({'front': TOPICS['front']})
    heard.wait.add_frame(frame(0, front=np.zeros((48, 64, 3), np.uint8)), 0.0)
    heard.info('front', 0.1)
    assert heard.seen[0]['front'].intrinsics is None
    assert heard.warned[0].startswith('CameraInfo of front: it is of images of 64x36')


def test_cameras_that_do_not_fit_the_map_are_told_and_nothing_is_recognised():
    heard = Heard(refused='camera back: too narrow')
    for camera in TOPICS:
        heard.info(camera, 0.0)
    assert not heard.wait.add_frame(pictures(0), 0.1)
    assert not heard.wait.add_frame(pictures(1), 0.2)
    assert heard.stored == []
    assert heard.wait.refusal == 'camera back: too narrow'
    assert heard.warned == ['camera back: too narrow; nothing is recognised']


def test_where_nothing_is_wanted_nothing_waits():
    heard = Heard({})
    assert heard.wait.add_frame(pictures(0), 0.0)
    assert len(heard.stored) == 1
