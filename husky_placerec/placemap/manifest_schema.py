"""The schema of `map.json`; docs/map_format.md describes the keys."""

from __future__ import annotations

from husky_placerec.placemap.index_plan import INDEX_KINDS
from husky_placerec.schema import (
    anything,
    boolean,
    choice,
    integer,
    items,
    mapping,
    none_or,
    number,
    record,
    text,
)

MOST_PLACES = 100_000_000
MOST_CAMERAS = 16

_SHARES = mapping(number(0, 1), text(64), most=64)
_FILE = record({'name': text(255), 'sha256': text(64, '[0-9a-f]{64}')})
_FILES = record(
    {'places': _FILE, 'descriptors': _FILE},
    dict.fromkeys(
        (
            *('projection', 'whitening', 'centring', 'lengths'),
            *(
                'index',
                'directions',
                'thumbnails',
                'local',
                'landmarks',
                'probes',
                'probed',
                'texts',
            ),
        ),
        _FILE,
    ),
)
_INDEX = record(
    {
        'kind': choice(*INDEX_KINDS),
        'shortlist': integer(0, MOST_PLACES * MOST_CAMERAS),
        'breadth': integer(0, MOST_PLACES * MOST_CAMERAS),
        'lists': integer(0, 1 << 20),
        'recall': _SHARES,
        'queries': integer(0, MOST_PLACES),
        'cpu_ms': number(0, 1e9),
    }
)
_ORIGIN = record(
    {
        'latitude': number(-90, 90),
        'longitude': number(-180, 180),
        'altitude': number(-20_000, 100_000),
    }
)

# The keys of `descriptor` are those of `DescriptorSpec`, whose `from_json` checks them, and
# `recognition.calibration` checks a calibration.
MANIFEST_SCHEMA = record(
    {
        'places': integer(0, MOST_PLACES),
        'frame_id': text(255, r'\S.*'),
        'descriptor': mapping(anything, text(64), most=64),
        'opposites': none_or(items(text(64), most=MOST_CAMERAS)),
        'created': text(64),
        'sources': mapping(text(), text()),
        'index': _INDEX,
        'files': _FILES,
    },
    {
        'origin': _ORIGIN,
        'whitening_gain': mapping(_SHARES, choice('raw', 'centred', 'whitened')),
        'view_change': number(0, 2),
        'cameras': mapping(anything, text(64), most=MOST_CAMERAS),
        'view': text(1024),
        'local': mapping(anything, text(64), most=64),
        'landmarks': mapping(anything, text(64), most=64),
        'simulated': boolean,
        'calibration': mapping(anything, text(64), most=64),
    },
)
