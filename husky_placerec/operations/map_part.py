"""What operations that give a map a part by its own drives have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from husky_placerec.errors import InputError
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.storage import edit_map


def require_every_place(
    place_map: PlaceMap, missing: Iterable[int], sources: Sequence[Path]
) -> None:
    """
    Check that the drives show every place of a map.

    :param missing: places without a frame in any source.
    :raises InputError: that names the tracks of the missing places.
    """
    places = list(missing)
    if not places:
        return
    tracks = sorted({place_map.places.tracks[place] for place in places})
    raise InputError(
        f'{place_map.name}: {len(places)} of {len(place_map)} places, of {", ".join(tracks)}, '
        f'have no frame in {", ".join(map(str, sources))}; expected the drives that the map was '
        'made of'
    )


def edit_same_version(
    path: Path, old: PlaceMap, change: Callable[[PlaceMap], PlaceMap]
) -> PlaceMap:
    """
    Change a map on the disk, if it is still the one that the work began with.

    :param old: the map as it was read.
    :raises InputError: where another command has changed the map meanwhile.
    """

    def changed(current: PlaceMap) -> PlaceMap:
        if current.version != old.version:
            raise InputError(f'{path}: was changed meanwhile; run the command again')
        return change(current)

    return edit_map(path, changed)
