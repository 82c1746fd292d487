"""Every command that pairs says which images found no partner, why, and what would help."""

from __future__ import annotations

import pytest
from support.builders import (
    BACK,
    compressed,
    encode,
    FRONT,
    MS,
    planar,
    pose_message,
    smooth_image,
)
from support.camera_bags import camera_bag, images, PIXELS, seconds, TOPIC, TRUTH
from support.commands import assert_refused

NEEDS = 'matplotlib', 'jinja2', 'sklearn'

LOST = '15 front images (50%) found no partner: 15 because the nearest image of another camera'
REMEDY = '--set slop=0.07 would pair them'


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp('whole') / 'drive'
    return camera_bag(path, images(FRONT, seconds(30)), images(BACK, seconds(30, 3)))


@pytest.fixture(scope='module')
def half(tmp_path_factory):
    """Record a drive in which every second pair is 60 ms apart."""
    back = [stamp + 60 * MS * (i % 2) for i, stamp in enumerate(seconds(30))]
    path = tmp_path_factory.mktemp('half') / 'drive'
    return camera_bag(path, images(FRONT, seconds(30)), images(BACK, back))


def commands(whole, half, tmp_path):
    """Return each command that pairs, with a map that it may need, on the drive `half`."""
    place_map = tmp_path / 'map'
    return place_map, [
        ('map', 'build', half, tmp_path / 'built', *PIXELS),
        ('map', 'add', place_map, half),
        ('convert', half, tmp_path / 'track'),
        ('replay', half, '--map', place_map, '-o', tmp_path / 'replayed'),
        ('calibrate', place_map, half, '-s', 'sequence=false'),
        (
            *('evaluate', whole, half, *PIXELS, '--no-cache', '--no-baselines'),
            *('-o', tmp_path / 'evaluated'),
        ),
    ]


def test_every_command_tells_of_images_without_a_partner(placerec, whole, half, tmp_path):
    place_map, words = commands(whole, half, tmp_path)
    built = placerec('map', 'build', whole, place_map, *PIXELS)
    assert '30 frames of 30 front and 30 back images; every image found a partner' in built.stdout
    assert 'warning' not in built.stderr
    for command in words:
        done = placerec(*command)
        assert f'{half}: 15 frames of 30 front and 30 back images; {LOST}' in done.stdout, command
        assert f'warning: {half}: 15 front images' in done.stderr, command
        assert REMEDY in done.stderr, command
    mended = placerec('map', 'build', half, tmp_path / 'mended', *PIXELS, '-s', 'slop=0.07')
    assert '30 places' in mended.stdout


@pytest.mark.parametrize('verb', ['map build', 'replay', 'convert', 'evaluate'])
def test_stamps_that_are_all_zero_are_refused(placerec, whole, tmp_path, verb):
    frozen = camera_bag(
        tmp_path / 'frozen',
        [(TOPIC[FRONT], compressed(0, encode(smooth_image(i, 64, 48, 8)))) for i in range(9)],
        [(TOPIC[BACK], compressed(0, encode(smooth_image(i, 64, 48, 8)))) for i in range(9)],
        [(TRUTH, pose_message('PoseStamped', 0, planar(0.0)))],
    )
    out = tmp_path / 'out'
    words = {
        'map build': ('map', 'build', frozen, out, *PIXELS),
        'replay': ('replay', frozen, '--map', tmp_path / 'map', '-o', out),
        'convert': ('convert', frozen, out),
        'evaluate': ('evaluate', whole, frozen, '-o', out, *PIXELS, '--no-cache'),
    }
    placerec('map', 'build', whole, tmp_path / 'map', *PIXELS)
    refused = placerec(*words[verb])
    assert_refused(refused, frozen, 'all 9 front images have one stamp', output=out)


def test_a_table_whose_stamps_are_all_zero_is_refused(placerec, tmp_path):
    folder = tmp_path / 'folder'
    folder.mkdir()
    lines = ['stamp,front,back,x,y,z,yaw']
    for i in range(5):
        for camera in (FRONT, BACK):
            (folder / f'{camera}_{i}.png').write_bytes(encode(smooth_image(i, 64, 48, 8)))
        lines.append(f'0,front_{i}.png,back_{i}.png,{i},0,0,0')
    (folder / 'frames.csv').write_text('\n'.join(lines))
    refused = placerec('map', 'build', folder, tmp_path / 'map', *PIXELS)
    words = 'all 5 rows of frames.csv have the stamp 0', 'expected the time of each frame'
    assert_refused(refused, folder, *words, output=tmp_path / 'map')


def test_a_back_camera_that_dies_is_named_with_its_last_frame(placerec, tmp_path):
    path = camera_bag(tmp_path / 'drive', images(FRONT, seconds(30)), images(BACK, seconds(8, 3)))
    built = placerec('map', 'build', path, tmp_path / 'map', *PIXELS)
    assert built.returncode == 0, built.stderr
    assert 'have no back image, none after frame 8; look at the camera' in built.stderr
