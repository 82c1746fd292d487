"""Tables that name images outside of their folder: refused, unless the user allows it."""

from __future__ import annotations

import os

from husky_placerec.config import make_config, read_config
from husky_placerec.data import image_index
from husky_placerec.data.image_index import read_image
from husky_placerec.data.source import decoded_frames, open_source
from husky_placerec.errors import InputError
import pytest
from support.builders import encode, smooth_image, write_csv
from support.commands import assert_refused

CONFIG, ALLOWED = make_config({'cameras': ['front']}), read_config(None, allow_outside=True)
PNG = encode(smooth_image(1, 64, 48, 8))
STAMP = 1_700_000_000_000_000_000


@pytest.fixture(params=['absolute', 'dots', 'symlink', 'symlinked folder', 'track'])
def drive(request, tmp_path):
    """Make a folder whose table names a picture of the user's, beside an image of its own."""
    folder, secret = tmp_path / 'drive', tmp_path / 'private'
    (folder / 'in').mkdir(parents=True)
    secret.mkdir()
    for file in (secret / f'{STAMP}.png', folder / 'in' / '0.png'):
        file.write_bytes(PNG)
    name = {'absolute': f'{secret}/{STAMP}.png', 'dots': f'in/../../private/{STAMP}.png'}
    if request.param == 'track':
        (folder / 'front_cam').symlink_to(secret)
        rows = [[STAMP, STAMP, 0, 0, 0, 0, 0, 0, 1]]
        header = ['timestamp', 'front_cam_ts', 'tx', 'ty', 'tz', 'qx', 'qy', 'qz', 'qw']
        write_csv(folder / 'track.csv', header, rows)
        return folder
    if request.param == 'symlink':
        (folder / 'in' / '1.png').symlink_to(secret / f'{STAMP}.png')
    elif request.param == 'symlinked folder':
        (folder / 'out').symlink_to(secret)
        name['symlinked folder'] = f'out/{STAMP}.png'
    rows = [[STAMP, 'in/0.png'], [STAMP + 10**9, name.get(request.param, 'in/1.png')]]
    write_csv(folder / 'frames.csv', ['stamp', 'front'], rows)
    return folder


def test_an_image_outside_of_the_folder_is_refused_unless_it_is_allowed(drive):
    with open_source(drive) as source:
        for ask in (source.check, source.fingerprint, lambda config: next(source.frames(config))):
            with pytest.raises(InputError, match=r'csv:\d: .*outside of .*--allow-outside'):
                ask(CONFIG)
        allowed = make_config({'cameras': ['front']})
        object.__setattr__(allowed, 'allow_outside', True)
        assert len(list(decoded_frames(source, source.frames(allowed)))) >= 1
        assert len(source.fingerprint(allowed)) == 64


def test_the_option_of_the_command_line_allows_it(drive, placerec):
    options = '--set', 'cameras=[front]', '--json'
    assert_refused(placerec('data', 'check', drive, *options), 'outside of', '--allow-outside')
    allowed = placerec('data', 'check', drive, *options, '--allow-outside')
    assert '"broken": 0' in allowed.stdout, allowed.stderr


def test_a_link_to_the_folder_itself_leaves_nothing(tmp_path):
    folder = tmp_path / 'drive'
    (folder / 'in').mkdir(parents=True)
    (folder / 'in' / '0.png').write_bytes(PNG)
    rows = [[STAMP, f'{folder}/in/../in/0.png']]
    write_csv(folder / 'frames.csv', ['stamp', 'front'], rows)
    (tmp_path / 'link').symlink_to(folder)
    with open_source(folder) as source:
        assert len(list(source.frames(CONFIG))) == 1
    write_csv(folder / 'frames.csv', ['stamp', 'front'], [[STAMP, 'in/0.png']])
    with open_source(tmp_path / 'link') as source:
        assert len(list(source.frames(CONFIG))) == 1


def test_only_the_command_line_can_allow_it(tmp_path):
    file = tmp_path / 'foreign.yaml'
    file.write_text('allow_outside: true')
    with pytest.raises(InputError, match='no parameter allow_outside'):
        read_config(file)
    assert (ALLOWED.allow_outside, read_config(None).allow_outside) == (True, False)
    assert 'allow_outside' not in ALLOWED.as_dict()


def test_a_pipe_and_a_file_without_end_are_no_images(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / 'pipe.png')
    (tmp_path / 'folder.png').mkdir()
    (tmp_path / 'large.png').write_bytes(bytes(2000))
    monkeypatch.setattr(image_index, 'MAX_BYTES', 1999)
    for name in ('pipe', 'folder', 'large'):
        with pytest.raises(InputError, match=rf'{name}\.png'):
            read_image(tmp_path / f'{name}.png')
    (tmp_path / 'large.png').write_bytes(bytes(1999))
    assert len(read_image(tmp_path / 'large.png')) == 1999
