"""The real image sets of `../shared/data`: two traverses each, with the place of every image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
from husky_placerec.types import Frame, Indices, Pixels, SECOND_NS
import numpy as np

DATA = Path(__file__).resolve().parents[2] / 'shared' / 'data'
CAMERA = 'front'


@dataclass(frozen=True, eq=False)
class Traverse:
    """
    The images of one drive, in order.

    :param images: RGB.
    :param places: [N] the number of the place that each image shows.
    """

    images: Sequence[Pixels]
    places: Indices

    def frames(self) -> Iterator[Frame[Pixels]]:
        """Yield the images as frames of one camera, one a second."""
        for number, image in enumerate(self.images):
            stamp_ns = number * SECOND_NS
            yield Frame(stamp_ns, {CAMERA: image}, {CAMERA: stamp_ns})


@dataclass(frozen=True, eq=False)
class RealSet:
    """
    Two traverses of the same places.

    :param tolerances: largest difference of place numbers that counts as right; the first is the
        published one.
    """

    name: str
    first: Traverse
    second: Traverse
    tolerances: tuple[int, ...]

    def directions(self) -> Iterator[tuple[str, Traverse, Traverse]]:
        """Yield (name, mapped, driven) for each traverse as the map."""
        yield self.name, self.first, self.second
        yield f'{self.name}, second mapped', self.second, self.first


def real_sets(folder: Path = DATA) -> list[RealSet]:
    """
    Return the sets that are in the folder.

    `rtabmap_appearance` gives the true place of each image of the second lap; in the other sets,
    images of equal number show the same place.
    """
    found = []
    for name, first, second, tolerances in (
        ('corridor', 'ref', 'query', (2,)),
        ('stromovka', 'autumn', 'snow', (0, 2)),
    ):
        if (folder / name).is_dir():
            drives = (_numbered(folder / name / each) for each in (first, second))
            found.append(RealSet(name, *drives, tolerances))
    if (folder / 'rtabmap_appearance').is_dir():
        found.append(_rtabmap(folder / 'rtabmap_appearance'))
    return found


def _numbered(folder: Path) -> Traverse:
    with (folder / 'frames.csv').open(newline='', encoding='utf-8') as file:
        images = [_image(folder / row[CAMERA]) for row in csv.DictReader(file)]
    return Traverse(images, np.arange(len(images)))


def _rtabmap(folder: Path) -> RealSet:
    with (folder / 'ground_truth.csv').open(newline='', encoding='utf-8') as file:
        truth = {int(row['query']): int(row['map_nominal']) for row in csv.DictReader(file)}
    queries = sorted(truth)
    mapped = range(1, min(queries))

    def traverse(numbers: Sequence[int], places: Sequence[int]) -> Traverse:
        images = [_image(folder / 'images' / f'{number}.jpg') for number in numbers]
        return Traverse(images, np.array(places, np.int64))

    first = traverse(mapped, list(mapped))
    return RealSet('rtabmap', first, traverse(queries, [truth[q] for q in queries]), (2,))


def _image(path: Path) -> Pixels:
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise SystemExit(f'{path}: cannot be read as an image')
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
