"""The frames of a run with their images, as every export takes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from husky_placerec.errors import InputError
from husky_placerec.types import Pose, Recognition
from husky_placerec.viewer.photos import Album, Photo
from husky_placerec.viewer.results import Results
from husky_placerec.viewer.run import Run


@dataclass(frozen=True)
class ExportedFrame:
    """
    A decision with what it is about.

    :param seen: images of the frame, and `found` those of the recognised place, by the camera
        that looks the same way now.
    """

    recognition: Recognition
    truth: Pose | None
    seen: dict[str, Photo]
    found: dict[str, Photo]


def chosen_run(results: Results, number: int) -> Run:
    """
    Return a run of some results.

    :param number: from 1.
    :raises InputError: for a number that there is not; it lists the runs.
    """
    if not 1 <= number <= len(results.runs):
        listed = ', '.join(
            f'{n} ({run.queries} in the map of {run.database})'
            for n, run in enumerate(results.runs, 1)
        )
        raise InputError(f'--pair {number}: no such pair in {results.path}; there are {listed}')
    return results.runs[number - 1]


def exported_frames(run: Run, album: Album, missing: list[str]) -> Iterator[ExportedFrame]:
    """
    Yield the frames in the order of their stamps.

    :param missing: gets why images are missing, each sentence once.
    """
    order = sorted(range(len(run)), key=lambda row: int(run.stamps_ns[row]))
    for row in order:
        recognition, truth = run.frames[row]
        stamps = recognition.image_stamps_ns
        seen = album.of_frame(run.source, recognition.stamp_ns, stamps, False)
        _note(seen.note, missing)
        found: dict[str, Photo] = {}
        answer = run.answer(row)
        if answer is not None and answer.place < len(run.places):
            photos = album.of_place(run.places, answer.place, False)
            _note(photos.note, missing)
            for camera in run.places.cameras:
                then = run.places.camera_of(camera, answer.reversed)
                if then in photos.by_camera:
                    found[camera] = photos.by_camera[then]
        yield ExportedFrame(recognition, truth, dict(seen.by_camera), found)


def _note(sentence: str, missing: list[str]) -> None:
    if sentence and sentence not in missing and len(missing) < 10:
        missing.append(sentence)


def cameras_of(run: Run) -> Sequence[str]:
    """Return the cameras of the frames and of the places."""
    seen = (name for recognition, _ in run.frames for name in recognition.image_stamps_ns)
    return list(dict.fromkeys([*run.places.cameras, *seen]))
