"""`--overwrite` on the command line: what the user has is refused before any work, and kept."""

from __future__ import annotations

import os

from husky_placerec.errors import InputError
import pytest
from support.commands import assert_refused
from support.needs import needs

HOG = '--set', 'extractor=hog'


def words_of(command, drives, map_path, out):
    return {
        'replay': ('replay', drives[1], '--map', map_path, '-o', out),
        'evaluate': ('evaluate', *drives[:2], '-o', out, *HOG),
        'sim': ('sim', out, '--length', '9'),
        'sim, two': ('sim', out.parent, '--condition', out.name, '--condition', 'fog'),
        'convert': ('convert', drives[0], out),
        'build': ('map', 'build', drives[0], out, *HOG),
        'merge': ('map', 'merge', out, map_path, map_path),
        'prune': ('map', 'prune', map_path, out),
        'export': ('map', 'export', map_path, out.with_suffix('.npz')),
    }[command]


COMMANDS = ['replay', 'evaluate', 'sim', 'sim, two', 'convert', 'build', 'merge', 'prune']


@pytest.mark.parametrize('command', COMMANDS)
def test_a_folder_of_the_user_is_refused_and_kept(command, drives, map_path, tmp_path, placerec):
    thesis = tmp_path / 'night' / 'thesis.tex'
    thesis.parent.mkdir()
    thesis.write_text('years of work')
    words = words_of(command, drives, map_path, thesis.parent)
    refused = placerec(*words, '--overwrite')
    assert_refused(refused, thesis.parent, 'not overwritten')
    assert [path.name for path in tmp_path.rglob('*')] == ['night', 'thesis.tex']
    assert thesis.read_text() == 'years of work'


@pytest.mark.parametrize('command', [*COMMANDS, 'export'])
def test_a_file_or_a_link_of_the_user_is_refused_and_kept(
    command, drives, map_path, tmp_path, placerec
):
    thesis, out = tmp_path / 'thesis.tex', tmp_path / 'night'
    thesis.write_text('years of work')
    (tmp_path / 'night.npz').mkdir()  # a file is expected here
    for make in (out.symlink_to, lambda target: os.link(target, out)):
        make(thesis)
        refused = placerec(*words_of(command, drives, map_path, out), '--overwrite')
        assert_refused(refused, 'night', 'not overwritten')
        assert out.read_text() == thesis.read_text() == 'years of work'
        out.unlink()


@pytest.mark.parametrize('command', ['replay', 'evaluate', 'sim', 'convert', 'build'])
@pytest.mark.parametrize('out', ['.', '..', 'inside/..'])
def test_the_current_folder_and_those_around_it_are_kept(
    command, out, drives, map_path, tmp_path, placerec, monkeypatch
):
    here = tmp_path / 'here'
    (here / 'inside').mkdir(parents=True)
    thesis = here / 'thesis.tex'
    thesis.write_text('years of work')
    monkeypatch.chdir(here)
    words = words_of(command, drives, map_path, here)
    words = [out if word is here else word for word in words]
    assert_refused(placerec(*words, '--overwrite'), out, 'not overwritten')
    assert thesis.read_text() == 'years of work'
    assert len(list(tmp_path.rglob('*'))) == 3


@needs('torch', 'timm', 'pytorch_metric_learning')
@pytest.mark.parametrize('command', ['train', 'ablate'])
def test_no_training_writes_into_a_folder_of_the_user(command, tmp_path):
    from husky_placerec.ablation.run import ablate
    from husky_placerec.training.run import train

    (tmp_path / 'recipe.yaml').write_text('years of work')
    run = {'train': train, 'ablate': ablate}[command]
    with pytest.raises(InputError, match='is no output of placerec'):
        run(None, tmp_path, resume=False, overwrite=True, say=print)
    assert (tmp_path / 'recipe.yaml').read_text() == 'years of work'


def test_an_older_result_is_replaced(drives, map_path, tmp_path, placerec):
    words = words_of('replay', drives, map_path, tmp_path / 'out')
    for more in ((), ('--overwrite',)):
        ended = placerec(*words, *more)
        assert ended.returncode == 0, ended.stderr
    (tmp_path / 'out' / 'notes.md').write_text('years of work')
    refused = placerec(*words, '--overwrite')
    assert_refused(refused, tmp_path / 'out', 'notes.md', 'placerec did not write')
    assert (tmp_path / 'out' / 'notes.md').is_file()
