"""What the user calls SOURCE: found, opened, and asked for its frames and poses."""

from __future__ import annotations

from pathlib import Path

from husky_placerec.data.bag import Bag
from husky_placerec.data.images import decode_image, ImageMessage
from husky_placerec.data.trajectory import read_tum, Trajectory
from husky_placerec.errors import InputError
from husky_placerec.types import Frame, Pixels


def decode_frame(frame: Frame[ImageMessage], source: str) -> Frame[Pixels]:
    """
    Decode the images of a frame.

    :raises InputError: that names the source, the camera and the image's stamp.
    """
    images: dict[str, Pixels] = {}
    for camera, message in frame.images.items():
        try:
            images[camera] = decode_image(message)
        except InputError as error:
            stamp_ns = frame.image_stamps_ns[camera]
            raise InputError(f'{source}: {camera} image at {stamp_ns}: {error}') from error
    return Frame(frame.stamp_ns, images, frame.image_stamps_ns)


def find_trajectory(bag: Bag, poses: str | None) -> Trajectory:
    """
    Read the poses of a bag: of a topic, of a TUM file, or of the only pose topic there is.

    :raises InputError: when there is none, or which to take cannot be told.
    """
    if poses is not None:
        return read_poses(bag, poses)
    topics = bag.pose_topics()
    if len(topics) == 1:
        return bag.trajectory(topics[0])
    found = f'found {", ".join(topics)}' if topics else f'there are: {", ".join(bag.topics)}'
    raise InputError(
        f'{bag.path}: expected one topic with poses; {found}; '
        'name a topic or a TUM file with --poses'
    )


def read_poses(bag: Bag, poses: str) -> Trajectory:
    """
    Read the poses that the user names: a TUM file that exists, else a topic of the bag.

    :raises InputError: for neither, and as the two readers.
    """
    path = Path(poses)
    if path.is_file():
        return read_tum(path)
    if path.suffix:
        raise InputError(f'{poses}: no such file with poses')
    return bag.trajectory(poses)
