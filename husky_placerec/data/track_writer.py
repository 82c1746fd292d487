"""Writing of track folders in the layout of ITLP-Campus: images, poses, masks and texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import csv
import io
from pathlib import Path

from husky_placerec.data.annotations import CORNER_COLUMNS, MASKS, QUAD_COLUMN, TextLabel, TEXTS
from husky_placerec.data.itlp import CAMERA_SUFFIX, STAMP_COLUMN, SUFFIX, TRACK_TABLE
from husky_placerec.files import write_atomic
from husky_placerec.types import Pose

POSE_COLUMNS = ('tx', 'ty', 'tz', 'qx', 'qy', 'qz', 'qw')
TEXT_COLUMNS = ('path', *CORNER_COLUMNS, QUAD_COLUMN, 'letter_px', 'whole', 'text')


class TrackWriter:
    """
    Write a track; `track.csv` is written last, so that a folder with it is complete.

    :param cameras: names such as `front`.
    :param annotated: write masks and texts, too.
    """

    def __init__(self, folder: Path, cameras: Sequence[str], *, annotated: bool = False) -> None:
        self._folder = folder
        self._cameras = tuple(cameras)
        self._annotated = annotated
        self._rows: list[list[object]] = []
        self._texts: dict[str, list[list[object]]] = {name: [] for name in cameras}
        for camera in cameras:
            self._place(camera).mkdir(parents=True)
            if annotated:
                (folder / MASKS / self._place(camera).name).mkdir(parents=True)
        if annotated:
            (folder / TEXTS).mkdir()

    def add(
        self, stamp_ns: int, pose: Pose | None, images: Mapping[str, tuple[int, bytes]]
    ) -> None:
        """
        Write the images of a frame; their file names are their stamps in ns.

        :param images: stamp in ns and PNG of each camera; a missing camera gets an empty stamp.
        """
        for camera, (image_ns, png) in images.items():
            (self._place(camera) / f'{image_ns}.png').write_bytes(png)
        stamps = [images[name][0] if name in images else '' for name in self._cameras]
        numbers = [''] * 7 if pose is None else [repr(float(value)) for value in pose.as_array()]
        # There is no lidar: its column repeats the stamp of the frame.
        self._rows.append([stamp_ns, *stamps, stamp_ns, *numbers])

    def annotate(
        self,
        camera: str,
        image_ns: int,
        mask_png: bytes,
        texts: Sequence[TextLabel],
    ) -> None:
        """Write the mask of an image, and its texts."""
        file = f'{image_ns}.png'
        (self._folder / MASKS / self._place(camera).name / file).write_bytes(mask_png)
        self._texts[camera] += [[file, *_label_row(label)] for label in texts]

    def close(self) -> None:
        """Write the tables."""
        for camera, rows in self._texts.items() if self._annotated else ():
            path = self._folder / TEXTS / f'{self._place(camera).name}_text_labels.csv'
            write_atomic(path, _csv(TEXT_COLUMNS, rows))
        cameras = (f'{self._place(name).name}{SUFFIX}' for name in self._cameras)
        columns = (STAMP_COLUMN, *cameras, f'lidar{SUFFIX}', *POSE_COLUMNS)
        write_atomic(self._folder / TRACK_TABLE, _csv(columns, self._rows))

    def _place(self, camera: str) -> Path:
        return self._folder / f'{camera}{CAMERA_SUFFIX}'


def _label_row(label: TextLabel) -> list[object]:
    quad = ' '.join(f'{value:.1f}' for corner in label.quad or () for value in corner)
    letter_px = '' if label.letter_px is None else f'{label.letter_px:.1f}'
    whole = '' if label.whole is None else int(label.whole)
    return [*(label.box or ('',) * 4), quad, letter_px, whole, label.text]


def _csv(columns: tuple[str, ...], rows: list[list[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerows([columns, *rows])
    return text.getvalue().encode()
