"""Fixtures of several test modules of this folder."""

from __future__ import annotations

import hashlib
import json
from types import SimpleNamespace

from husky_placerec.placemap.manifest import signed
from husky_placerec.placemap.storage import save_map
import pytest
from support.builders import random_map
from support.saved_maps import GONE, PARTLY


@pytest.fixture
def saved(tmp_path):
    """Save a map; say where it is, and change its files."""
    path = tmp_path / 'maps' / 'campus'
    save_map(random_map(present=PARTLY, count=40), path)

    def about():
        values = json.loads((path / 'map.json').read_text(encoding='utf-8'))
        return {key: value for key, value in values.items() if key != 'sha256'}

    def file(kind):
        return path / about()['files'][kind]['name']

    def change(**changes):
        """Write another map.json, whole for all its checksum says; None removes a key."""
        values = {key: value for key, value in {**about(), **changes}.items() if value is not GONE}
        (path / 'map.json').write_text(json.dumps(signed(values)))

    def rewrite(kind, data):
        """Write a data file together with its hash."""
        file(kind).write_bytes(data)
        entry = {'name': file(kind).name, 'sha256': hashlib.sha256(data).hexdigest()}
        change(files={**about()['files'], kind: entry})

    return SimpleNamespace(path=path, about=about, file=file, change=change, rewrite=rewrite)
