"""The languages of the page."""

from __future__ import annotations

import ast
from pathlib import Path
import re
import string

from husky_placerec.types import Reason, State
import husky_placerec.viewer
from husky_placerec.viewer.deciding import AS_DECIDED, BY_PROBABILITY, BY_SIMILARITY, OUTCOMES
from husky_placerec.viewer.words import TABLES, Words
import pytest

NEEDS = 'matplotlib', 'jinja2'

FOLDER = Path(husky_placerec.viewer.__file__).parent


def names_in(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_language_has_the_same_texts_with_the_same_names_in_them():
    english, russian = TABLES.values()
    assert list(english) == list(russian)
    for key, text in english.items():
        assert names_in(text) == names_in(russian[key]), key


def test_russian_is_written_in_cyrillic():
    plain = {'back', 'on'}  # arrows
    for key, text in TABLES['Русский'].items():
        assert key in plain or re.search('[\u0430-\u044f]', text.lower()), key


def test_every_text_that_the_page_asks_for_is_there():
    asked = set()
    for file in FOLDER.rglob('*.py'):
        for node in ast.walk(ast.parse(file.read_text(encoding='utf-8'))):
            if isinstance(node, ast.Call) and node.args and _asks(node.func):
                first = node.args[0]
                asked |= {first.value} if isinstance(first, ast.Constant) else set()
    assert len(asked) > 60
    assert asked <= TABLES['English'].keys()


def _asks(function):
    """Return whether a call asks for a text: `say(...)`, `words()(...)`, `canvas.words(...)`."""
    if isinstance(function, ast.Call):
        return isinstance(function.func, ast.Name) and function.func.id == 'words'
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, 'id', '')
    return name in ('say', 'words')


@pytest.mark.parametrize('language', TABLES)
def test_every_outcome_state_and_reason_has_a_word(language):
    words = Words(language)
    for key in (
        *(f'outcome {name}' for name in OUTCOMES.values()),
        *(f'state {state.value}' for state in State),
        *(f'reason {reason.value}' for reason in Reason),
        *(f'by {rule}' for rule in (AS_DECIDED, BY_PROBABILITY, BY_SIMILARITY)),
    ):
        assert words.has(key), key


def test_values_are_put_into_a_text():
    assert Words('English')('only right', count=3) == 'Right here alone: 3 frames'
