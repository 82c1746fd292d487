"""Selection of frames by their stamps, to repeat offline what a node processed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
import json
from pathlib import Path
from typing import Any

from husky_placerec import schema
from husky_placerec.config import check_value, Config
from husky_placerec.config.decisions import DecisionConfig
from husky_placerec.data.images import ImageMessage
from husky_placerec.data.source import Source
from husky_placerec.data.stamps import parse_stamp
from husky_placerec.documents import parse_json, read_text
from husky_placerec.errors import InputError
from husky_placerec.texts.map_texts import texts_of, TEXTS_SCHEMA
from husky_placerec.texts.seen import SeenText
from husky_placerec.types import Frame, Pose

MOST_LOG_BYTES = 2**32
_STAMP = schema.integer(0, 2**63 - 1)
_LINE = schema.record(
    {'stamp_ns': _STAMP},
    {'image_stamps_ns': schema.none_or(schema.mapping(_STAMP, schema.text(64), most=16))},
)
_POSE = schema.items(schema.number(-1e12, 1e12), least=7, most=7)

_UP = schema.items(schema.number(-1, 1), least=3, most=3)


def _stamped_pose(value: Any, name: str) -> None:
    """Accept [stamp in ns, x, y, z, qx, qy, qz, qw]."""
    _POSE(value[1:] if isinstance(value, list) else value, name)
    _STAMP(value[0], name)


_TOLD = schema.record(
    {
        'odometry': schema.items(_stamped_pose),
        'forgot': schema.boolean,
        'map_version': schema.text(64),
        'parameters': schema.mapping(schema.anything, schema.text(64), most=1000),
    },
    {
        'metric': schema.none_or(schema.record({}, {'up': schema.none_or(_UP)})),
        'seen_texts': TEXTS_SCHEMA,
    },
)
# The exceptions of a line that cannot be parsed.
BROKEN = InputError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError


@dataclass(frozen=True)
class Told:
    """
    The inputs of a session between the frame before and this one.

    :param forgot: it began anew, before the odometry came.
    :param odometry: stamps in ns, and poses in the frame `odom`.
    :param decisions: the parameters that may change during a drive.
    :param map_version: SHA-256 of the map's `map.json`.
    :param up: the direction of gravity in `base_link` by which the frame was solved; None: none.
    :param texts: that were read for the frame.
    """

    forgot: bool
    odometry: tuple[tuple[int, Pose], ...]
    decisions: DecisionConfig
    map_version: str
    up: tuple[float, float, float] | None = None
    texts: tuple[SeenText, ...] = ()


@dataclass(frozen=True)
class Selection:
    """
    Frames to repeat, in order.

    :param frames: for each frame its stamp, and the stamps of its images if they are known.
    :param told: the inputs before each frame, from the log of a node; else None.
    """

    frames: tuple[tuple[int, dict[str, int] | None], ...]
    source: str
    told: tuple[Told, ...] | None = None

    def require_version(self, version: str, name: str) -> None:
        """
        Refuse another version of the map than the node had.

        :param version: SHA-256 of the map's `map.json`.
        :raises InputError: that names the first frame of another version.
        """
        for number, told in enumerate(self.told or (), 1):
            if told.map_version != version:
                raise InputError(
                    f'{self.source}: from frame {number} of {len(self.frames)} on the node had '
                    f'version {told.map_version[:12]} of the map, {name} is {version[:12]}; give '
                    'that one, or stamps alone to recognise the same frames on this one'
                )


def read_selection(path: Path) -> Selection:
    """
    Read the `recognitions.jsonl` of a node, or a text file with one stamp per line.

    :raises InputError: that names the line.
    """
    lines = read_text(path, MOST_LOG_BYTES).splitlines()
    frames, told = [], []
    for number, line in enumerate(lines, 1):
        text = line.strip() if line.lstrip().startswith('{') else line.split('#')[0].strip()
        if not text:
            continue
        try:
            frames.append(_parse(text))
            told.append(_told(text))
        except BROKEN as error:
            raise InputError(
                f"{path}:{number}: {text[:80]!r}; expected a stamp in ns, or a node's own line"
            ) from error
    if not frames:
        raise InputError(f'{path}: no stamps')
    known = tuple(each for each in told if each is not None)
    return Selection(tuple(frames), str(path), known if len(known) == len(frames) else None)


def _parse(text: str) -> tuple[int, dict[str, int] | None]:
    if not text.startswith('{'):
        return parse_stamp(text), None
    line = parse_json(text, 'line')
    schema.require(line, _LINE, 'line')
    return line['stamp_ns'], line.get('image_stamps_ns') or None


def _told(text: str) -> Told | None:
    line = json.loads(text) if text.startswith('{') else {}
    if 'odometry' not in line:
        return None
    schema.require(line, _TOLD, 'line')
    rows = line['odometry']
    if any(not any(quaternion) for _, _, _, _, *quaternion in rows):
        raise ValueError('a quaternion of zeros')
    poses = tuple((stamp_ns, Pose(*values)) for stamp_ns, *values in rows)
    up = (line.get('metric') or {}).get('up')
    about = _decisions(line['parameters']), line['map_version']
    seen = line.get('seen_texts', [])
    texts = texts_of(seen, {str(each.get('camera')) for each in seen}, 'line')
    return Told(line['forgot'], poses, *about, (up[0], up[1], up[2]) if up else None, texts)


def _decisions(values: Mapping[str, Any]) -> DecisionConfig:
    known, usual = {field.name: field for field in fields(DecisionConfig)}, DecisionConfig()
    return DecisionConfig(
        **{
            name: check_value(name, value, known[name], getattr(usual, name), 'parameters')
            for name, value in values.items()
        }
    )


def selected_frames(
    source: Source, config: Config, selection: Selection
) -> Iterator[Frame[ImageMessage]]:
    """
    Yield the selected frames of a source, in the order of the selection.

    A frame whose images are known is assembled of them. Otherwise the source is paired anew, and
    the frames with the selected stamps are kept.

    :raises InputError: for frames that the source lacks.
    """
    known = all(images is not None for _, images in selection.frames)
    frames = (
        _by_images(source, config, selection) if known else _by_stamps(source, config, selection)
    )
    count = 0
    for frame in frames:
        count += 1
        yield frame
    if count < len(selection.frames):
        stamp = selection.frames[count][0]
        raise InputError(
            f'{selection.source}: {len(selection.frames) - count} of {len(selection.frames)} '
            f'frames are not in {source.path}, the first at {stamp}'
        )


def _by_stamps(
    source: Source, config: Config, selection: Selection
) -> Iterator[Frame[ImageMessage]]:
    frames = ((frame.stamp_ns, frame) for frame in source.frames(config))
    return _in_order([stamp_ns for stamp_ns, _ in selection.frames], frames)


def _by_images(
    source: Source, config: Config, selection: Selection
) -> Iterator[Frame[ImageMessage]]:
    return _in_order(range(len(selection.frames)), _assembled(source, config, selection))


def _assembled(
    source: Source, config: Config, selection: Selection
) -> Iterator[tuple[int, Frame[ImageMessage]]]:
    """Yield the number and the frame of the selection, when all its images have come."""
    owners: dict[tuple[str, int], list[int]] = defaultdict(list)
    for number, (_, stamps) in enumerate(selection.frames):
        for camera, stamp_ns in (stamps or {}).items():
            owners[camera, stamp_ns].append(number)
    images: dict[int, dict[str, ImageMessage]] = defaultdict(dict)
    for camera, stamp_ns, message in source.images(config):
        for number in owners.pop((camera, stamp_ns), ()):
            images[number][camera] = message
            frame_ns, stamps = selection.frames[number]
            if stamps is not None and len(images[number]) == len(stamps):
                found = images.pop(number)
                ordered = {name: found[name] for name in config.cameras if name in found}
                yield number, Frame(frame_ns, ordered, {name: stamps[name] for name in ordered})


def _in_order(
    wanted: Sequence[int], frames: Iterable[tuple[int, Frame[ImageMessage]]]
) -> Iterator[Frame[ImageMessage]]:
    """Yield the frames of the wanted keys in that order; early frames wait."""
    left = Counter(wanted)
    waiting: dict[int, Frame[ImageMessage]] = {}
    following = 0
    for key, frame in frames:
        if left[key]:
            waiting.setdefault(key, frame)
        while following < len(wanted) and (now := wanted[following]) in waiting:
            yield waiting[now]
            following += 1
            left[now] -= 1
            if not left[now]:
                del waiting[now]
        if following == len(wanted):
            return
