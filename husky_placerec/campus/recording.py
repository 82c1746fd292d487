"""Recording of a simulated drive as a bag, or as a track folder that contains the bag."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from husky_placerec.campus.drive_path import TimedPose
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.messages import Speaker, topics_of
from husky_placerec.campus.photographer import Encoded, encoded_pictures
from husky_placerec.campus.simulated_drive import SimulatedDrive
from husky_placerec.data.annotations import TextLabel
from husky_placerec.data.bag_writer import BagWriter
from husky_placerec.data.camera_file import write_camera_file
from husky_placerec.data.track_writer import TrackWriter
from husky_placerec.files import lift, new_folder, refuse_existing
from husky_placerec.output_folder import check_output_folder, output_folder

Progress = Callable[[int, int], None]


def write_drive(
    path: Path, config: DriveConfig, *, workers: int = 2, progress: Progress | None = None
) -> None:
    """
    Record a drive as a bag.

    :param path: the new bag folder.
    :param workers: number of rendering processes; 1: this process renders.
    :param progress: called with the number of finished frames and the number of all frames.
    :raises InputError: for an output that exists, or an invalid configuration.
    """
    refuse_existing(path, overwrite=False)
    config.check()
    with new_folder(path) as work:
        _record(config, work, path.name, None, workers, progress)
        lift(work / path.name)


def write_track(
    path: Path,
    config: DriveConfig,
    *,
    overwrite: bool = False,
    workers: int = 2,
    progress: Progress | None = None,
) -> None:
    """
    Record a drive as a track folder, with its bag in `bag`.

    The other parameters and errors are those of `write_drive`.

    :param overwrite: replace an existing output.
    """
    check_output_folder(path, overwrite)
    config.check()
    with output_folder(path) as work:
        track = TrackWriter(work, [camera.name for camera in config.rig], annotated=True)
        size = config.width, config.height
        write_camera_file(work, {camera.name: camera.known(*size) for camera in config.rig})
        _record(config, work, 'bag', track, workers, progress)
        track.close()


def _record(
    config: DriveConfig,
    folder: Path,
    bag_name: str,
    track: TrackWriter | None,
    workers: int,
    progress: Progress | None,
) -> None:
    trip = SimulatedDrive(config)
    total = len(trip.frames)
    with BagWriter(folder / bag_name, topics_of(config.rig), simulated=True) as bag:
        speaker = Speaker(bag.write, config.rig, (config.width, config.height))
        trip.begin(speaker)
        with closing(encoded_pictures(config, total, workers)) as pictures:
            for done, (frame, images) in enumerate(zip(trip.frames, pictures, strict=True), 1):
                stamps = trip.tell_frame(speaker, frame, images)
                if track is not None:
                    _add(track, frame, stamps, images)
                if progress is not None:
                    progress(done, total)
        trip.finish(speaker)


def _add(
    track: TrackWriter,
    frame: TimedPose,
    stamps: Mapping[str, int],
    images: Mapping[str, Encoded],
) -> None:
    pictures = {name: (stamps[name], image.png) for name, image in images.items()}
    track.add(frame.stamp_ns, frame.pose, pictures)
    for name, image in images.items():
        texts = [
            TextLabel(sign.text, sign.box, sign.corners, sign.letter_px, sign.whole)
            for sign in image.signs
        ]
        track.annotate(name, stamps[name], image.mask_png, texts)
