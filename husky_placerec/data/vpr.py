"""
File names of images for the evaluation tools of visual place recognition.

The convention of VPR-methods-evaluation, the deep visual geo-localization benchmark and
VPR-datasets-downloader (github.com/gmberton): `@ UTM_east @ UTM_north @ UTM_zone_number @
UTM_zone_letter @ latitude @ longitude @ pano_id @ tile_num @ heading @ pitch @ roll @ height @
timestamp @ note @ .jpg`. Only east and north are required, and only their differences count.
"""

from __future__ import annotations

from datetime import datetime, timezone
import math

from husky_placerec.types import GeoOrigin, Pose, SECOND_NS


def image_name(pose: Pose, stamp_ns: int, origin: GeoOrigin | None = None) -> str:
    """
    Return the file name of an image.

    East and north are x and y of the map frame in metres, without a UTM zone. The heading is that
    of the robot, in whole degrees clockwise from north (y of the map). The pano_id is the stamp in
    ns, so that names are unique.

    :param origin: if it is known, the name has latitude and longitude, too.
    """
    latitude, longitude = _latitude(pose, origin) if origin is not None else ('', '')
    ahead = pose.rotation.apply([1.0, 0.0, 0.0])
    heading = round(math.degrees(math.atan2(ahead[0], ahead[1]))) % 360
    time = datetime.fromtimestamp(stamp_ns // SECOND_NS, timezone.utc)
    fields = [
        *(f'{pose.x:.3f}', f'{pose.y:.3f}', '', '', latitude, longitude),
        *(stamp_ns, '', f'{heading:03d}', '', '', '', f'{time:%Y%m%d_%H%M%S}', ''),
    ]
    return '@' + '@'.join(map(str, fields)) + '@.jpg'


def _latitude(pose: Pose, origin: GeoOrigin) -> tuple[str, str]:
    import pymap3d  # imported on demand: most maps have no geographic origin

    latitude, longitude, _ = pymap3d.enu2geodetic(
        pose.x, pose.y, pose.z, origin.latitude, origin.longitude, origin.altitude
    )
    return f'{latitude:.7f}', f'{longitude:.7f}'
