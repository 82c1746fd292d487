"""Maps whose frames have different origins on the Earth."""

from __future__ import annotations

from husky_placerec.placemap.building import now
from husky_placerec.placemap.moving import transform
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.types import GeoOrigin, Pose
import numpy as np
from scipy.spatial.transform import Rotation

SITE_M = 20_000.0  # more is another site, where a flat frame does not hold


def at_origin_of(one: PlaceMap, other: PlaceMap) -> PlaceMap:
    """
    Return a map in the frame of another one, if the geographic origins of both are known.

    The frames have x to the east, y to the north and z up at their origins. The map itself is
    returned where nothing is to be done, and where the origins are too far apart for one site.
    """
    if one.origin is None or other.origin is None or one.origin == other.origin:
        return other
    if distance_m(one, other) > SITE_M:
        return other
    moved = transform(other, pose_of_origin(other.origin, one.origin))
    return moved.with_poses(moved.places.poses, moved.frame_id, one.origin, now())


def distance_m(one: PlaceMap, other: PlaceMap) -> float:
    """Return the distance of the geographic origins of two maps that have one."""
    assert one.origin is not None
    assert other.origin is not None
    return float(np.linalg.norm(pose_of_origin(other.origin, one.origin).as_array()[:3]))


def pose_of_origin(origin: GeoOrigin, frame: GeoOrigin) -> Pose:
    """Return the pose of the east, north, up frame at one origin in that at another."""
    import pymap3d  # imported on demand: most maps have no geographic origin

    there = frame.latitude, frame.longitude, frame.altitude
    position = pymap3d.geodetic2enu(origin.latitude, origin.longitude, origin.altitude, *there)
    turn = _to_earth(frame).inv() * _to_earth(origin)
    return Pose.from_array([*map(float, position), *turn.as_quat()])


def _to_earth(origin: GeoOrigin) -> Rotation:
    """Return the rotation from east, north, up to the Earth-centred frame (ECEF)."""
    # Up is turned from z to the zenith, and east from x to the east (intrinsic z, then x).
    return Rotation.from_euler(
        'ZX', [origin.longitude + 90.0, 90.0 - origin.latitude], degrees=True
    )
