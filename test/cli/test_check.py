"""`placerec data check`: each thing that can be wrong with a drive is found and explained."""

from __future__ import annotations

import json

import cv2
from husky_placerec.config import make_config
import numpy as np
import pytest
from support.builders import (
    BACK,
    compressed,
    encode,
    FRONT,
    MS,
    planar,
    pose_message,
    SECOND_NS,
    smooth_image,
    START_NS,
    TRACK_HEADER,
    track_rows,
    write_bag,
    write_csv,
    write_images,
    write_track_folder,
)

CONFIG = make_config({})
TOPIC = {name: f'/{CONFIG.camera_config(name).topic}' for name in (FRONT, BACK)}
COUNT, PERIOD_MS = 12, 100


def picture(seed, scale=1.0, offset=0.0, size=(64, 48)):
    rgb = smooth_image(seed, *size, 8) * scale + offset
    return encode(rgb.clip(0, 255).astype(np.uint8))


def stamp(i, ms=0.0):
    return START_NS + round((i * PERIOD_MS + ms) * MS)


def camera(name, stamps=None, seed=0, pictures=None):
    stamps = [stamp(i) for i in range(COUNT)] if stamps is None else stamps
    pictures = [picture(seed + i) for i in range(len(stamps))] if pictures is None else pictures
    return [(TOPIC[name], compressed(s, p)) for s, p in zip(stamps, pictures, strict=True)]


def poses(xs=None, first=-1, frame_id='map'):
    """Make a pose every 100 ms, from before the first image until after the last."""
    xs = [0.2 * i for i in range(COUNT + 2)] if xs is None else xs
    messages = []
    for i, x in enumerate(xs, first):
        message = pose_message('Odometry', stamp(i, 1), planar(x))
        message.header.frame_id = frame_id
        messages.append(('/pose', message))
    return messages


def drive(tmp_path, *, front=None, back=None, where=None):
    """Write a bag of a good drive, with what is given in the place of its parts."""
    front = camera(FRONT) if front is None else front
    back = camera(BACK, seed=50) if back is None else back
    messages = [*front, *back, *(poses() if where is None else where)]
    return write_bag(tmp_path / 'drive', messages)


@pytest.fixture
def check(placerec):
    """Return a function that checks a source: its exit status, its report, and its findings."""

    def run(path, *options):
        shown = placerec('data', 'check', path, *options)
        as_json = placerec('data', 'check', path, *options, '--json')
        assert shown.returncode == as_json.returncode
        report = json.loads(as_json.stdout)
        found = {finding['what']: finding['error'] for finding in report['findings']}
        assert all(finding['advice'] for finding in report['findings'])
        assert any(found.values()) == (shown.returncode == 1)
        assert ('nothing wrong' in shown.stdout) == (not found)
        return report, found

    return run


def the_one(found, *words):
    """Return whether the only finding, which has all these words, is an error."""
    ((what, error),) = found.items()
    for word in words:
        assert str(word) in what
    return error


def test_a_good_drive_has_nothing_wrong_and_its_numbers_are_right(check, tmp_path):
    back = camera(BACK, [stamp(i, 4) for i in range(COUNT)], seed=50)
    report, found = check(drive(tmp_path, back=back))
    assert found == {}
    front = report['cameras'][FRONT]
    assert front['images'] == COUNT
    assert front['rate_hz'] == pytest.approx(10)
    assert front['jitter_ms'] == pytest.approx(0, abs=1e-6)
    assert front['sizes'] == {'64x48': COUNT}
    pairing = report['pairing']
    assert (pairing['frames'], pairing['complete']) == (COUNT, COUNT)
    assert (pairing['median_ms'], pairing['largest_ms']) == (4, 4)
    where = report['poses']
    assert (where['covered'], where['frames'], where['jumps']) == (COUNT, COUNT, 0)
    assert where['length_m'] == pytest.approx(0.2 * (COUNT + 1))
    assert where['spacing_m'] == pytest.approx(0.2)


def test_a_simulated_track_and_its_bag_have_nothing_wrong(check, track):
    assert check(track)[1] == {}
    assert check(track / 'bag')[1] == {}


def test_jitter_is_measured(check, tmp_path):
    rng = np.random.default_rng(1)
    stamps = [stamp(i, rng.uniform(-5, 5)) for i in range(COUNT)]
    report, found = check(drive(tmp_path, front=camera(FRONT, stamps)))
    assert found == {}
    assert 2 < report['cameras'][FRONT]['jitter_ms'] < 15


def test_a_frozen_camera_is_an_error(check, tmp_path):
    pictures = [picture(i) for i in range(4)] + [picture(3)] * (COUNT - 4)
    _, found = check(drive(tmp_path, front=camera(FRONT, pictures=pictures)))
    assert the_one(found, 'front: frozen, 9 equal images in a row')


def test_images_that_come_twice_are_a_warning(check, tmp_path):
    pictures = [picture(i // 2) for i in range(COUNT)]
    _, found = check(drive(tmp_path, front=camera(FRONT, pictures=pictures)))
    assert not the_one(found, 'front: 6 images come twice')


@pytest.mark.parametrize(('dark', 'error'), [(3, False), (10, True)])
def test_a_covered_camera_is_found_by_its_darkness(check, tmp_path, dark, error):
    pictures = [picture(i, 0.03 if i < dark else 1.0) for i in range(COUNT)]
    _, found = check(drive(tmp_path, back=camera(BACK, pictures=pictures)))
    assert the_one(found, f'back: {dark} of {COUNT} images are nearly black') == error


def test_an_overexposed_camera_is_found(check, tmp_path):
    pictures = [picture(i, 1.0, 200.0) for i in range(COUNT)]
    _, found = check(drive(tmp_path, back=camera(BACK, pictures=pictures)))
    assert not the_one(found, f'back: {COUNT} of {COUNT} images are mostly white')


def test_cameras_that_are_not_synchronous_do_not_pair(check, tmp_path):
    """Their period is long, so no image has a partner within the slop."""
    slow = [stamp(4 * i) for i in range(COUNT)]
    late = [stamp(4 * i, 70) for i in range(COUNT)]
    xs = [0.2 * i for i in range(4 * COUNT + 2)]
    path = drive(tmp_path, front=camera(FRONT, slow), back=camera(BACK, late), where=poses(xs))
    report, found = check(path)
    assert report['pairing']['complete'] == 0
    assert f'front: {COUNT} of {COUNT} images unpaired' in found
    assert found['no frames']
    assert check(path, '--set', 'slop=0.1')[1] == {}


def test_a_faster_camera_has_images_to_spare_and_that_is_no_fault(check, tmp_path):
    fast = [stamp(i / 2) for i in range(2 * COUNT)]
    report, found = check(drive(tmp_path, front=camera(FRONT), back=camera(BACK, fast)))
    assert report['pairing']['unpaired'][BACK] >= COUNT - 1
    assert found == {}


def test_stamps_that_step_back_and_come_twice_are_found(check, tmp_path):
    stamps = [stamp(i) for i in (0, 1, 2, 3, 5, 4, 6, 7, 7, 8, 9, 10)]
    path = drive(tmp_path, front=camera(FRONT, stamps), back=camera(BACK, seed=50))
    report, found = check(path)
    assert report['cameras'][FRONT]['duplicates'] == 1
    assert 'front: 1 stamps are there twice' in found


def test_a_gap_in_a_camera_is_found(check, tmp_path):
    stamps = [stamp(i if i < 5 else i + 40) for i in range(COUNT)]
    xs = [0.2 * i for i in range(COUNT + 44)]
    path = drive(tmp_path, front=camera(FRONT, stamps), back=camera(BACK, stamps), where=poses(xs))
    _, found = check(path)
    for name in (FRONT, BACK):
        assert f'{name}: 1 gaps of over three periods, the longest 4.1 s' in found
    assert not any(found.values())


def test_images_of_several_sizes_are_found(check, tmp_path):
    pictures = [picture(i, size=(64, 48) if i < 6 else (96, 72)) for i in range(COUNT)]
    _, found = check(drive(tmp_path, back=camera(BACK, pictures=pictures)))
    assert not the_one(found, 'back: images of several sizes: 6 of 64x48, 6 of 96x72')


def test_stamps_of_a_simulation_are_pointed_out(check, tmp_path):
    sim = [SECOND_NS + i * PERIOD_MS * MS for i in range(COUNT)]
    where = [('/pose', pose_message('PoseStamped', s, planar(i))) for i, s in enumerate(sim)]
    path = drive(tmp_path, front=camera(FRONT, sim), back=camera(BACK, sim), where=where)
    _, found = check(path)
    assert len(found) == 2
    assert all('are not ns since 1970' in what for what in found)


def test_frames_without_a_pose_are_an_error_with_both_counts(check, tmp_path):
    _, found = check(drive(tmp_path, where=poses()[:8]))
    assert the_one(found, '/pose', f'no pose for 5 of {COUNT} frames')


def test_poses_of_another_day_are_an_error(check, tmp_path):
    _, found = check(drive(tmp_path, where=poses(first=864_000)))
    assert the_one(found, 'no overlap', stamp(864_000, 1))


def test_a_gap_between_poses_is_measured(check, tmp_path):
    where = poses()
    path = drive(tmp_path, where=[*where[:3], *where[9:]])
    assert check(path)[0]['poses']['longest_gap_s'] == pytest.approx(0.7)
    _, found = check(path, '--max-gap', '0.5')
    assert the_one(found, 'longest gap between poses is 0.7 s')


def test_a_jump_of_the_poses_is_found_where_it_is(check, tmp_path):
    xs = [0.2 * i + (40 if i > 6 else 0) for i in range(COUNT + 2)]
    _, found = check(drive(tmp_path, where=poses(xs)))
    assert not the_one(found, '1 jumps', stamp(6, 1))


def test_poses_that_drift_are_a_warning(check, tmp_path):
    _, found = check(drive(tmp_path, where=poses(frame_id='odom')))
    assert not the_one(found, 'poses in odom drift')


def test_a_drive_without_poses_may_still_be_recognised(check, tmp_path):
    report, found = check(drive(tmp_path, where=[]))
    assert report['poses'] is None
    assert not the_one(found, 'expected one topic or table with poses')


def test_broken_images_are_an_error_where_a_map_would_be_refused(check, tmp_path):
    pictures = [picture(i) if i not in (5, 7) else b'no image' for i in range(COUNT)]
    report, found = check(drive(tmp_path, front=camera(FRONT, pictures=pictures)))
    assert the_one(found, 'front: 2 of 12 images do not decode', stamp(5))
    assert report['cameras'][FRONT]['broken'] == 2
    rows = track_rows()
    folder = write_track_folder(tmp_path / 'track', rows)
    (folder / 'front_cam' / f'{rows[2][1]}.png').write_bytes(b'no image')
    (folder / 'back_cam' / f'{rows[3][2]}.png').unlink()
    _, found = check(folder, '--set', 'slop=0.1')
    assert set(found.values()) == {False}
    assert any(f'{rows[2][1]}.png' in what for what in found)
    assert f'1 x missing back image: back_cam/{rows[3][2]}.png' in found


def test_depth_images_and_huge_ones_are_named_with_their_reason(check, tmp_path):
    depth = cv2.imencode('.png', np.full((48, 64), 900, np.uint16))[1].tobytes()
    front = [(TOPIC[FRONT], compressed(stamp(i), depth, '16UC1; png')) for i in range(COUNT)]
    path = drive(tmp_path, front=front)
    report, found = check(path)
    assert the_one(found, f'front: {COUNT} of {COUNT} images do not decode', 'a depth image')
    assert report['cameras'][BACK]['broken'] == 0
    report, found = check(drive(tmp_path / 'other'), '--set', 'max_pixels=3071')
    (huge,) = (what for what in found if 'back: 12 of 12' in what)
    assert "64x48 ('png'), which is more than max_pixels (3071)" in huge


def test_a_track_that_needs_a_larger_slop_as_a_bag_says_which(check, tmp_path):
    _, found = check(write_track_folder(tmp_path / 'track'))
    assert not the_one(found, 'images of one frame are up to 54 ms apart')


def test_latitudes_are_an_error(check, tmp_path):
    rows = track_rows(60)
    for i, row in enumerate(rows):
        row[4:6] = 0.976 + 1e-6 * i, 0.655 + 1e-6 * i
    write_images(tmp_path / 'track', rows)
    write_csv(tmp_path / 'track' / 'track.csv', TRACK_HEADER, rows)
    _, found = check(tmp_path / 'track', '--set', 'slop=0.1')
    assert the_one(found, 'radians of latitude')


def test_what_is_no_drive_is_refused(placerec, tmp_path):
    refused = placerec('data', 'check', tmp_path)
    assert refused.returncode == 2
    assert 'an empty folder' in refused.stderr
