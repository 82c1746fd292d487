"""A drive as a track folder of ITLP-Campus: images, masks, texts of signs, and poses."""

from __future__ import annotations

from collections.abc import Mapping
import csv
import io
from pathlib import Path

from husky_placerec.campus.photographer import Encoded
from husky_placerec.files import write_atomic
from husky_placerec.types import Pose

POSE_COLUMNS = ('tx', 'ty', 'tz', 'qx', 'qy', 'qz', 'qw')
TEXT_COLUMNS = ('path', 'x0', 'y0', 'x1', 'y1', 'text')


class TrackWriter:
    """A track while it is written; `track.csv` comes last, so that a folder with it is whole."""

    def __init__(self, folder: Path, cameras: tuple[str, ...]) -> None:
        self._folder = folder
        self._rows: list[list[object]] = []
        self._texts: dict[str, list[list[object]]] = {f'{name}_cam': [] for name in cameras}
        for camera in self._texts:
            (folder / camera).mkdir(parents=True)
            (folder / 'masks' / camera).mkdir(parents=True)
        (folder / 'text_labels').mkdir()

    def add(
        self,
        stamp_ns: int,
        pose: Pose,
        image_stamps_ns: Mapping[str, int],
        pictures: Mapping[str, Encoded],
    ) -> None:
        """Write the images and masks of a frame; their names are their stamps in ns."""
        for name, picture in pictures.items():
            camera, file = f'{name}_cam', f'{image_stamps_ns[name]}.png'
            (self._folder / camera / file).write_bytes(picture.png)
            (self._folder / 'masks' / camera / file).write_bytes(picture.mask_png)
            self._texts[camera] += [[file, *sign.box, sign.text] for sign in picture.signs]
        # There is no lidar; its column repeats the frame's stamp.
        stamps = [stamp_ns, *image_stamps_ns.values(), stamp_ns]
        self._rows.append([*stamps, *(repr(float(value)) for value in pose.as_array())])

    def close(self) -> None:
        """Write the tables."""
        for camera, rows in self._texts.items():
            path = self._folder / 'text_labels' / f'{camera}_text_labels.csv'
            write_atomic(path, _csv(TEXT_COLUMNS, rows))
        stamps = ('timestamp', *(f'{camera}_ts' for camera in self._texts), 'lidar_ts')
        write_atomic(self._folder / 'track.csv', _csv((*stamps, *POSE_COLUMNS), self._rows))


def _csv(columns: tuple[str, ...], rows: list[list[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerows([columns, *rows])
    return text.getvalue().encode()
