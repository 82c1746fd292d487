"""Season and light of a drive, from its name or from the user, for tables by season and light."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import re

from husky_placerec.errors import InputError

SEASONS = ('winter', 'spring', 'summer', 'autumn')
LIGHTS = ('day', 'twilight', 'night')
SYNONYMS = {'fall': 'autumn', 'dusk': 'twilight', 'overcast': 'day', 'rain': 'day', 'fog': 'day'}

# The tracks of ITLP-Campus Outdoor by the date in their names, because their numbers differ
# between editions. Source: the README of github.com/OPR-Project/ITLP-Campus.
ITLP_CAMPUS = {
    '2023-02-10': ('winter', 'twilight'),
    '2023-02-21': ('winter', 'day'),
    '2023-03-15': ('winter', 'night'),
    '2023-04-11': ('spring', 'day'),
    '2023-04-13': ('spring', 'night'),
    '2023-08-15': ('summer', 'day'),
    '2023-08-18': ('summer', 'night'),
    '2023-10-04': ('autumn', 'day'),
    '2023-10-11': ('autumn', 'night'),
}


@dataclass(frozen=True)
class Tags:
    """Season and light of a drive; empty where they are not known."""

    season: str = ''
    light: str = ''

    def __str__(self) -> str:
        return ', '.join(filter(None, (self.season, self.light)))


def tags_of(name: str) -> Tags:
    """Return the tags of a drive by its name: a date of ITLP-Campus, or words as winter_dusk."""
    for date, tags in ITLP_CAMPUS.items():
        if date in name:
            return Tags(*tags)
    return _tags(re.split(r'[^a-z]+', name.lower()))


def parse_tags(options: Sequence[str]) -> Mapping[str, Tags]:
    """
    Read options of the form TRACK=WORD[,WORD].

    :raises InputError: for another form, or a word that is neither a season nor a light.
    """
    tags = {}
    for option in options:
        name, equals, text = option.partition('=')
        words = [word.strip().lower() for word in text.split(',')]
        known = {*SEASONS, *LIGHTS, *SYNONYMS}
        if not equals or not set(words) <= known:
            raise InputError(
                f'--tag {option}: expected TRACK=WORD[,WORD] with words of '
                f'{", ".join(SEASONS + LIGHTS)}'
            )
        tags[name] = _tags(words)
    return tags


def _tags(words: Sequence[str]) -> Tags:
    plain = [SYNONYMS.get(word, word) for word in words]
    season = next((word for word in plain if word in SEASONS), '')
    return Tags(season, next((word for word in plain if word in LIGHTS), ''))
