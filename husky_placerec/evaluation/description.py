"""Description of drives by several methods at once, so that each image is decoded once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
import itertools
from pathlib import Path
import tempfile
import time
from typing import Any

from husky_placerec.config import Config
from husky_placerec.data.problems import MAX_BROKEN
from husky_placerec.data.source import config_of_source, decoded_or_empty, open_source, Source
from husky_placerec.descriptor.extractor import DescriptorExtractor, load_extractor
from husky_placerec.descriptor.local.extractor import load_local, LocalExtractor
from husky_placerec.descriptor.local.network import LocalValues
from husky_placerec.descriptor.local.spec import LocalSpec
from husky_placerec.descriptor.masking import covered
from husky_placerec.descriptor.preparation import needed_by
from husky_placerec.descriptor.spec import DescriptorSpec, resolve_spec
from husky_placerec.evaluation.cache import cache_key, Descriptors, DescriptorStore, NO_LOCAL
from husky_placerec.progress import Passing
from husky_placerec.recognition.image_check import usable_images
from husky_placerec.types import Frame, Pixels
import numpy as np


@dataclass(frozen=True)
class Described:
    """
    A source as several methods describe it.

    :param by_method: the descriptors of all frames of the source, by the name of the method.
    :param specs: what made the descriptors, by the name of the method.
    :param local_specs: what made the local descriptors, by the name of the method: one for each
        branch of the network; without the methods that have none.
    :param problems: what is wrong with the source, one line for each kind of problem.
    """

    by_method: Mapping[str, Descriptors]
    specs: Mapping[str, DescriptorSpec]
    local_specs: Mapping[str, Sequence[LocalSpec]]
    problems: list[str]


def describe_source(
    path: Path,
    kind: str | None,
    methods: Mapping[str, Config],
    cache: Path | None,
    bar_of: Callable[[str], Passing] = lambda _: lambda items, _: items,
    max_broken: float = MAX_BROKEN,
) -> Described:
    """
    Describe all frames of a source by each method, as far as the cache does not have them.

    :param methods: the configuration of each method by its name; they differ in the extractor.
    :param max_broken: share of the images of a camera that may be broken, 0 to 1.
    :param cache: folder of the cache; None: descriptors are not kept.
    :param bar_of: makes a progress bar, given the names of the methods at work.
    :raises InputError: for a source or a model that cannot be read.
    """
    if cache is None:
        with tempfile.TemporaryDirectory(prefix='placerec-') as folder:
            described = describe_source(path, kind, methods, Path(folder), bar_of, max_broken)
            # The files are about to be deleted: copy what is mapped from them.
            kept = {
                name: Descriptors(*(np.array(column) for column in vars(each).values()))
                for name, each in described.by_method.items()
            }
            return Described(kept, described.specs, described.local_specs, described.problems)
    with open_source(path, kind, max_broken) as source:
        seen_by = {name: config_of_source(source, each)[0] for name, each in methods.items()}
        config = next(iter(seen_by.values()))
        # Of the methods with masks, if there are any: the others take no notice of them.
        config = next((each for each in seen_by.values() if each.masks), config)
        extractors = {name: _loaded(each) for name, each in seen_by.items()}
        locals_ = {
            name: load_local(each, extractors[name].spec)
            for name, each in seen_by.items()
            if each.local
        }
        limit = '' if max_broken == MAX_BROKEN else f' {max_broken:g}'

        def state(name: str) -> str:
            # What another limit let pass is not taken from the cache.
            return source.fingerprint(seen_by[name]) + limit

        def local_spec(name: str) -> LocalSpec | None:
            return locals_[name].spec if name in locals_ else None

        stores = {
            name: DescriptorStore(cache / cache_key(state(name), extractor.spec, local_spec(name)))
            for name, extractor in extractors.items()
        }
        missing = {name: store for name, store in stores.items() if not store.complete}
        if missing:
            _describe(source, config, extractors, locals_, missing, bar_of('; '.join(missing)))
    problems = [line for store in stores.values() for line in store.problems()]
    return Described(
        {name: store.load() for name, store in stores.items()},
        {name: extractor.spec for name, extractor in extractors.items()},
        {name: [each.spec_of(b) for b in each.branches] for name, each in locals_.items()},
        list(dict.fromkeys(problems)),
    )


_EXTRACTORS: dict[tuple[Any, ...], DescriptorExtractor] = {}


def _loaded(config: Config) -> DescriptorExtractor:
    """Load each model once in a process, rather than once for each drive and its cameras."""
    how = config.device, config.runtime, config.precision, config.torch_compile, config.masks
    key = resolve_spec(config, None), config.threads, *how
    if key not in _EXTRACTORS:
        _EXTRACTORS[key] = load_extractor(config)
    extractor = _EXTRACTORS[key].seen_by(config)
    extractor.use_masks(config)
    return extractor


def _describe(
    source: Source,
    config: Config,
    extractors: Mapping[str, DescriptorExtractor],
    locals_: Mapping[str, LocalExtractor],
    stores: Mapping[str, DescriptorStore],
    progress: Passing,
) -> None:
    """Continue after the last frame that all stores have, and complete every store."""
    begin = min(store.done for store in stores.values())
    encoded = itertools.islice(source.frames(config), begin, None)

    # A frame without an image that decodes keeps its row, as a frame without cameras.
    needs = needed_by(
        config,
        *(each.preparation for each in extractors.values()),
        *(each.preparation for each in locals_.values()),
    )
    total = source.frame_count(config) - begin
    frames = progress(decoded_or_empty(source, encoded, config.max_pixels, needs), total)
    for number, frame in enumerate(frames, begin):
        seen = [camera in frame.images for camera in config.cameras]
        for name, store in stores.items():
            if number >= store.done:
                began = time.perf_counter()
                shares = extractors[name].static_shares(frame)
                descriptor = extractors[name].describe(frame, shares)
                cells, far = _cells(locals_.get(name), frame)
                seconds = time.perf_counter() - began
                clear = usable_images(frame, covered(shares)).images
                usable = [camera in clear for camera in config.cameras]
                store.add(frame.stamp_ns, descriptor, seen, usable, seconds, cells, far)
    for store in stores.values():
        store.finish(source.problems.lines())


def _cells(local: LocalExtractor | None, frame: Frame[Pixels]) -> tuple[LocalValues, float]:
    """Return the local descriptors of a frame, and the share of its images that are far."""
    if local is None:
        return NO_LOCAL, 0.0
    far = local.far(frame) if len(local.branches) > 1 else []
    return local.describe_each(frame), float(np.mean(far)) if far else 0.0
