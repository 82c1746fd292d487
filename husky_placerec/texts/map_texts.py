"""
The texts of the places of a map, and their file `texts.jsonl`.

The first line tells the format and the number of places; each other line has the texts of one
place, in the order of the places. A place without text has no line.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any

from husky_placerec import schema
from husky_placerec.documents import parse_json, read_text
from husky_placerec.errors import InputError
from husky_placerec.texts.seen import MOST_LETTERS, SeenText, tidy
from husky_placerec.types import Indices

FORMAT = 1
MOST_TEXTS = 100  # of a place
MOST_DIFFERENT = 20_000  # texts of a map, each of which gets a vector
MOST_FILE_BYTES = 64 * 2**20

_CORNER = schema.items(schema.number(-100, 100), least=2, most=2)
TEXT_SCHEMA = schema.record(
    {
        'text': schema.text(MOST_LETTERS),
        'camera': schema.text(64),
        'confidence': schema.number(0, 1),
        'quad': schema.none_or(schema.items(_CORNER, least=4, most=4)),
    }
)
TEXTS_SCHEMA = schema.items(TEXT_SCHEMA, most=MOST_TEXTS)
_HEAD = schema.record(
    {'format': schema.integer(FORMAT, FORMAT), 'places': schema.integer(0, 10**8)}
)
_LINE = schema.record({'place': schema.integer(0, 10**8), 'texts': TEXTS_SCHEMA})


@dataclass(frozen=True)
class MapTexts:
    """
    The texts that were seen at each place.

    :param of_places: [N] the texts of each place, at most MOST_TEXTS.
    """

    of_places: tuple[tuple[SeenText, ...], ...]

    def __len__(self) -> int:
        return len(self.of_places)

    @property
    def count(self) -> int:
        """The number of texts."""
        return sum(map(len, self.of_places))

    @property
    def different(self) -> list[str]:
        """The different texts, in the order of the places."""
        return list(dict.fromkeys(seen.text for texts in self.of_places for seen in texts))

    def chosen(self, places: Indices) -> MapTexts:
        """Return those of some places, in their order."""
        return MapTexts(tuple(self.of_places[place] for place in places.tolist()))

    def joined(self, other: MapTexts) -> MapTexts:
        """Return these followed by those of other places."""
        return MapTexts(self.of_places + other.of_places)

    def write(self, path: Path) -> None:
        """Write `texts.jsonl`."""
        lines: list[dict[str, Any]] = [{'format': FORMAT, 'places': len(self)}]
        lines += [
            {'place': place, 'texts': [text_json(seen) for seen in texts]}
            for place, texts in enumerate(self.of_places)
            if texts
        ]
        path.write_text(
            ''.join(json.dumps(line, ensure_ascii=False) + '\n' for line in lines), 'utf-8'
        )

    @classmethod
    def read(cls, path: Path, places: int, cameras: Sequence[str]) -> MapTexts:
        """
        Read `texts.jsonl`, which may come from someone else.

        :param places: number of the places of the map, and `cameras` their names.
        :raises InputError: that names the line, what was found and what was expected.
        """
        lines = read_text(path, MOST_FILE_BYTES).splitlines()
        head = parse_json(lines[0] if lines else '', f'{path}:1')
        schema.require(head, _HEAD, f'{path}:1')
        if head['places'] != places:
            raise InputError(f'{path}:1: texts of {head["places"]} places; expected {places}')
        of_places: list[tuple[SeenText, ...]] = [()] * places
        last = -1
        different: set[str] = set()
        for number, text in enumerate(lines[1:], 2):
            where = f'{path}:{number}'
            line = parse_json(text, where)
            schema.require(line, _LINE, where)
            place = line['place']
            if not last < place < places:
                raise InputError(
                    f'{where}: place {place} after {last}; expected a later one, below {places}'
                )
            of_places[place] = texts_of(line['texts'], cameras, where)
            different.update(seen.text for seen in of_places[place])
            if len(different) > MOST_DIFFERENT:
                raise InputError(f'{where}: over {MOST_DIFFERENT} different texts')
            last = place
        return cls(tuple(of_places))


def text_json(seen: SeenText) -> dict[str, Any]:
    """Return a text as it stands in files."""
    quad = None
    if seen.quad is not None:
        quad = [[round(x, 5), round(y, 5)] for x, y in seen.quad]
    confidence = round(seen.confidence, 4)
    return {
        'text': seen.text,
        'camera': seen.camera,
        'confidence': confidence,
        'quad': quad,
    }


def texts_of(values: Any, cameras: Collection[str], source: str) -> tuple[SeenText, ...]:
    """
    Return what `text_json` wrote.

    :raises InputError: for values that are not as expected, an unknown camera, or no text.
    """
    schema.require(values, TEXTS_SCHEMA, source)
    found = []
    for value in values:
        if value['camera'] not in cameras:
            raise InputError(
                f'{source}: camera is {value["camera"]!r}; expected one of {", ".join(cameras)}'
            )
        if not tidy(value['text']):
            raise InputError(f'{source}: {value["text"]!r} is no text')
        quad = value['quad'] and tuple((float(x), float(y)) for x, y in value['quad'])
        found.append(SeenText(tidy(value['text']), value['camera'], value['confidence'], quad))
    return tuple(found)


def limited(texts: Sequence[SeenText]) -> tuple[SeenText, ...]:
    """Return the texts of a place, the surest where there are more than MOST_TEXTS."""
    if len(texts) <= MOST_TEXTS:
        return tuple(texts)
    return tuple(sorted(texts, key=lambda seen: -seen.confidence)[:MOST_TEXTS])
