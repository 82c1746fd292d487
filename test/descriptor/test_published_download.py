"""The download of a checkpoint: licence, progress, hash, going on, and what to do without it."""

from __future__ import annotations

from dataclasses import replace
import hashlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import threading

from husky_placerec.descriptor.published.cache import cached_file, published_file
from husky_placerec.descriptor.published.presets import PRESETS
from husky_placerec.errors import InputError
import pytest

DATA = bytes(range(256)) * 4000  # more than a block
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    monkeypatch.setenv('no_proxy', '*')
    return tmp_path / 'husky_placerec' / 'networks'


@pytest.fixture
def server():
    """Serve DATA, also from where a request asks; `stop_at` cuts an answer off."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked = self.headers.get('Range')
            self.server.asked.append(asked)
            start = int(asked.split('=')[1].rstrip('-')) if asked else 0
            self.send_response(206 if asked else 200)
            self.send_header('Content-Length', str(len(DATA) - start))
            self.end_headers()
            self.wfile.write(DATA[start : self.server.stop_at])

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(('127.0.0.1', 0), Handler) as served:
        served.asked, served.stop_at = [], len(DATA)
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield served
        served.shutdown()
        thread.join()


def preset_at(server, **changes):
    url = f'http://127.0.0.1:{server.server_port}/a.pth'
    made = PRESETS['salad']
    return replace(made, checkpoint=replace(made.checkpoint, url=url, **changes))


def test_the_licence_is_shown_once_and_the_file_is_kept(server):
    said = []
    preset = preset_at(server)
    file = published_file('salad', preset, said.append)
    assert file.read_bytes() == DATA and not list(file.parent.glob('*.part'))
    assert 'licence of the code: GPL-3.0, of the weights: not stated' in said[0]
    assert 'make sure that you may use them' in said[1]
    assert said[2] == f'salad: SHA-256 {SHA256}; nobody has checked this hash'
    published_file('salad', preset, said.append)
    assert len(said) == 3 and server.asked == [None]


def test_a_known_hash_and_a_free_licence_need_no_remark(server):
    said = []
    free = {'code_licence': 'MIT', 'weights_licence': 'MIT', 'sha256': SHA256}
    published_file('salad', preset_at(server, **free), said.append)
    assert len(said) == 1


def test_an_interrupted_download_goes_on(server):
    preset = preset_at(server, sha256=SHA256)
    server.stop_at = 300_000
    with pytest.raises(InputError, match=r'a\.pth cannot be downloaded'):
        published_file('salad', preset, lambda _: None)
    server.stop_at = len(DATA)
    assert published_file('salad', preset, lambda _: None).read_bytes() == DATA
    assert server.asked == [None, 'bytes=300000-']


def test_a_file_of_another_hash_is_removed(server, cache):
    with pytest.raises(InputError, match=f'has the SHA-256 {SHA256}, expected 00'):
        published_file('salad', preset_at(server, sha256='0' * 64), lambda _: None)
    assert not list(cache.iterdir())


def test_an_altered_file_of_the_cache_is_refused(server):
    preset = preset_at(server)
    file = published_file('salad', preset, lambda _: None)
    file.write_bytes(DATA[:-1])
    with pytest.raises(InputError, match=f'truncated or altered; its SHA-256 .*expected {SHA256}'):
        published_file('salad', preset, lambda _: None)


def test_without_the_network_the_error_names_the_file_its_hash_and_its_place(cache):
    made = PRESETS['salad']
    url = 'http://127.0.0.1:9/dino_salad.ckpt'  # nobody listens there
    preset = replace(made, checkpoint=replace(made.checkpoint, url=url, sha256='a' * 64))
    with pytest.raises(InputError) as caught:
        published_file('salad', preset, lambda _: None)
    for word in (url, 'a' * 64, str(cache / 'dino_salad.ckpt')):
        assert word in str(caught.value)


def test_a_checkpoint_that_only_a_person_can_get_is_named():
    with pytest.raises(InputError, match=r'github\.com/amaralibey/MixVPR, and give the file'):
        published_file('mixvpr', PRESETS['mixvpr'], lambda _: None)
    file = cached_file(PRESETS['mixvpr'])
    file.parent.mkdir(parents=True)
    file.write_bytes(DATA)
    assert published_file('mixvpr', PRESETS['mixvpr'], lambda _: None) == file
