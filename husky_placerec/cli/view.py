"""`placerec view`: look at results and maps in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from husky_placerec.cli.common import say, TrustOption, warn
from husky_placerec.errors import InputError
from husky_placerec.optional import require
import typer

EPILOG = (
    'Examples:\n\n'
    '  placerec view drive_2.results\n\n'
    '  placerec view shipped.results hog.results   (side by side)\n\n'
    '  placerec view campus.map --source drive_3   (try images and drives against a map)\n\n'
    '  placerec view recognitions.jsonl --map campus.map --source drive_2   (the log of a node)'
)


def view(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar='RESULTS|MAP...',
            help='Folders of placerec replay or evaluate, logs of a node, and maps.',
        ),
    ],
    map_path: Annotated[
        Path | None,
        typer.Option('--map', help='The map, if the results name none or if it has moved.'),
    ] = None,
    source: Annotated[
        list[Path] | None,
        typer.Option(
            help='A drive, or a folder of drives, if those that the results name have moved. '
            'Repeatable.'
        ),
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help='Port of the page.')] = 8501,
    address: Annotated[
        str,
        typer.Option(
            help='Address that is listened on. With any other than localhost, everyone who '
            'reaches it can look at the page, and only images of the folders that you name are '
            'shown.'
        ),
    ] = 'localhost',
    trust: TrustOption = False,
) -> None:
    """
    Look at results and maps in a browser: where the robot was, where it thought it was, and why.

    The page has three parts: Explore, Judge and Try. Ctrl-C ends it.
    """
    require('streamlit', 'plotly', 'sklearn', 'matplotlib', 'jinja2')
    from husky_placerec.viewer.serving import serve
    from husky_placerec.viewer.settings import is_local, Settings

    for path in [*paths, *(source or []), *([map_path] if map_path else [])]:
        if not path.exists():
            raise InputError(f'{path}: no such file or folder; expected results, a map or a drive')
    confined = not is_local(address)
    if confined:
        warn(f'{address}: everyone who reaches this address can look at the page')
    settings = Settings(tuple(paths), map_path, tuple(source or ()), trust, confined)
    shown = f'[{address}]' if ':' in address else address
    say(f'http://{shown}:{port}   (Ctrl-C ends it)')
    serve(settings, address, port)
