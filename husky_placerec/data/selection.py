"""Choosing of frames by their stamps, to repeat offline exactly what a node processed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
import json
from pathlib import Path

from husky_placerec.config import Config
from husky_placerec.data.bag import Bag
from husky_placerec.data.images import ImageMessage
from husky_placerec.data.trajectory import parse_stamp
from husky_placerec.errors import InputError
from husky_placerec.types import Frame


@dataclass(frozen=True)
class Selection:
    """
    Frames to repeat, in order.

    :param frames: of each frame its stamp, and the stamp of each image where that is known.
    """

    frames: tuple[tuple[int, dict[str, int] | None], ...]
    source: str


def read_selection(path: Path) -> Selection:
    """
    Read the `recognitions.jsonl` of a node, or a text file with a frame's stamp a line.

    :raises InputError: that names the line.
    """
    try:
        lines = path.read_text(encoding='utf-8').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f'{path}: cannot be read ({error})') from error
    frames = []
    for number, line in enumerate(lines, 1):
        if not (text := line.split('#')[0].strip()):
            continue
        try:
            frames.append(_parse(text))
        except (ValueError, ArithmeticError, KeyError, TypeError) as error:
            raise InputError(f'{path}:{number}: {text[:80]!r}; expected a stamp in ns') from error
    if not frames:
        raise InputError(f'{path}: no stamps')
    return Selection(tuple(frames), str(path))


def _parse(text: str) -> tuple[int, dict[str, int] | None]:
    if not text.startswith('{'):
        return parse_stamp(text), None
    line = json.loads(text)
    images = line.get('image_stamps_ns')
    return int(line['stamp_ns']), {k: int(v) for k, v in images.items()} if images else None


def selected_frames(
    bag: Bag, config: Config, selection: Selection
) -> Iterator[Frame[ImageMessage]]:
    """
    Yield the selected frames of a bag, in the order of the selection.

    Where a frame's images are known they are taken as they are; otherwise the bag is paired anew
    and the frames of those stamps are kept.

    :raises InputError: for frames that the bag does not have.
    """
    known = all(images is not None for _, images in selection.frames)
    frames = _by_images(bag, config, selection) if known else _by_stamps(bag, config, selection)
    count = 0
    for frame in frames:
        count += 1
        yield frame
    if count < len(selection.frames):
        stamp = selection.frames[count][0]
        raise InputError(
            f'{selection.source}: {len(selection.frames) - count} of {len(selection.frames)} '
            f'frames are not in {bag.path}, the first at {stamp}'
        )


def _by_stamps(bag: Bag, config: Config, selection: Selection) -> Iterator[Frame[ImageMessage]]:
    wanted = iter(selection.frames)
    stamp_ns = next(wanted)[0]
    for frame in bag.frames(config):
        if frame.stamp_ns == stamp_ns:
            yield frame
            if (following := next(wanted, None)) is None:
                return
            stamp_ns = following[0]


def _by_images(bag: Bag, config: Config, selection: Selection) -> Iterator[Frame[ImageMessage]]:
    """Collect images as the bag brings them; a frame leaves when it and all before are whole."""
    owners: dict[tuple[str, int], list[int]] = defaultdict(list)
    for index, (_, stamps) in enumerate(selection.frames):
        for camera, stamp_ns in (stamps or {}).items():
            owners[camera, stamp_ns].append(index)
    images: dict[int, dict[str, ImageMessage]] = defaultdict(dict)
    following = 0
    for camera, stamp_ns, message in bag.messages(bag.camera_topics(config)):
        for index in owners.get((camera, stamp_ns), ()):
            images[index][camera] = message
        while following < len(selection.frames):
            frame_ns, stamps = selection.frames[following]
            if stamps is None or len(images[following]) < len(stamps):
                break
            found = images.pop(following)
            ordered = {name: found[name] for name in config.cameras if name in found}
            yield Frame(frame_ns, ordered, {name: stamps[name] for name in ordered})
            following += 1
