"""The film of the demo, of a replay of the tiny drives."""

from __future__ import annotations

import json

from husky_placerec.config import make_config
from husky_placerec.demo.film import check_film, write_film
from husky_placerec.errors import InputError
from husky_placerec.placemap.loading import load_map
import numpy as np
from PIL import Image
import pytest

NEEDS = 'PIL', 'numba', 'sklearn', 'matplotlib', 'jinja2'


def test_a_film_has_every_second_frame_and_a_place_where_one_is_known(
    drives, map_path, placerec, tmp_path
):
    thresholds = '-s', 'uncalibrated=thresholds', '-s', 'min_similarity=0.1'
    done = placerec('replay', drives[1], '--map', map_path, '-o', tmp_path / 'done', *thresholds)
    assert done.returncode == 0, done.stderr
    log = tmp_path / 'done' / 'recognitions.jsonl'
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    lines[0].update(accepted=False, reason='unknown_place')
    log.write_text('\n'.join(map(json.dumps, lines)))
    shown = [line['accepted'] for line in lines[::2]]
    assert any(shown)
    for kind in ('webp', 'gif'):
        film = tmp_path / f'film.{kind}'
        write_film(film, drives[0], drives[1], log, load_map(map_path), make_config({}))
        with Image.open(film) as made:
            assert (made.size, made.n_frames) == ((640, 360), len(shown))
            for number, accepted in enumerate(shown):
                made.seek(number)
                place = np.asarray(made.convert('L'))[:180, 330:]
                assert (place.std() > 10) == accepted  # white where the frame was refused


def test_another_kind_of_film_is_refused(tmp_path):
    with pytest.raises(InputError, match=r'film\.mp4: expected a name that ends in \.gif'):
        check_film(tmp_path / 'film.mp4')
