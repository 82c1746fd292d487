"""Pictures of a map from someone else: what could fill the memory, or is broken, is not there."""

from __future__ import annotations

import zipfile

from husky_placerec.placemap import thumbnails
from husky_placerec.placemap.thumbnails import ThumbnailFile, ThumbnailList, write_thumbnails
import pytest

PICTURE = b'\xff\xd8 a picture'


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / 'thumbnails.zip'
    write_thumbnails(path, ThumbnailList([{'front': PICTURE}]), 1, ['front'])
    return path


def test_a_picture_comes_back(archive):
    assert ThumbnailFile(archive).jpeg(0, 'front') == PICTURE
    assert ThumbnailFile(archive).jpeg(1, 'front') is None


def test_a_picture_that_is_compressed_or_too_large_is_not_read(archive, monkeypatch):
    with zipfile.ZipFile(archive, 'a', zipfile.ZIP_DEFLATED) as opened:
        opened.writestr('0000001_front.jpg', bytes(10_000))
    assert ThumbnailFile(archive).jpeg(1, 'front') is None
    monkeypatch.setattr(thumbnails, 'MOST_BYTES', len(PICTURE) - 1)
    assert ThumbnailFile(archive).jpeg(0, 'front') is None


def test_a_broken_picture_is_not_there(archive):
    data = archive.read_bytes()
    archive.write_bytes(data.replace(PICTURE, PICTURE[::-1], 1))
    assert ThumbnailFile(archive).jpeg(0, 'front') is None
