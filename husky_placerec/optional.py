"""Libraries that only some commands need; each belongs to an extra of the package."""

from __future__ import annotations

from importlib import import_module

from husky_placerec.errors import InputError

EXTRAS = {
    'ai_edge_litert': 'tflite',
    'jinja2': 'report',
    'matplotlib': 'report',
    'numba': 'sim',
    'PIL': 'sim',
    'plotly': 'view',
    'rerun': 'view',
    'sklearn': 'report',
    'streamlit': 'view',
    'tesserocr': 'texts',
}


def require(*modules: str) -> None:
    """
    Refuse work that needs a library which is not installed, before the work begins.

    :raises InputError: that names the library and the line that installs it.
    """
    for name in modules:
        try:
            import_module(name)
        except ImportError as error:
            raise InputError(
                f"{name} is not installed ({error}); pip install 'husky_placerec[{EXTRAS[name]}]'"
            ) from error
