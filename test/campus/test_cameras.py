"""The cameras of the simulated robot: geometry, masks, signs and what goes wrong with them."""

from __future__ import annotations

from dataclasses import replace
import math
from pathlib import Path

import cv2
from husky_placerec.campus import labels, numeric
from husky_placerec.campus.camera import Camera
from husky_placerec.campus.conditions import CONDITIONS
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.faults import fault_named, FAULTS
from husky_placerec.campus.light import light_of
from husky_placerec.campus.photographer import encoded_pictures, Photographer
from husky_placerec.campus.picture import Picture
from husky_placerec.campus.rig import BACK, CameraModel, FRONT, HUSKY_RIG, IDENTICAL_RIG
from husky_placerec.campus.shadow import ShadowMaker
from husky_placerec.campus.signs import CHAINS, COMMON, CYRILLIC, LATIN
from husky_placerec.campus.sun_depths import BLOCK_PX
from husky_placerec.campus.terrain import STEEPEST
from husky_placerec.campus.traffic import Traffic
from husky_placerec.campus.world import Campus
from husky_placerec.errors import InputError
from husky_placerec.types import Pose
import numba
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

NEEDS = ('numba',)

CONFIG = DriveConfig(length_m=60.0, width=320, height=180)
GROUND = (labels.ROAD, labels.SIDEWALK, labels.TERRAIN, labels.CURB)


@pytest.fixture(scope='module')
def photographer() -> Photographer:
    return Photographer(CONFIG)


@pytest.fixture(scope='module')
def pictures(photographer: Photographer) -> dict[str, Picture]:
    return photographer.pictures(7)


def in_body(camera: CameraModel, ahead_m: float, left_m: float, up_m: float) -> list[float]:
    """Return a point that is told from the camera on the robot, along the robot's axes."""
    turn = math.radians(camera.yaw_deg)
    x = camera.x_m + math.cos(turn) * ahead_m - math.sin(turn) * left_m
    y = math.sin(turn) * ahead_m + math.cos(turn) * left_m
    return [x, y, camera.height_m + up_m]


@pytest.mark.parametrize('size', [(1280, 720), (640, 360), (160, 120)])
@pytest.mark.parametrize('pitch_deg', [-8.0, 0.0, 15.0])
@pytest.mark.parametrize('model', HUSKY_RIG)
def test_points_project_where_the_intrinsics_say(
    model: CameraModel, pitch_deg: float, size: tuple[int, int]
) -> None:
    model = replace(model, pitch_deg=pitch_deg)
    body = Rotation.from_euler('ZYX', [130, 12, -5], degrees=True)  # on a slope
    pose = Pose(30.0, -20.0, 4.0, *body.as_quat())
    camera = Camera.at(pose, model, size)
    fx, fy, cx, cy = model.intrinsics(*size)
    assert fx == fy == model.focal_px * size[0] / 1280
    assert (cx, cy) == (size[0] / 2, size[1] / 2)
    pitch = math.radians(pitch_deg)
    for ahead_m, left_m, up_m in ((5.0, 0.0, 0.0), (8.0, 1.5, 0.7), (12.0, -3.0, -0.6)):
        point = pose.as_array()[:3] + body.apply(in_body(model, ahead_m, left_m, up_m))
        right, down, depth = camera.matrix @ np.append(point, 1)
        expected_depth = ahead_m * math.cos(pitch) - up_m * math.sin(pitch)
        expected_down = -up_m * math.cos(pitch) - ahead_m * math.sin(pitch)
        assert depth == pytest.approx(expected_depth, abs=1e-3)
        assert fx * right / depth + cx == pytest.approx(-left_m * fx / depth + cx, abs=0.1)
        assert fy * down / depth + cy == pytest.approx(
            fy * expected_down / expected_depth + cy, abs=0.1
        )


def test_what_is_drawn_is_where_it_projects(photographer: Photographer) -> None:
    # The ground below the horizon, not above it: pitch and height put the line where it is.
    for model in HUSKY_RIG:
        mask = photographer.pictures(7)[model.name].mask
        _, fy, _, cy = model.intrinsics(CONFIG.width, CONFIG.height)
        horizon = cy - fy * math.tan(math.radians(model.pitch_deg))
        rows = np.flatnonzero((mask == labels.ROAD).any(axis=1))
        hill = fy * STEEPEST
        assert horizon - hill - 1 < rows[0] < horizon + hill + 8


def test_the_cameras_are_unlike_unless_told(pictures: dict[str, Picture]) -> None:
    assert tuple(pictures) == ('front', 'back')
    unlike = ('focal_px', 'height_m', 'pitch_deg', 'bumper', 'frame_id')
    assert all(getattr(FRONT, name) != getattr(BACK, name) for name in unlike)
    front, back = IDENTICAL_RIG
    assert (front, back.name, back.frame_id, back.yaw_deg) == (FRONT, 'back', BACK.frame_id, 180)
    assert all(getattr(back, name) == getattr(FRONT, name) for name in unlike[:4])
    identical = Photographer(replace(CONFIG, identical_cameras=True)).pictures(7)
    np.testing.assert_array_equal(identical['front'].image, pictures['front'].image)
    ego = {
        name: picture.mask == labels.EGO_VEHICLE
        for name, picture in {**pictures, 'as front': identical['back']}.items()
    }
    np.testing.assert_array_equal(ego['front'], ego['as front'])
    assert (ego['front'] != ego['back']).any()


def test_the_robot_sees_its_bumper(pictures: dict[str, Picture]) -> None:
    for picture in pictures.values():
        ego = picture.mask == 64
        assert ego[-1].all()
        assert 0.04 < ego.mean() < 0.08
        assert not ego[: int(0.9 * len(ego))].any()
        assert picture.image[ego].mean() < 0.7 * picture.image[~ego].mean()


@pytest.mark.parametrize(('condition', 'lawn'), [('summer_day', 29), ('winter_day', 28)])
def test_masks_say_what_is_seen(photographer: Photographer, condition: str, lawn: int) -> None:
    photographer.condition = CONDITIONS[condition]
    names = {value for name, value in vars(labels).items() if name.isupper()}
    for picture in photographer.pictures(7).values():
        mask = picture.mask
        assert (mask.dtype, mask.shape) == (np.uint8, picture.image.shape[:2])
        assert set(np.unique(mask)) <= names
        height = len(mask)
        assert (mask[: height // 3] == labels.SKY).mean() > 0.1
        assert not np.isin(mask[: height // 3], GROUND).any()
        assert not (mask[int(0.6 * height) :] == labels.SKY).any()
        assert (mask[int(0.7 * height) : int(0.9 * height)] == labels.ROAD).mean() > 0.7
        assert (mask == lawn).any() and not (mask == 28 + 29 - lawn).any()
    photographer.condition = CONDITIONS[CONFIG.condition]


def test_pictures_do_not_depend_on_those_before(photographer: Photographer) -> None:
    # From one end of the drive to the other, so that the map of the shadows is made anew.
    first, _, again = (photographer.pictures(frame) for frame in (0, 19, 0))
    for camera, picture in first.items():
        np.testing.assert_array_equal(picture.image, again[camera].image)


def test_the_bounds_of_a_shadow_hold_for_what_is_filtered_there() -> None:
    campus = Campus(CONFIG.seed)
    holes = np.ascontiguousarray(campus.textures.layers[..., 3])
    place = campus.route.at(0.0)
    pose = Pose(place.x, place.y, 0.0, 0.0, 0.0, 0.0, 1.0)
    cars = Traffic(campus, 0).seen_from(place.x, place.y, 0.0)
    light = light_of(CONDITIONS['summer_day'])
    maker = ShadowMaker(holes)
    alone, shadow = (maker.shadow(pose, light, campus.scene, mesh) for mesh in (cars[:0], cars))
    assert (shadow.depths <= alone.depths).all() and (shadow.depths < alone.depths).any()
    around = np.ones((BLOCK_PX + 2, BLOCK_PX + 2), np.uint8)
    least, greatest = (
        change(shadow.depths, around, anchor=(1, 1))[::BLOCK_PX, ::BLOCK_PX]
        for change in (cv2.erode, cv2.dilate)
    )
    np.testing.assert_array_equal(shadow.nearest, least)
    assert (shadow.farthest >= greatest).all() and (shadow.farthest == greatest).mean() > 0.9


def test_compiled_code_is_renewed_when_any_source_of_the_campus_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numba.config, 'CACHE_DIR', str(tmp_path))

    def double(numbers: np.ndarray) -> None:
        numbers[0] *= 2

    def taken_from_cache() -> bool:
        function = numeric.compiled(double)
        function(np.ones(1))
        return bool(function.stats.cache_hits)

    assert [taken_from_cache(), taken_from_cache()] == [False, True]
    monkeypatch.setattr(numeric, '_SOURCES', 'others')
    assert not taken_from_cache()


def test_signs_are_found_with_their_words(photographer: Photographer) -> None:
    found = set()
    for frame in range(0, 20, 4):
        for picture in photographer.pictures(frame).values():
            for sign in picture.signs:
                x0, y0, x1, y1 = sign.box
                inside = picture.mask[y0:y1, x0:x1] == labels.BILLBOARD
                assert inside.shape == (y1 - y0, x1 - x0)
                assert inside.sum() >= 60
                assert all(edge.any() for edge in (inside[0], inside[-1]))
                assert all(edge.any() for edge in (inside[:, 0], inside[:, -1]))
                assert sign.text.split()[0] in [*LATIN, *CYRILLIC, *COMMON, *CHAINS]
                found.add(sign.text)
    assert len(found) >= 2


@pytest.mark.parametrize('name', FAULTS)
def test_faults_change_one_camera_or_all(name: str, pictures: dict[str, Picture]) -> None:
    for fault, spoilt_cameras in ((f'{name}:back', ('back',)), (name, ('front', 'back'))):
        for camera, picture in pictures.items():
            spoilt, again = (
                fault_named(fault).applied(picture, camera, seeded(1), seeded(2)) for _ in range(2)
            )
            if camera not in spoilt_cameras:
                assert spoilt is picture
                continue
            np.testing.assert_array_equal(spoilt.image, again.image)
            np.testing.assert_array_equal(spoilt.mask, picture.mask)
            assert spoilt.signs == picture.signs
            assert _is_as_told(name, picture.image, spoilt.image)


def test_a_drive_has_its_fault(pictures: dict[str, Picture]) -> None:
    photographer = Photographer(replace(CONFIG, fault='drops:back'))
    spoilt, later, again = (photographer.pictures(frame) for frame in (7, 8, 7))
    np.testing.assert_array_equal(spoilt['front'].image, pictures['front'].image)
    np.testing.assert_array_equal(spoilt['back'].image, again['back'].image)
    assert (spoilt['back'].image != pictures['back'].image).any()
    assert (spoilt['back'].image != later['back'].image).any()


def seeded(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def _is_as_told(fault: str, clean: np.ndarray, spoilt: np.ndarray) -> bool:
    edges = [cv2.Laplacian(image, cv2.CV_32F).std() for image in (clean, spoilt)]
    changed = (np.abs(clean.astype(int) - spoilt) > 3).any(axis=2).mean()
    return bool(
        {
            'blur': edges[1] < 0.6 * edges[0] and abs(clean.mean() - spoilt.mean()) < 5,
            'overexposed': spoilt.mean() > clean.mean() + 40,
            'drops': 0.05 < changed < 0.6,
            'dirt': 0.2 < changed < 0.5 and spoilt.mean() < clean.mean(),
            'black': not spoilt.any(),
        }[fault]
    )


@pytest.mark.parametrize(
    ('fault', 'expected'),
    [
        ('fire', "'fire' is unknown; expected one of blur, overexposed, drops, dirt, black"),
        (
            'blur:left',
            "'blur:left' is of no camera; expected blur or one of blur:front, blur:back",
        ),
        ('black:', "'black:' is of no camera"),
    ],
)
def test_unknown_faults_are_refused(fault: str, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        replace(CONFIG, fault=fault).check()


def test_masks_are_encoded_without_loss(pictures: dict[str, Picture]) -> None:
    *_, encoded = encoded_pictures(CONFIG, 8, workers=1)
    for camera, picture in pictures.items():
        mask = cv2.imdecode(np.frombuffer(encoded[camera].mask_png, np.uint8), -1)
        np.testing.assert_array_equal(mask, picture.mask)
        jpeg = cv2.imdecode(np.frombuffer(encoded[camera].jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert np.abs(jpeg[..., ::-1].astype(int) - picture.image).mean() < 5


def test_the_corners_of_a_sign_lie_around_its_pixels(photographer: Photographer) -> None:
    whole, apart, cut = [], [], 0
    for frame in range(0, 20, 4):
        for sign in (s for p in photographer.pictures(frame).values() for s in p.signs):
            cut += not sign.whole
            if not sign.whole or sign.corners is None:
                continue
            whole.append(sign)
            edges = *np.min(sign.corners, axis=0), *np.max(sign.corners, axis=0)
            apart.append(np.abs(np.subtract(edges, sign.box)).max())
            left, right = (sign.corners[3 - k][1] - sign.corners[k][1] for k in (0, 1))
            assert 0.2 * (left + right) / 2 < sign.letter_px < 0.8 * (left + right) / 2
    assert np.median(apart) < 0.75
    assert np.max(apart) < 3  # a tenth of a sign may be hidden
    assert whole and cut
    picture = Picture(np.zeros((9, 16, 3), np.uint8), np.zeros((9, 16), np.uint8), (whole[0],))
    turned = picture.turned_upside_down().signs[0]
    assert turned.corners == tuple((16 - x, 9 - y) for x, y in whole[0].corners)
