"""The cache of descriptors: interrupted and resumed work, and what makes it describe anew."""

from __future__ import annotations

from dataclasses import replace
import os
import shutil
import threading

from husky_placerec.config import make_config
from husky_placerec.data.folder import ImageFolder
from husky_placerec.descriptor.extractor import DescriptorExtractor, load_extractor
from husky_placerec.errors import InputError
from husky_placerec.evaluation import cache as cache_module
from husky_placerec.evaluation.description import describe_source
from husky_placerec.files import cache_folder
from husky_placerec.pipeline import in_threads
import numpy as np
import pytest
from support.builders import encode, smooth_image

FRAMES = 10
PIXELS = make_config({'extractor': 'pixels'})
HOG = make_config({'extractor': 'hog'})


@pytest.fixture
def folder(tmp_path):
    """Write a folder of ten frames of two cameras."""
    path = tmp_path / 'drive'
    path.mkdir()
    lines = ['stamp,front,back,x,y,z,yaw']
    for i in range(FRAMES):
        for camera, seed in (('front', i), ('back', 100 + i)):
            (path / f'{camera}_{i}.png').write_bytes(encode(smooth_image(seed, 64, 48)))
        lines.append(f'{1_700_000_000 + i},front_{i}.png,back_{i}.png,{i},0,0,0')
    (path / 'frames.csv').write_text('\n'.join(lines))
    return path


@pytest.fixture
def described(monkeypatch):
    """Count the frames that are described, by extractor; a few make a shard."""
    monkeypatch.setattr(cache_module, 'SHARD', 3)
    counts = {}
    describe = DescriptorExtractor.describe

    def counted(self, *frame):
        counts[self.spec.extractor] = counts.get(self.spec.extractor, 0) + 1
        return describe(self, *frame)

    monkeypatch.setattr(DescriptorExtractor, 'describe', counted)
    return counts


def vectors(described, method='pixels'):
    return np.array(described.by_method[method].vectors)


def test_the_cache_has_the_descriptors_of_the_live_node(folder, tmp_path):
    found = describe_source(folder, None, {'pixels': PIXELS}, tmp_path / 'cache')
    extractor = load_extractor(PIXELS)
    for i, vector in enumerate(vectors(found)):
        for row, seed in enumerate((i, 100 + i)):
            expected = extractor._images.describe([resized(smooth_image(seed, 64, 48), extractor)])
            assert vector[row] == pytest.approx(expected[0], abs=1e-3)
    assert (np.diff(found.by_method['pixels'].stamps_ns) == 1_000_000_000).all()


def resized(image, extractor):
    from husky_placerec.descriptor.preparation import resize

    return resize(image, (extractor.spec.input_width, extractor.spec.input_height))


def test_the_second_time_nothing_is_described(folder, tmp_path, described):
    first = describe_source(folder, None, {'pixels': PIXELS}, tmp_path / 'cache')
    again = describe_source(folder, None, {'pixels': PIXELS}, tmp_path / 'cache')
    assert described == {'pixels': FRAMES}
    assert (vectors(first) == vectors(again)).all()


def test_an_interrupted_description_resumes_at_the_last_shard(folder, tmp_path, described):
    class Interrupted(Exception):
        pass

    def break_off(frames, total):
        for number, frame in enumerate(frames):
            if number == 8:  # two shards of three are written, two frames are lost
                raise Interrupted
            yield frame

    with pytest.raises(Interrupted):
        describe_source(folder, None, {'pixels': PIXELS}, tmp_path / 'cache', lambda _: break_off)
    assert described == {'pixels': 8}
    totals = []

    def bar_of(_):
        def count(frames, total):
            totals.append(total)
            return frames

        return count

    resumed = describe_source(folder, None, {'pixels': PIXELS}, tmp_path / 'cache', bar_of)
    assert described == {'pixels': 8 + 4}
    assert totals == [4]
    whole = describe_source(folder, None, {'pixels': PIXELS}, None)
    assert (vectors(resumed) == vectors(whole)).all()
    assert not list((tmp_path / 'cache').rglob('shard-*'))


@pytest.mark.parametrize('harm', [lambda f: f.write_bytes(b''), lambda f: f.write_bytes(b'PK-')])
def test_a_damaged_shard_is_made_anew(folder, tmp_path, described, harm):
    def break_off(frames, total):
        for number, frame in enumerate(frames):
            if number == 7:
                raise RuntimeError
            yield frame

    with pytest.raises(RuntimeError):
        describe_source(folder, None, {'pixels': PIXELS}, tmp_path / 'cache', lambda _: break_off)
    harm(sorted((tmp_path / 'cache').rglob('shard-*'))[1])
    resumed = describe_source(folder, None, {'pixels': PIXELS}, tmp_path / 'cache')
    assert described == {'pixels': 7 + 7}
    assert len(vectors(resumed)) == FRAMES


def test_a_method_that_comes_later_does_not_repeat_the_others(folder, tmp_path, described):
    describe_source(folder, None, {'pixels': PIXELS}, tmp_path / 'cache')
    titles = []

    def bar_of(methods):
        titles.append(methods)
        return lambda items, _: items

    methods = {'pixels': PIXELS, 'HOG': HOG}
    both = describe_source(folder, None, methods, tmp_path / 'cache', bar_of)
    assert titles == ['HOG']  # the bar names what is computed
    assert described == {'pixels': FRAMES, 'hog': FRAMES}
    assert vectors(both, 'HOG').shape[:2] == (FRAMES, 2)


def test_an_image_that_changed_is_described_anew(folder, tmp_path, described):
    before = describe_source(folder, None, {'pixels': PIXELS}, tmp_path / 'cache')
    image = folder / 'back_4.png'
    image.write_bytes(encode(smooth_image(77, 64, 48)))
    os.utime(image, ns=(1, 1))  # also where the clock has not moved on
    after = describe_source(folder, None, {'pixels': PIXELS}, tmp_path / 'cache')
    assert described == {'pixels': 2 * FRAMES}
    changed = (vectors(before) != vectors(after)).any(axis=2)
    assert np.argwhere(changed).tolist() == [[4, 1]]


def test_a_drive_that_moved_keeps_its_descriptors(folder, tmp_path, described):
    describe_source(folder, None, {'pixels': PIXELS}, tmp_path / 'cache')
    shutil.move(folder, tmp_path / 'elsewhere')
    describe_source(tmp_path / 'elsewhere', None, {'pixels': PIXELS}, tmp_path / 'cache')
    assert described == {'pixels': FRAMES}


def test_the_key_depends_on_all_that_the_descriptors_depend_on(folder):
    extractor = load_extractor(PIXELS)
    with ImageFolder(folder) as source:
        fingerprint = source.fingerprint(PIXELS)
        turned = source.fingerprint(make_config({'cameras': ['back', 'front']}))
    spec = extractor.spec
    others = [
        cache_module.cache_key(turned, spec),
        cache_module.cache_key(fingerprint, replace(spec, cameras=('back', 'front'))),
        cache_module.cache_key(fingerprint, replace(spec, weights_sha256='other weights')),
        cache_module.cache_key(fingerprint, replace(spec, input_width=64)),
    ]
    own = cache_module.cache_key(fingerprint, spec)
    assert len({own, *others}) == 5
    assert own == cache_module.cache_key(fingerprint, replace(spec, weights='moved.pth'))


def test_a_broken_image_is_reported_also_from_the_cache(folder, tmp_path, described):
    (folder / 'front_2.png').write_bytes(b'no image')
    words = folder, None, {'pixels': PIXELS}, tmp_path / 'cache'
    first = describe_source(*words)
    again = describe_source(*words)
    assert described == {'pixels': FRAMES}
    with pytest.raises(InputError, match=r'1 x front image that does not decode: .*front_2\.png'):
        describe_source(*words, max_broken=0.0)  # also when the cache has it by another limit
    assert first.problems == again.problems
    assert 'front_2.png' in first.problems[0]
    assert (vectors(again)[2].any(axis=1) == [False, True]).all()


def test_no_cache_leaves_nothing_behind(folder, tmp_path, monkeypatch):
    monkeypatch.setenv('TMPDIR', str(tmp_path / 'tmp'))
    monkeypatch.setattr('tempfile.tempdir', None)
    (tmp_path / 'tmp').mkdir()
    found = describe_source(folder, None, {'pixels': PIXELS}, None)
    assert vectors(found).any()
    assert not list((tmp_path / 'tmp').iterdir())


def test_the_default_folder_is_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    assert cache_folder() == tmp_path / 'husky_placerec'


def test_decoding_runs_ahead_by_a_limit_and_keeps_the_order():
    started, release = [], threading.Event()

    def make(item):
        started.append(item)
        if item == 0:
            release.wait(5)
        return item

    made = in_threads(make, iter(range(100)), threads=2, ahead=4)
    threading.Timer(0.05, release.set).start()
    assert next(made) == 0
    assert set(started) <= set(range(4))
    assert list(made) == list(range(1, 100))


def test_an_error_while_decoding_reaches_the_caller():
    def make(item):
        if item == 5:
            raise ValueError('the sixth')
        return item

    with pytest.raises(ValueError, match='the sixth'):
        list(in_threads(make, range(10), threads=2, ahead=3))
