"""Two drives of tiny images for the page, and what the commands make of them."""

from __future__ import annotations

from husky_placerec.cli.main import app
import numpy as np
from support.builders import encode, smooth_image
from typer.testing import CliRunner

COUNT = 12
SPACING_M = 5.0
MISLED, AS = 6, 1  # a frame of the second drive, and the place whose images it has
# Whoever shows this as HTML has a page with another title.
DRIVEN = "<b>driven<img src=x onerror=document.title='taken'>"


def images_of(place, noise=0):
    """Return front and back image of a place, with noise of that seed."""
    found = {}
    for camera, seed in (('front', 100 + place), ('back', 200 + place)):
        image = smooth_image(seed, 320, 192, 12).astype(np.int64)
        if noise:
            image += np.random.default_rng(noise).integers(-12, 13, image.shape)
        found[camera] = image.clip(0, 255).astype(np.uint8)
    return found


def write_drive(folder, shift_m=0.0, misled=None, noise=0):
    """
    Write a drive eastwards, a frame each SPACING_M.

    :param misled: of this frame the images are those of place AS.
    """
    folder.mkdir(parents=True)
    lines = ['stamp,front,back,x,y,z,yaw']
    for row in range(COUNT):
        images = images_of(AS if row == misled else row, noise + row if noise else 0)
        names = [f'{camera}_{row}.png' for camera in images]
        for name, image in zip(names, images.values()):
            (folder / name).write_bytes(encode(image))
        stamp = 1_700_000_000 + 5 * row + round(1000 * shift_m)
        lines.append(f'{stamp},{",".join(names)},{SPACING_M * row + shift_m},0,0,0')
    (folder / 'frames.csv').write_text('\n'.join(lines) + '\n')
    return folder


def write_world(folder):
    """Write two drives, a map of the first, a replay of the second, and an evaluation of both."""
    mapped = write_drive(folder / 'mapped')
    driven = write_drive(folder / DRIVEN, 1.0, misled=MISLED, noise=1000)
    hog = '-s', 'extractor=hog', '-s', 'uncalibrated=thresholds', '-s', 'min_similarity=0.5'
    map_path = folder / 'tiny.map'
    run('map', 'build', mapped, map_path, '--thumbnails', 160, *hog[:2])
    run('replay', driven, '--map', map_path, '-o', folder / 'replayed', *hog[2:])
    run('evaluate', mapped, driven, '--no-baselines', '-o', folder / 'evaluated', *hog)
    return folder


def run(*words):
    """Run a command line that succeeds."""
    ended = CliRunner().invoke(app, [str(word) for word in words])
    assert ended.exit_code == 0, ended.output
