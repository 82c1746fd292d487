"""
The two named protocols of drives: how hard a campus and the drives on it are.

`standard` is a small campus where drives differ in light, weather, traffic and half a metre. Small
networks nearly solve it, so it tells little about a good one. `hard` is what a year on a real
campus does to a map: a long route with streets that look alike, another lane, facades repainted
or behind scaffolding, snow banks and heaps of leaves, lorries at the kerb, three times the
traffic.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from husky_placerec.campus.drives import DriveConfig
from husky_placerec.errors import InputError

STANDARD, HARD = 'standard', 'hard'

# What a protocol changes in the defaults of a DriveConfig.
PROTOCOLS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        STANDARD: {},
        HARD: {
            'route_m': 2000.0,
            'aliasing': 0.6,
            'lane_change_m': 2.6,
            'heading_deg': 8.0,
            'traffic': 3.0,
            'lorries': 0.03,
            'changed_facades': 0.1,
            'scaffolding': 0.03,
            'snow_banks': 0.3,
            'leaves': 0.3,
        },
    }
)


def drive_of(protocol: str, **changes: Any) -> DriveConfig:
    """
    Return a drive by a protocol, but for what is given.

    :raises InputError: when there is no such protocol.
    """
    if protocol not in PROTOCOLS:
        known = ', '.join(PROTOCOLS)
        raise InputError(f'protocol {protocol!r} is unknown; expected one of {known}')
    return DriveConfig(**{**PROTOCOLS[protocol], **changes})
