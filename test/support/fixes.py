"""Satellite fixes and headings as messages, around one place on the Earth."""

from __future__ import annotations

import math

from husky_placerec.types import GeoOrigin
import numpy as np
from support.builders import header, TYPES

MIPT = GeoOrigin(55.929, 37.518, 190.0)
FIX, IMU = '/gps/fix', '/imu/data'
MAKE = {name.split('/')[-1]: message for name, message in TYPES.types.items()}


def fix(stamp_ns, latitude, longitude, altitude=190.0, status=0):
    return MAKE['NavSatFix'](
        header(stamp_ns, 'gps_link'),
        MAKE['NavSatStatus'](status, 1),
        latitude,
        longitude,
        altitude,
        np.zeros(9),
        0,
    )


def imu(stamp_ns, yaw, known=True):
    still = MAKE['Vector3'](0.0, 0.0, 0.0)
    turn = MAKE['Quaternion'](0.0, 0.0, math.sin(yaw / 2), math.cos(yaw / 2))
    covariance = np.full(9, 0.0 if known else -1.0)
    zero = np.zeros(9)
    return MAKE['Imu'](header(stamp_ns, 'imu'), turn, covariance, still, zero, still, zero)


def at(east, north):
    """Return latitude and longitude by the radii of curvature, not by the code under test."""
    a, e2, latitude = 6378137.0, 6.69437999014e-3, math.radians(MIPT.latitude)
    w2 = 1 - e2 * math.sin(latitude) ** 2
    meridian, normal = a * (1 - e2) / w2**1.5 + MIPT.altitude, a / math.sqrt(w2) + MIPT.altitude
    return (
        MIPT.latitude + math.degrees(north / meridian),
        MIPT.longitude + math.degrees(east / (normal * math.cos(latitude))),
    )
