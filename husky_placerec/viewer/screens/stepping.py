"""Which frame is chosen: by a click, the slider, the arrow keys, or while the drive is played."""

from __future__ import annotations

from husky_placerec.viewer.deciding import Decided
from husky_placerec.viewer.screens.parts import words
import numpy as np
import streamlit as st


def chosen_row(name: str) -> int:
    """Return the chosen frame of what is shown under a name."""
    return int(st.session_state.get(f'row {name}', 0))


def choose_row(name: str, row: int) -> None:
    """Choose a frame."""
    st.session_state[f'row {name}'] = row


def is_playing(name: str) -> bool:
    """Return whether the drive is played."""
    return st.session_state.get('playing') == name


def take_click(chart: str, name: str, decided: Decided | None) -> None:
    """
    Choose the point that was clicked; of a place the nearest frame.

    :param decided: the run of the chart; None for a map, whose places are the frames.
    """
    points = st.session_state[chart]['selection']['points']
    told = [point['customdata'] for point in points if 'customdata' in point]
    if not told:
        return
    value = told[0]
    value = int(value[0] if isinstance(value, list) else value)
    if value >= 0:
        choose_row(name, value)
    elif decided is None:
        choose_row(name, -1 - value)
    else:
        run, place = decided.run, -1 - value
        apart = np.hypot(*(run.at - run.places.poses[place, :2]).T)
        if np.isfinite(apart).any():
            choose_row(name, int(np.nanargmin(apart)))


def stepper(name: str, count: int, label: str) -> None:
    """Show the slider and the buttons that choose a frame; arrow keys press the buttons."""
    say, slider = words(), f'slider {name}'
    last = count - 1
    if is_playing(name):
        if st.session_state.pop('just started', False) is False:
            choose_row(name, min(chosen_row(name) + 1, last))
        if chosen_row(name) >= last:
            st.session_state.pop('playing')
            st.rerun()
    st.session_state[slider] = min(chosen_row(name), last)
    back, on, play, bar = st.columns([0.7, 0.7, 0.9, 9], vertical_alignment='bottom')
    back.button(
        say('back'),
        key=f'back {name}',
        shortcut='Left',
        on_click=lambda: choose_row(name, max(chosen_row(name) - 1, 0)),
    )
    on.button(
        say('on'),
        key=f'on {name}',
        shortcut='Right',
        on_click=lambda: choose_row(name, min(chosen_row(name) + 1, last)),
    )
    if play.button(say('stop') if is_playing(name) else say('play'), key=f'play {name}'):
        _toggle_play(name, last)
        st.rerun()  # the period of the fragment changes
    if last > 0:
        bar.slider(
            label,
            0,
            last,
            key=slider,
            label_visibility='collapsed',
            on_change=lambda: choose_row(name, st.session_state[slider]),
        )


def _toggle_play(name: str, last: int) -> None:
    if is_playing(name):
        st.session_state.pop('playing')
        return
    st.session_state['playing'] = name
    st.session_state['just started'] = True
    if chosen_row(name) >= last:
        choose_row(name, 0)
