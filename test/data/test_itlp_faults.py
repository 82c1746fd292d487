"""Tracks of ITLP-Campus with missing or broken parts: each is named, and the rest is used."""

from __future__ import annotations

from husky_placerec.config import make_config
from husky_placerec.data.source import (
    decode_frame,
    decoded_frames,
    find_trajectory,
    open_source,
)
from husky_placerec.errors import InputError
import numpy as np
import pytest
from support.builders import (
    BACK,
    FRONT,
    MS,
    SECOND_NS,
    START_NS,
    TRACK_HEADER,
    track_rows,
    write_csv,
    write_images,
    write_track_folder,
)
from support.needs import needs
from support.tracks import CONFIG, frames_of, HOG


@pytest.mark.parametrize(
    'text', ['1.7e18', f'{START_NS}.0', 'yesterday', '-5', '17000000000000000']
)
def test_a_stamp_that_has_lost_its_digits_is_named_and_its_image_done_without(tmp_path, text):
    rows = track_rows()
    write_images(tmp_path, rows)
    rows[3][1] = text
    write_csv(tmp_path / 'track.csv', TRACK_HEADER, rows)
    frames, problems = frames_of(tmp_path)
    assert frames[3].cameras == (BACK,)
    assert len(frames) == 6
    assert f"track.csv:5: front_cam_ts is '{text}'" in problems[0]
    assert '19 digits (ns)' in problems[0]


def test_missing_images_are_named_and_their_frames_have_one_camera(tmp_path):
    rows = track_rows()
    write_track_folder(tmp_path, rows)
    for column, camera, number in ((1, 'front_cam', 1), (2, 'back_cam', 4), (2, 'back_cam', 1)):
        (tmp_path / camera / f'{rows[number][column]}.png').unlink()
    frames, problems = frames_of(tmp_path)
    assert [row[0] for row in (*rows[:1], *rows[2:])] == [frame.stamp_ns for frame in frames]
    assert [frame.cameras for frame in frames].count((FRONT,)) == 1
    assert f'1 x missing front image: front_cam/{rows[1][1]}.png' in problems
    assert f'back_cam/{rows[1][2]}.png, back_cam/{rows[4][2]}.png' in ' '.join(problems)


def test_a_track_without_one_cameras_folder_still_has_the_other(tmp_path):
    write_track_folder(tmp_path)
    for file in (tmp_path / 'back_cam').iterdir():
        file.unlink()
    (tmp_path / 'back_cam').rmdir()
    frames, (problem,) = frames_of(tmp_path)
    assert [frame.cameras for frame in frames] == [(FRONT,)] * 6
    assert problem.startswith('6 x missing back image')
    assert problem.endswith('...')  # not all of them


@pytest.mark.parametrize('harm', ['empty', 'truncated', 'garbage', 'a folder'])
def test_an_unreadable_png_in_the_middle_is_named_and_skipped(tmp_path, harm):
    rows = track_rows()
    write_track_folder(tmp_path, rows)
    file = tmp_path / 'back_cam' / f'{rows[3][2]}.png'
    data = file.read_bytes()
    file.unlink()
    if harm == 'a folder':
        file.mkdir()
    else:
        file.write_bytes({'empty': b'', 'truncated': data[:-99], 'garbage': b'x' * 99}[harm])
    with open_source(tmp_path) as track:
        frames = list(track.frames(CONFIG))
        usable = list(decoded_frames(track, frames))
        (problem,) = track.problems.lines()
        with pytest.raises(InputError, match='back image'):  # who asks for all is told
            [decode_frame(frame, 'track') for frame in frames]
    assert [frame.stamp_ns for frame in usable] == [row[0] for row in rows]
    assert [frame.cameras for frame in usable].count((FRONT,)) == 1
    assert f'{rows[3][2]}.png' in problem


@needs('sklearn', 'matplotlib', 'jinja2')
def test_a_frame_of_which_nothing_is_left_is_left_out_of_the_map(tmp_path, placerec):
    rows = track_rows()
    write_track_folder(tmp_path / 'track', rows)
    for column, camera in ((1, 'front_cam'), (2, 'back_cam')):
        (tmp_path / 'track' / camera / f'{rows[3][column]}.png').write_bytes(b'no image')
    built = placerec('map', 'build', tmp_path / 'track', tmp_path / 'map', *HOG)
    assert built.returncode == 0, built.stderr
    assert '5 places' in built.stdout
    assert f'{rows[3][1]}.png' in built.stderr
    replayed = placerec(
        'replay', tmp_path / 'track', '--map', tmp_path / 'map', '-o', tmp_path / 'out'
    )
    assert replayed.returncode == 0, replayed.stderr
    assert len((tmp_path / 'out' / 'recognitions.jsonl').read_text().splitlines()) == 5


def test_duplicate_stamps_are_named_and_the_first_is_kept(tmp_path):
    rows = track_rows()
    write_images(tmp_path, rows)
    again = [*rows[2][:4], 999.0, *rows[2][5:]]
    write_csv(tmp_path / 'track.csv', TRACK_HEADER, [*rows, again])
    with open_source(tmp_path) as track:
        assert len(list(track.frames(CONFIG))) == 6
        assert 999.0 not in find_trajectory(track, None).poses
        assert track.problems.lines() == [f'1 x duplicate stamp, first kept: {rows[2][0]}']


def latitudes(unit, count=60):
    """Make rows of a 300 m drive at MIPT, in radians or degrees of latitude and longitude."""
    metre = 1 / 6371e3
    rows = track_rows(count)
    for i, row in enumerate(rows):
        row[4:6] = unit(np.radians(55.93) + 5 * i * metre), unit(np.radians(37.52) + i * metre)
        row[6] = 180.0
    return rows


@pytest.mark.parametrize('unit', [float, np.degrees], ids=['radians', 'degrees'])
def test_latitudes_in_the_place_of_metres_are_refused(tmp_path, unit):
    name = 'radians' if unit is float else 'degrees'
    write_csv(tmp_path / 'poses.csv', TRACK_HEADER, latitudes(unit))
    with pytest.raises(InputError, match=rf'poses\.csv: .*{name} of latitude.*expected metres'):
        read_poses_of(tmp_path / 'poses.csv')


def read_poses_of(path):
    from husky_placerec.data.pose_file import read_trajectory

    return read_trajectory(path)


@pytest.mark.parametrize(
    'positions',
    [
        lambda i: (0.001 * (i % 3), 0.002 * (i % 2)),  # waits at the origin
        lambda i: (0.02 * i, 0.9),  # creeps
        lambda i: (500.0, 0.001 * i),  # waits where no latitude is
    ],
)
def test_a_slow_robot_is_not_taken_for_latitudes(tmp_path, positions):
    rows = track_rows(60)
    for i, row in enumerate(rows):
        row[4:6] = positions(i)
    write_csv(tmp_path / 'poses.csv', TRACK_HEADER, rows)
    assert len(read_poses_of(tmp_path / 'poses.csv').poses) == 60


def test_poses_that_do_not_overlap_the_images_are_refused_with_both_spans(tmp_path, placerec):
    write_track_folder(tmp_path / 'track')
    later = track_rows(6, START_NS + 3600 * SECOND_NS)
    poses = write_csv(tmp_path / 'poses.csv', TRACK_HEADER, later)
    result = placerec(
        *('map', 'build', tmp_path / 'track', tmp_path / 'map', *HOG, '--poses', poses)
    )
    assert result.returncode == 2
    assert 'no pose for 6 of 6 frames' in result.stderr
    for stamp in (later[0][0], later[-1][0], START_NS):
        assert str(stamp) in result.stderr
    assert not (tmp_path / 'map').exists()


def test_a_camera_that_the_track_lacks_is_named(tmp_path):
    write_track_folder(tmp_path)
    expected = r'no camera left in track\.csv; there are: front, back'
    with open_source(tmp_path) as track, pytest.raises(InputError, match=expected):
        track.check(make_config({'cameras': ['left']}))


@pytest.mark.parametrize('column', range(4))
def test_a_row_without_one_of_its_stamps_is_still_a_frame(tmp_path, column):
    rows = track_rows()
    write_images(tmp_path, rows)
    rows[2][column] = ''
    write_csv(tmp_path / 'track.csv', TRACK_HEADER, rows)
    frames, _ = frames_of(tmp_path)
    assert len(frames) == 6
    assert len(frames[2].images) == (1 if column in (1, 2) else 2)
    assert frames[2].stamp_ns == START_NS + 10 * SECOND_NS - (31 * MS if column == 0 else 0)


def test_missing_and_broken_masks_and_texts_are_named(tmp_path):
    rows = track_rows()
    write_track_folder(tmp_path, rows)
    masks = tmp_path / 'masks' / 'front_cam'
    masks.mkdir(parents=True)
    image = (tmp_path / 'front_cam' / f'{rows[1][1]}.png').read_bytes()
    (masks / f'{rows[1][1]}.png').write_bytes(image)  # of three channels
    (masks / f'{rows[2][1]}.png').write_bytes(b'no image')
    table = tmp_path / 'text_labels' / 'front_cam_text_labels.csv'
    lines = [
        [f'{rows[0][1]}.png', '"[[10, 5], [50, 5], [50, 20], [10, 20]]"', 'Столовая'],
        ['cover.png', '', 'of no image'],
        [f'{rows[3][1]}.png', '', 'Библиотека'],
    ]
    write_csv(table, ['path', 'bbox', 'text'], lines)
    with open_source(tmp_path) as track:
        assert [track.mask(FRONT, row[1]) for row in rows[:3]] == [None] * 3
        (text,) = track.texts(FRONT, rows[0][1])
        assert (text.text, text.box) == ('Столовая', (10, 5, 50, 20))
        assert text.quad == ((10, 5), (50, 5), (50, 20), (10, 20))
        assert [found.box for found in track.texts(FRONT, rows[3][1])] == [None]
        assert track.texts(BACK, rows[0][2]) == track.texts(FRONT, rows[1][1]) == []
        problems = ' '.join(track.problems.lines())
    assert f'missing mask: masks/front_cam/{rows[0][1]}.png' in problems
    assert '2 x mask that is not one channel' in problems
    assert 'missing table of texts: text_labels/back_cam_text_labels.csv' in problems
    assert 'text of no image: front_cam_text_labels.csv:3' in problems
    assert 'text without a box: front_cam_text_labels.csv:4' in problems


@pytest.mark.parametrize(
    'whole, letter_px, readable',
    [
        ('1', '8.0', True),
        ('1', '7.9', False),
        ('0', '30', False),
        ('', '', True),
        ('1', 'x', True),
    ],
)
def test_what_is_readable_is_whole_and_has_large_letters(tmp_path, whole, letter_px, readable):
    rows = track_rows(1)
    write_track_folder(tmp_path, rows)
    write_csv(
        tmp_path / 'text_labels' / 'front_cam_text_labels.csv',
        ['path', 'x0', 'y0', 'x1', 'y1', 'letter_px', 'whole', 'text'],
        [[f'{rows[0][1]}.png', 1, 2, 30, 9, letter_px, whole, 'ЦДБЯ']],
    )
    with open_source(tmp_path) as track:
        (text,) = track.texts(FRONT, rows[0][1])
    assert text.readable is readable


def test_rows_without_a_pose_are_left_out_of_a_map_when_that_is_asked_for(tmp_path, placerec):
    rows = track_rows()
    write_images(tmp_path / 'track', rows)
    rows[2][4:] = ['nan'] * 7
    rows[4][6] = ''
    write_csv(tmp_path / 'track' / 'track.csv', TRACK_HEADER, rows)
    words = 'map', 'build', tmp_path / 'track', tmp_path / 'map', *HOG
    refused = placerec(*words)
    assert refused.returncode == 2
    assert 'no pose for 2 of 6 frames' in refused.stderr
    assert '--skip-unposed' in refused.stderr
    built = placerec(*words, '--skip-unposed')
    assert built.returncode == 0, built.stderr
    assert '4 places' in built.stdout
    assert '2 x row without a pose: track.csv:4, track.csv:6' in built.stderr


def test_a_folder_of_tracks_says_which_there_are(tmp_path):
    for name in ('00_winter', '01_spring'):
        write_track_folder(tmp_path / name)
    with pytest.raises(InputError, match='a folder of tracks; name one of 00_winter, 01_spring'):
        open_source(tmp_path)


def test_a_track_that_has_nothing_says_what_it_looked_for(tmp_path, placerec):
    """A spreadsheet has rounded the stamps, so that no image is found by them."""
    rows = track_rows()
    write_images(tmp_path / 'track', rows)
    rounded = [[*(f'{stamp:.6E}' for stamp in row[1:3]), *row[4:]] for row in rows]
    header = [*TRACK_HEADER[1:3], *TRACK_HEADER[4:]]
    write_csv(tmp_path / 'track' / 'track.csv', header, rounded)
    refused = placerec('map', 'build', tmp_path / 'track', tmp_path / 'map', *HOG)
    assert refused.returncode == 2
    assert 'no frames' in refused.stderr
    assert 'went through a float' in refused.stderr
