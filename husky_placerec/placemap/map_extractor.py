"""The extractor of a map: of its model, in any runtime and precision whose descriptors agree."""

from __future__ import annotations

from husky_placerec.config import Config
from husky_placerec.descriptor.extractor import DescriptorExtractor, load_extractor
from husky_placerec.placemap.place_map import PlaceMap


def extractor_of(place_map: PlaceMap, config: Config) -> DescriptorExtractor:
    """
    Load the extractor that made a map, or that the configuration names.

    :raises InputError: for a model that cannot be loaded, is not the map's, or runs in a precision
        whose descriptors do not agree with those of the map.
    """
    probes = place_map.probes
    extractor = load_extractor(
        config, place_map.spec, place_map.cameras, place_map.projection, probes
    )
    return extractor.agreeing_with(place_map.spec, probes, place_map.name)
