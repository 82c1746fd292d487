"""The script that Streamlit runs: the head of the page, and one of its three parts."""

from __future__ import annotations

import sys

import cv2
from husky_placerec.viewer.screens.attempt import attempt
from husky_placerec.viewer.screens.explore import explore
from husky_placerec.viewer.screens.judge import judge
from husky_placerec.viewer.screens.parts import choose, everything, STYLE, words
from husky_placerec.viewer.settings import Settings
from husky_placerec.viewer.words import TABLES
import numpy as np
import streamlit as st

SIZE = 32  # pixels of the icon


def _icon() -> bytes:
    """Return the icon of the page, a ring; Streamlit's own icons would come from the internet."""
    across = np.arange(SIZE) - (SIZE - 1) / 2
    far = np.hypot(across, across[:, None])
    ring = (far > SIZE / 4) & (far < SIZE / 2)
    icon = np.full((SIZE, SIZE, 3), 255, np.uint8)
    icon[ring] = 178, 114, 0  # BGR
    return bytes(cv2.imencode('.png', icon)[1].tobytes())


def main() -> None:
    """Show the page."""
    settings = Settings.from_arguments(sys.argv[1:])
    st.set_page_config('husky_placerec', _icon(), layout='wide')
    st.html(STYLE)
    say = words()
    page = st.navigation(
        [
            st.Page(lambda: None, title=say('explore'), icon=':material/map:', url_path='explore'),
            st.Page(
                lambda: None, title=say('judge'), icon=':material/monitoring:', url_path='judge'
            ),
            st.Page(lambda: None, title=say('try'), icon=':material/add_a_photo:', url_path='try'),
        ],
        position='top',
    )
    left, right = st.columns([5, 1.4], vertical_alignment='center')
    with right:
        languages = list(TABLES)
        st.segmented_control(
            say('language'),
            languages,
            default=languages[0],
            key='language',
            required=True,
            label_visibility='collapsed',
        )
    with left:
        place = st.container()
    found = everything(settings)
    if page.url_path == 'try':
        attempt(settings, found)
        return
    if not found:
        st.info(words()('nothing to show'))
        return
    with place:
        shown = choose(found, words()('results'), 'shown')
    (judge if page.url_path == 'judge' else explore)(shown, found)


main()
