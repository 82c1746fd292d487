"""The images of a distillation, of drives without poses, and the teacher's vectors of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
import hashlib
from pathlib import Path

from husky_placerec.arrays import map_array
from husky_placerec.config import Config
from husky_placerec.data.source import config_of_source, decoded_frames, open_source, Source
from husky_placerec.descriptor.extractor import DescriptorExtractor
from husky_placerec.descriptor.fusion import normalize
from husky_placerec.descriptor.preparation import Preparation
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.errors import InputError
from husky_placerec.files import temporary_file
from husky_placerec.progress import bar
from husky_placerec.types import FloatArray, Frame, Indices, Pixels
import numpy as np
from numpy.typing import NDArray

LEAST_IMAGES = 40  # of all sources; fewer say nothing about similarities
BLOCK = 10  # most images in a row that are held out together


@dataclass(frozen=True)
class Session:
    """
    The images of one camera of one drive, in order.

    :param images: [N, h, w, 3] at the student's size, memory-mapped.
    :param vectors: [N, D] the teacher's unit vectors.
    """

    name: str
    images: NDArray[np.uint8]
    vectors: FloatArray

    @property
    def centred(self) -> FloatArray:
        """The teacher's vectors as a map compares them: how they differ from their mean."""
        values = np.asarray(self.vectors, np.float32)
        return normalize(values - values.mean(axis=0))

    def held_out(self, share: float) -> Indices:
        """Return the images that measure only, in blocks evenly over the drive."""
        count = len(self.images)
        block = max(1, min(BLOCK, int(count * share)))
        period = max(2, round(block / share))
        return np.flatnonzero(np.arange(count) % period >= period - block)


def load_sessions(
    sources: Sequence[Path],
    config: Config,
    student: DescriptorSpec,
    teacher: DescriptorExtractor,
    folder: Path,
) -> list[Session]:
    """
    Read the images of drives, and describe them by the teacher; what a folder has is not redone.

    :param config: the cameras, and how to read the drives.
    :param folder: keeps the images at the student's size, and the teacher's vectors.
    :raises InputError: for a source that cannot be read, and for too few images.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sessions = [
        session
        for source in sources
        for session in _sessions_of(source, config, student, teacher, folder)
    ]
    count = sum(len(each.images) for each in sessions)
    if count < LEAST_IMAGES:
        raise InputError(
            f'{", ".join(map(str, sources))}: {count} images; expected {LEAST_IMAGES} or more'
        )
    return sessions


def _sessions_of(
    path: Path,
    config: Config,
    student: DescriptorSpec,
    teacher: DescriptorExtractor,
    folder: Path,
) -> Iterator[Session]:
    with open_source(path) as source:
        source.check(config)
        known, _ = config_of_source(source, config)
        for camera in config.cameras:
            about = repr(
                (
                    source.fingerprint(known),
                    camera,
                    student.input_width,
                    student.input_height,
                    student.pinhole_focal,
                    teacher.spec.as_json(),
                )
            )
            stem = hashlib.sha256(about.encode()).hexdigest()[:16]
            images, vectors = folder / f'{stem}.npy', folder / f'{stem}.teacher.npy'
            if not vectors.exists():
                prepare = Preparation.of(student, known)
                _read(source, known, camera, prepare, teacher.seen_by(known), images, vectors)
            yield Session(f'{source.name}/{camera}', map_array(images), map_array(vectors))


def _read(
    source: Source,
    config: Config,
    camera: str,
    prepare: Preparation,
    teacher: DescriptorExtractor,
    images: Path,
    vectors: Path,
) -> None:
    """Write one camera's images and the teacher's vectors; the vectors come last."""
    row = teacher.spec.sees.index(camera)
    small: list[Pixels] = []
    found: list[FloatArray] = []
    total = source.frame_count(config)
    with bar(f'Teacher on {source.name}, {camera}', total) as shown:
        for frame in decoded_frames(source, source.frames(config), config.max_pixels):
            shown.update()
            if (image := frame.images.get(camera)) is None:
                continue
            small.append(prepare(camera, image))
            alone = Frame(frame.stamp_ns, {camera: image}, {camera: frame.stamp_ns})
            found.append(teacher.describe(alone)[row])
    if not small:
        raise InputError(f'{source.path}: camera {camera} has no image')
    for path, array in ((images, np.stack(small)), (vectors, np.array(found, np.float16))):
        with temporary_file(path.parent, path.stem, '.npy') as temporary:
            np.save(temporary, array, allow_pickle=False)
            temporary.replace(path)
