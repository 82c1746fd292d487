"""The images of frames and places, read on demand from where the results say that they are."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

import cv2
from husky_placerec.config import Config
from husky_placerec.data.itlp import Track
from husky_placerec.data.source import decode_frame, open_source, Source
from husky_placerec.errors import InputError
from husky_placerec.printable import printable
from husky_placerec.types import Pixels
from husky_placerec.viewer.finding import Finder
from husky_placerec.viewer.places import ShownPlaces
import numpy as np

WIDTH, QUALITY = 640, 85  # pixels; quality of the JPEGs
MOST_OPEN = 8  # sources at a time
MOST_TEXTS = 20  # below an image
OPACITY = 0.45  # of a mask
BOX = (255, 200, 0)


@dataclass(frozen=True)
class Photo:
    """
    An image to show.

    :param texts: what is written in it, as far as the drive tells.
    :param small: it is a thumbnail of the map.
    """

    jpeg: bytes
    texts: tuple[str, ...] = ()
    small: bool = False


@dataclass(frozen=True)
class Photos:
    """
    The images of one frame, and why some are missing.

    :param note: empty: nothing is missing.
    """

    by_camera: Mapping[str, Photo]
    note: str = ''


class Album:
    """
    Opens drives as they are asked for, and keeps the last ones open.

    Any thread may call it.

    :param config: the cameras of the drives.
    :param kind: 'track', 'bag' or 'folder'; None: found out.
    :ivar finder: where the drives are.
    """

    def __init__(self, config: Config, finder: Finder, kind: str | None = None) -> None:
        self._config, self.finder, self._kind = config, finder, kind
        self._open: OrderedDict[str, Source] = OrderedDict()
        self._lock = Lock()

    def of_frame(
        self, source: str, stamp_ns: int, image_stamps_ns: Mapping[str, int], annotated: bool
    ) -> Photos:
        """
        Return the images of a frame of a drive.

        :param source: path of the drive, as the results name it.
        :param annotated: draw masks and the boxes of texts over them, where the drive has any.
        """
        if not source:
            return Photos({}, 'the results do not name the drive')
        try:
            with self._lock:
                drive = self._opened(source)
                known = {n: s for n, s in image_stamps_ns.items() if n in self._config.cameras}
                encoded = drive.frame_at(self._config, stamp_ns, known)
                if encoded is None:
                    return Photos({}, f'{printable(source)}: has no frame at {stamp_ns}')
                frame = decode_frame(encoded, str(drive.path), self._config.max_pixels)
                return Photos(
                    {
                        camera: _photo(
                            image, drive, camera, frame.image_stamps_ns[camera], annotated
                        )
                        for camera, image in frame.images.items()
                    }
                )
        except (InputError, OSError) as error:
            return Photos({}, printable(error))

    def of_place(self, places: ShownPlaces, place: int, annotated: bool) -> Photos:
        """Return the images of a place: of its drive, else the thumbnails of the map."""
        stamp_ns = int(places.stamps_ns[place])
        if stamp_ns < 0:
            return Photos({}, f'{printable(places.name)}: nothing is known of place {place}')
        stamps = places.image_stamps_ns[place] if places.image_stamps_ns is not None else {}
        source = places.sources.get(places.tracks[place], '')
        found = self.of_frame(source, stamp_ns, stamps, annotated)
        if found.by_camera or places.thumbnails is None:
            return found
        return Photos(thumbnails(places, place), found.note)

    def _opened(self, source: str) -> Source:
        if source in self._open:
            self._open.move_to_end(source)
            return self._open[source]
        path = self.finder.find(source)
        if path is None:
            raise InputError(f'{source}: this drive is not there')
        drive = open_source(path, self._kind, max_broken=1.0)
        drive.__enter__()
        self._open[source] = drive
        if len(self._open) > MOST_OPEN:
            _, oldest = self._open.popitem(last=False)
            oldest.__exit__(None, None, None)
        return drive


def thumbnails(places: ShownPlaces, place: int) -> dict[str, Photo]:
    """Return the pictures that a map keeps of a place; those that are broken are left out."""
    found: dict[str, Photo] = {}
    for camera in places.cameras:
        try:
            jpeg = places.thumbnails.jpeg(place, camera) if places.thumbnails else None
        except InputError:
            continue
        if jpeg is not None and jpeg[:2] == b'\xff\xd8':  # JPEG's first bytes
            found[camera] = Photo(jpeg, small=True)
    return found


def _photo(image: Pixels, drive: Source, camera: str, stamp_ns: int, annotated: bool) -> Photo:
    texts: tuple[str, ...] = ()
    if annotated and isinstance(drive, Track):
        mask = drive.mask(camera, stamp_ns)
        if mask is not None:
            image = _masked(image, mask)
        labels = drive.texts(camera, stamp_ns)
        texts = tuple(printable(label.text)[:100] for label in labels[:MOST_TEXTS])
        for label in labels:
            if label.box is not None:
                left, top, right, bottom = (int(np.clip(v, -1e5, 1e5)) for v in label.box)
                image = np.ascontiguousarray(image)
                cv2.rectangle(image, (left, top), (right, bottom), BOX, 2)
    return Photo(jpeg_of(image), texts)


def _masked(image: Pixels, mask: np.ndarray) -> Pixels:
    """Draw the classes of a mask over an image, each in a colour of its own."""
    size = image.shape[1], image.shape[0]
    classes = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST)
    # Neighbouring classes get hues far apart: 41 and 180 have no common factor.
    hues = (classes.astype(np.int64) * 41 % 180).astype(np.uint8)
    full = np.full_like(hues, 255)
    colours = cv2.cvtColor(np.dstack([hues, full, full]), cv2.COLOR_HSV2RGB)
    return np.asarray(cv2.addWeighted(image, 1 - OPACITY, colours, OPACITY, 0), np.uint8)


def jpeg_of(image: Pixels, width: int = WIDTH) -> bytes:
    """Return an RGB image as a JPEG, at most `width` pixels wide and five times as high."""
    scale = min(1.0, width / image.shape[1], 5 * width / image.shape[0])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes())
