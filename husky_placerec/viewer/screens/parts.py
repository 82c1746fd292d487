"""Parts that the pages share: texts, images, and the choice of what to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import math
import socket

from husky_placerec.errors import InputError
from husky_placerec.evaluation.report.case import (
    RIGHT_ACCEPTED,
    RIGHT_REFUSED,
    UNKNOWN_REFUSED,
    WRONG_ACCEPTED,
    WRONG_REFUSED,
)
from husky_placerec.printable import printable
from husky_placerec.types import GeoOrigin
from husky_placerec.viewer.deciding import ACCEPTED, OUTCOMES, REFUSED
from husky_placerec.viewer.figures.route import Canvas
from husky_placerec.viewer.photos import Photo
from husky_placerec.viewer.screens.opening import Shown, shown_of
from husky_placerec.viewer.settings import Settings
from husky_placerec.viewer.words import Words
import streamlit as st

DASH = '-'
TILES = 'tile.openstreetmap.org', 443
PATIENCE_S = 1.0  # to find out whether there is a network
BADGES = {
    RIGHT_ACCEPTED: ('green', 'check'),
    WRONG_ACCEPTED: ('red', 'warning'),
    RIGHT_REFUSED: ('green', 'block'),
    WRONG_REFUSED: ('orange', 'block'),
    UNKNOWN_REFUSED: ('gray', 'block'),
    ACCEPTED: ('green', 'check'),
    REFUSED: ('gray', 'block'),
}
# The only HTML of the page; nothing of it comes from data. Figures are smaller than Streamlit's.
STYLE = """<style>
[data-testid="stMetricValue"] {font-size: 1.2rem}
[data-testid="stMetricLabel"] p {font-size: 0.75rem}
[data-testid="stMainBlockContainer"] {padding-top: 4.2rem; padding-bottom: 1rem}
[data-testid="stVerticalBlock"] {gap: 0.6rem}
[data-testid="stText"] {font-family: inherit; font-size: 0.85rem; opacity: 0.8}
</style>"""


def words() -> Words:
    """Return the texts in the language that the user chose."""
    return Words(st.session_state.get('language', 'English'))


def problem(key: str, detail: object) -> None:
    """Show a sentence of ours, and below it what an error says, as plain text."""
    st.error(words()(key), icon=':material/error:')
    st.text(printable(detail))


def canvas(origin: GeoOrigin | None = None, height: int = 430) -> Canvas:
    """Return where a map is drawn, in the theme of the page."""
    theme = st.context.theme.type or 'light'
    return Canvas(words(), theme, origin, height)


def street_origin(origin: GeoOrigin | None, key: str) -> GeoOrigin | None:
    """Offer the street map where the map has an origin; on where there is a network."""
    if origin is None:
        return None
    on = st.toggle(words()('street map'), value=_is_online(), key=f'streets {key}')
    return origin if on else None


@st.cache_data(ttl=600, show_spinner=False)
def _is_online() -> bool:
    try:
        with socket.create_connection(TILES, PATIENCE_S):
            return True
    except OSError:
        return False


def number(value: float | None, form: str = '.2f', unit: str = '') -> str:
    """Return a number with its unit; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return DASH
    return f'{value:{form}}{unit}'


def percent(share: float | None) -> str:
    """Return a share in percent; a dash where there is none."""
    return DASH if share is None or not math.isfinite(share) else f'{100 * share:.1f} %'


def known_word(kind: str, value: str | None) -> str:
    """Return the word for a state or a reason; one that we do not know stays as it is."""
    if value is None:
        return DASH
    key = f'{kind} {value}'
    return words()(key) if words().has(key) else plain_markdown(value)


def plain_markdown(text: str) -> str:
    """Return a text that Streamlit shows as it is, where it would read Markdown."""
    return ''.join(f'\\{c}' if c.isascii() and not c.isalnum() and c != ' ' else c for c in text)


def outcome_badge(outcome: int) -> None:
    """Show what became of a frame."""
    colour, icon = BADGES[outcome]
    text = words()(f'outcome {OUTCOMES[outcome]}')
    st.badge(text, color=colour, icon=f':material/{icon}:')  # type: ignore[arg-type]


def photo_row(
    cameras: Sequence[str], photos: Mapping[str, Photo], title: str, looks: Mapping[str, str]
) -> None:
    """
    Show the images of a frame or a place beside each other.

    :param looks: for each camera the one whose image stands in its column.
    """
    for column, camera in zip(st.columns(len(cameras)), cameras):
        shown = looks.get(camera, camera)
        with column:
            st.text(f'{title}, {printable(shown)}')
            photo = photos.get(shown)
            if photo is None:
                st.info(words()('no image'))
                continue
            st.image(photo.jpeg, width='stretch', alt=f'{title}, {printable(shown)}')
            if photo.texts:
                st.text(' · '.join(photo.texts))


def everything(settings: Settings) -> list[Shown]:
    """Return all that can be looked at; for what cannot, a sentence is shown."""
    found: list[Shown] = []
    for path in settings.paths:
        try:
            with st.spinner(words()('reading')):
                found += shown_of(path, settings)
        except (InputError, OSError) as error:
            problem('cannot be read', error)
    return found


def choose(found: Sequence[Shown], label: str, key: str) -> Shown:
    """Let the user choose one of several; one alone needs no choice."""
    names = [each.name for each in found]
    numbers = list(range(len(names)))
    kept = st.session_state.get(f'kept {key}', 0)
    at = st.selectbox(
        label,
        numbers,
        index=kept if kept in numbers else 0,
        format_func=lambda number: names[number],
        key=key,
        label_visibility='collapsed',
    )
    st.session_state[f'kept {key}'] = at
    return found[at or 0]
