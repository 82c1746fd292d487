"""Tracks of ITLP-Campus: both editions read, what is missing or broken named, the rest used."""

from __future__ import annotations

import json

from husky_placerec.config import make_config
from husky_placerec.data.source import (
    decoded_frames,
    find_trajectory,
    find_truth,
    open_source,
)
from husky_placerec.errors import InputError
import numpy as np
import pytest
from support.builders import (
    BACK,
    FRONT,
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


def test_a_track_gives_its_images_stamps_and_poses(tmp_path):
    rows = track_rows()
    written = write_images(tmp_path / '00_2023-02-10', rows)
    write_csv(tmp_path / '00_2023-02-10' / 'track.csv', TRACK_HEADER, rows)
    with open_source(tmp_path / '00_2023-02-10') as track:
        frames = list(decoded_frames(track, track.frames(CONFIG)))
        trajectory = find_trajectory(track, None)
        assert track.name == '00_2023-02-10'
        assert track.problems.lines() == []
        assert find_truth(track, None, 'map') is not None
        assert find_truth(track, None, 'odom') is None
    assert [frame.stamp_ns for frame in frames] == [row[0] for row in rows]
    for frame, row in zip(frames, rows, strict=True):
        assert frame.image_stamps_ns == {FRONT: row[1], BACK: row[2]}
        for camera, column in ((FRONT, 1), (BACK, 2)):
            file = tmp_path / '00_2023-02-10' / f'{camera}_cam' / f'{row[column]}.png'
            np.testing.assert_array_equal(frame.images[camera], written[file])
    # A frame has its row's pose exactly, however far apart the rows are.
    assert trajectory.stamps_ns.tolist() == [row[0] for row in rows]
    np.testing.assert_array_equal(trajectory.poses, [row[4:] for row in rows])


@pytest.mark.parametrize(
    ('index', 'table'),
    [
        (False, {'separator': ';'}),
        (False, {'separator': '\t'}),
        (False, {'encoding': 'utf-8-sig'}),
        (False, {'line': '\r\n'}),
        (True, {}),
        (True, {'separator': ';', 'encoding': 'utf-8-sig', 'line': '\r\n'}),
    ],
    ids=['semicolons', 'tabs', 'BOM', 'CRLF', 'unnamed index', 'a spreadsheet'],
)
def test_a_table_may_be_written_in_other_ways(tmp_path, index, table):
    rows = track_rows()
    write_images(tmp_path, rows)
    header = ['', *TRACK_HEADER] if index else TRACK_HEADER
    lines = [[i, *row] for i, row in enumerate(rows)] if index else rows
    write_csv(tmp_path / 'track.csv', header, lines, **table)
    frames, problems = frames_of(tmp_path)
    assert (len(frames), problems) == (6, [])


@pytest.mark.parametrize('table_unit', [1, 1000])
@pytest.mark.parametrize('file_unit', [1, 1000])
def test_images_are_found_by_nanoseconds_and_microseconds(tmp_path, table_unit, file_unit):
    rows = track_rows()
    write_images(tmp_path, rows, file_unit)
    lines = [[*(stamp // table_unit for stamp in row[:4]), *row[4:]] for row in rows]
    write_csv(tmp_path / 'track.csv', TRACK_HEADER, lines)
    frames, problems = frames_of(tmp_path)
    assert problems == []
    expected = [row[0] // table_unit * table_unit for row in rows]
    assert [frame.stamp_ns for frame in frames] == expected
    assert all(frame.cameras == (FRONT, BACK) for frame in frames)


def test_microseconds_that_pandas_made_floats_are_read(tmp_path):
    """A column with a gap becomes one of floats, which hold 16 digits but not 19."""
    rows = track_rows()
    write_images(tmp_path, rows, 1000)
    lines = [[*(f'{stamp // 1000}.0' for stamp in row[:4]), *row[4:]] for row in rows]
    lines[2][2] = ''
    write_csv(tmp_path / 'track.csv', TRACK_HEADER, lines)
    frames, (problem,) = frames_of(tmp_path)
    assert [frame.cameras for frame in frames].count((FRONT,)) == 1
    assert 'without a stamp of the back image: track.csv:4' in problem


def test_the_hackathons_edition_is_read_whole_by_table_and_by_track(tmp_path):
    first, second = track_rows(), track_rows(4, START_NS + 10**6 * SECOND_NS)
    for name, rows in (('00_winter', first), ('01_spring', second)):
        write_images(tmp_path / name, rows)
    header = ['track', *TRACK_HEADER]
    write_csv(tmp_path / 'train.csv', header, [['00_winter', *row] for row in first[:5]])
    write_csv(
        tmp_path / 'val.csv',
        header,
        [['00_winter', *first[5]], *(['01_spring', *row] for row in second)],
    )
    counts = {'.': 10, 'train.csv': 5, 'val.csv': 5, '00_winter': 6, '01_spring': 4}
    for name, count in counts.items():
        with open_source(tmp_path / name) as track:
            frames = list(decoded_frames(track, track.frames(CONFIG)))
            assert track.problems.lines() == []
            assert len(find_trajectory(track, None).poses) == count
        assert [len(frame.images) for frame in frames] == [2] * count, name


def test_a_track_of_the_hackathon_is_recognised_by_the_table_above_it(tmp_path):
    rows = track_rows()
    write_images(tmp_path / '00_winter', rows)
    header = ['track', *TRACK_HEADER]
    write_csv(tmp_path / 'train.csv', header, [['00_winter', *row] for row in rows])
    frames, _ = frames_of(tmp_path / '00_winter')
    assert len(frames) == 6


def test_a_table_without_poses_still_has_frames(tmp_path):
    """The test table of a competition."""
    rows = track_rows()
    write_images(tmp_path / 'a', rows)
    write_csv(
        tmp_path / 'test.csv', ['track', *TRACK_HEADER[:4]], [['a', *row[:4]] for row in rows]
    )
    with open_source(tmp_path) as track:
        assert len(list(track.frames(CONFIG))) == 6
        assert track.pose_topics() == []
        with pytest.raises(InputError, match=r'test\.csv \(track, timestamp.*--poses'):
            find_trajectory(track, None)


def test_rows_in_any_order_come_in_the_order_of_their_stamps(tmp_path):
    rows = track_rows()
    write_track_folder(tmp_path, rows[::-1])
    frames, _ = frames_of(tmp_path)
    assert [frame.stamp_ns for frame in frames] == [row[0] for row in rows]


def test_the_fingerprint_changes_with_what_the_frames_depend_on_and_nothing_else(tmp_path):
    rows = track_rows()
    write_track_folder(tmp_path, rows)

    def prints(**values):
        with open_source(tmp_path) as track:
            return track.fingerprint(make_config(values))

    first = prints()
    assert prints() == prints(extractor='hog', min_similarity=0.1) == first
    assert len({first, prints(cameras=[FRONT]), prints(cameras=[BACK])}) == 3
    (tmp_path / 'front_cam' / f'{rows[0][1]}.png').write_bytes(b'other')
    assert prints() != first
    assert prints(cameras=[BACK]) == prints(cameras=[BACK])


def test_masks_and_texts_are_read_by_camera_and_stamp(track):
    with open_source(track) as source:
        frames = list(source.frames(CONFIG))
        (first, *_), (front, back) = frames, frames[0].images
        mask = source.mask(front, first.image_stamps_ns[front])
        assert (mask.shape, mask.dtype) == ((96, 160), np.uint8)
        assert set(np.unique(mask)) <= set(range(65))
        assert (mask[-2:] == 64).mean() > 0.5  # the robot itself
        assert not np.array_equal(mask, source.mask(back, first.image_stamps_ns[back]))
        texts = [
            text
            for frame in frames
            for camera, stamp_ns in frame.image_stamps_ns.items()
            for text in source.texts(camera, stamp_ns)
        ]
        assert all(text.text and 0 <= text.box[0] < text.box[2] <= 160 for text in texts)
        assert {text.whole for text in texts} <= {True, False}
        assert all(len(text.quad) == 4 and text.letter_px > 0 for text in texts if text.whole)
        assert source.problems.lines() == []


@needs('sklearn', 'matplotlib', 'jinja2')
def test_a_replay_repeats_chosen_frames_of_a_track(tmp_path, placerec):
    rows = track_rows()
    write_track_folder(tmp_path / 'track', rows)
    placerec('map', 'build', tmp_path / 'track', tmp_path / 'map', *HOG)
    chosen = [rows[4][0], rows[1][0]]
    (tmp_path / 'stamps.txt').write_text('\n'.join(map(str, chosen)))
    blots = '--set', 'check_images=false'  # is what the images are
    options = '--map', tmp_path / 'map', '-o', tmp_path / 'out', *blots
    replayed = placerec(
        'replay', tmp_path / 'track', *options, '--stamps', tmp_path / 'stamps.txt'
    )
    assert replayed.returncode == 0, replayed.stderr
    lines = (tmp_path / 'out' / 'recognitions.jsonl').read_text().splitlines()
    assert [json.loads(line)['stamp_ns'] for line in lines] == chosen
    assert json.loads(lines[0])['error_m'] < 0.1
    log = tmp_path / 'out' / 'recognitions.jsonl'  # which has the stamps of the images
    options = '--map', tmp_path / 'map', '-o', tmp_path / 'again', '--stamps', log, *blots
    assert placerec('replay', tmp_path / 'track', *options).returncode == 0
    assert (tmp_path / 'again' / 'recognitions.jsonl').read_bytes() == log.read_bytes()
