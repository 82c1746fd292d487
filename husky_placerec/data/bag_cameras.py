"""What a bag tells of its cameras: CameraInfo beside the images, and static TF."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from husky_placerec.cameras.camera_info import info_topics, INFO_TYPE
from husky_placerec.cameras.found import CameraTold, changed, found_cameras, FoundCameras
from husky_placerec.cameras.mounting import TransformTree
from husky_placerec.config import Config
from husky_placerec.data.bag_file import BagFile
from husky_placerec.data.static_tf import add_transforms, STATIC_TF, TF_TYPE
from husky_placerec.types import SECOND_NS

MOST_READ = 100  # messages of CameraInfo of a camera, spread over the drive


def read_cameras(bag: BagFile, config: Config, image_topics: Mapping[str, str]) -> FoundCameras:
    """
    Return what a bag tells of its cameras.

    :param image_topics: the camera of each image topic.
    :raises InputError: for a topic of CameraInfo that the configuration names and the bag lacks.
    """
    told, notes = {}, []
    for topic, name in image_topics.items():
        info_topic = info_topic_of(bag, config, name, topic)
        info, note = (None, '') if info_topic is None else _first_info(bag, info_topic, name)
        notes += [note] if note else []
        frame_id = '' if info is not None else _frame_of_images(bag, topic)
        told[name] = CameraTold(info, frame_id, topic, info_topic or '')
    found = found_cameras(told, _static_tree(bag))
    return FoundCameras(found.cameras, (*notes, *found.notes))


def info_topic_of(bag: BagFile, config: Config, name: str, image_topic: str) -> str | None:
    """
    Return the topic of the CameraInfo of a camera; None: there is none.

    :raises InputError: as `read_cameras`.
    """
    camera = config.camera_config(name)
    if camera.info_topic:
        return bag.resolve(camera.info_topic, (INFO_TYPE,))
    candidates = info_topics(image_topic, camera.transport)
    return next((topic for topic in candidates if bag.topics.get(topic) == INFO_TYPE), None)


def _first_info(bag: BagFile, topic: str, camera: str) -> tuple[Any, str]:
    """Return the first CameraInfo, and a note where a later one differs."""
    infos = bag.sampled(topic, MOST_READ)
    first = next(infos)
    for info in infos:
        if changed(first, info):
            stamp = info.header.stamp
            when = f'{stamp.sec * SECOND_NS + stamp.nanosec}'
            return first, (
                f'CameraInfo of {camera} on {topic} changes at {when} (a zoom?); '
                'the first one is used for the whole drive'
            )
    return first, ''


def _frame_of_images(bag: BagFile, topic: str) -> str:
    return str(next(bag.unstamped({topic: topic})).header.frame_id)


def _static_tree(bag: BagFile) -> TransformTree:
    tree = TransformTree()
    topics = [
        name
        for name, kind in bag.topics.items()
        if kind == TF_TYPE and name.split('/')[-1] == STATIC_TF
    ]
    for message in bag.unstamped({topic: topic for topic in topics}) if topics else ():
        add_transforms(tree, message)
    return tree
