"""The choice whether a map is centred by session."""

from __future__ import annotations

from husky_placerec.descriptor.centring import LEAST_PLACES
from husky_placerec.placemap.place_map import PlaceMap

AUTO, ON, OFF = 'auto', 'on', 'off'
# Of the shipped network, 82 to 90 % are common on real images, where centring raises the recall on
# two sets of three; 29 to 34 % on rendered ones, where it does not; 61 % on a rendered drive of
# 60 m, which says more about its street than about its session (docs/real_images.md).
LEAST_COMMON = 0.7


def centred_as_asked(place_map: PlaceMap, asked: str) -> PlaceMap:
    """
    Return a map centred or not.

    :param asked: `on`, `off`, or `auto`: where most of a descriptor is common to its track.
    """
    if asked == OFF or len(place_map) < LEAST_PLACES:
        return place_map
    centring = place_map.fit_centring()
    if asked == AUTO and centring.common < LEAST_COMMON:
        return place_map
    return place_map.centred(centring)


def centring_note(place_map: PlaceMap, asked: str) -> str:
    """Return a sentence on what was chosen, and why."""
    if asked == OFF:
        return 'centring: off, as asked'
    if len(place_map) < LEAST_PLACES:
        return f'centring: off, since {len(place_map)} places are too few; {LEAST_PLACES} suffice'
    common = place_map.fit_centring().common
    shared = f'{common:.0%} of a descriptor is common to its track'
    if place_map.gain is not None:
        chosen = 'on' if place_map.centring is not None else 'off'
        return f'centring: {chosen}, by the recall on the validation drive; {shared}'
    if place_map.centring is None:
        return f'centring: off, since only {shared}'
    return f'centring: by session, since {shared}'
