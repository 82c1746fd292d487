"""Whether the headings of a map can be those of a robot."""

from __future__ import annotations

from collections.abc import Iterator

from husky_placerec.data.soundness.headings import doubts_of_headings
from husky_placerec.data.trajectory import Trajectory
from husky_placerec.placemap.place_map import PlaceMap


def doubts_of_map(place_map: PlaceMap) -> Iterator[str]:
    """Yield the doubts about the headings of each track of a map, in sentences."""
    places = place_map.places
    of_track: dict[str, list[int]] = {}
    for row, track in enumerate(places.tracks):
        of_track.setdefault(track, []).append(row)
    for track, rows in of_track.items():
        poses = places.poses[rows].tolist()
        driven = Trajectory.make(places.stamps_ns[rows].tolist(), poses, track)
        for doubt in doubts_of_headings(driven, None):
            yield f'track {track}: {doubt.what}; build the map again with --heading'
