"""
The two protocols of drives, `standard` and `hard`: defaults of a drive by difficulty.

`standard` is a small campus. Its drives differ in light, weather, traffic and about half a metre
of lateral offset. Small networks nearly solve it, so it hardly distinguishes good networks. `hard`
imitates the changes of a year on a real campus: a long route with streets that look alike, lane
changes, facades that are repainted or behind scaffolding, snow banks and heaps of leaves, lorries
at the kerb, and three times the traffic.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from husky_placerec.campus.drives import DriveConfig
from husky_placerec.errors import InputError

STANDARD, HARD = 'standard', 'hard'

# The values that a protocol changes in the defaults of a DriveConfig.
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
    Return the configuration of a protocol with some values changed.

    :raises InputError: for an unknown protocol.
    """
    if protocol not in PROTOCOLS:
        known = ', '.join(PROTOCOLS)
        raise InputError(f'protocol {protocol!r} is unknown; expected one of {known}')
    return DriveConfig(**{**PROTOCOLS[protocol], **changes})
