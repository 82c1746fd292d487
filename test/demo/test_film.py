"""The film of the demo, of a replay of the tiny drives."""

from __future__ import annotations

from husky_placerec.config import make_config
from husky_placerec.demo.film import check_film, write_film
from husky_placerec.errors import InputError
from husky_placerec.placemap.loading import load_map
import numpy as np
from PIL import Image
import pytest

NEEDS = 'PIL', 'numba', 'sklearn', 'matplotlib', 'jinja2'


@pytest.mark.parametrize('kind', ['webp', 'gif'])
def test_a_film_has_every_second_frame_and_shows_places_where_they_are_known(
    kind, drives, map_path, placerec, tmp_path
):
    thresholds = '-s', 'uncalibrated=thresholds', '-s', 'min_similarity=0.1'
    done = placerec('replay', drives[1], '--map', map_path, '-o', tmp_path / 'done', *thresholds)
    assert done.returncode == 0, done.stderr
    log = tmp_path / 'done' / 'recognitions.jsonl'
    lines = log.read_text().splitlines()
    refused = lines[0].replace(
        '"accepted": true, "reason": null', '"accepted": false, "reason": "x"'
    )
    assert refused != lines[0]
    log.write_text('\n'.join([refused, *lines[1:]]))
    film = tmp_path / f'film.{kind}'
    write_film(film, drives[0], drives[1], log, load_map(map_path), make_config({}))
    with Image.open(film) as made:
        assert (made.size, made.n_frames) == ((640, 360), (len(lines) + 1) // 2)
        spread = []
        for number in (0, 2):
            made.seek(number)
            spread.append(np.asarray(made.convert('L'))[:180, 330:].std())
    assert spread[0] < 3 < 20 < spread[1]  # a refused frame has no place beside it


def test_another_kind_of_film_is_refused(tmp_path):
    with pytest.raises(InputError, match=r'film\.mp4: expected a name that ends in \.gif'):
        check_film(tmp_path / 'film.mp4')
