"""The program `placerec`."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import Annotated, NoReturn

from husky_placerec import __version__
from husky_placerec.cli import (
    ablate,
    calibrate,
    convert,
    data,
    demo,
    download,
    evaluate,
    map_changes,
    model,
    play,
    replay,
    sim,
    train,
)
from husky_placerec.cli.common import err, out
from husky_placerec.errors import InputError
from rich.text import Text
import typer

app = typer.Typer(
    help='Visual place recognition for a robot with several cameras.',
    no_args_is_help=True,
    rich_markup_mode='rich',
    context_settings={'help_option_names': ['-h', '--help']},
)
app.add_typer(map_changes.app, name='map')
app.add_typer(data.app, name='data')
app.add_typer(model.app, name='model')
app.command(epilog=calibrate.EPILOG)(calibrate.calibrate)
app.command(epilog=replay.EPILOG)(replay.replay)
app.command(epilog=evaluate.EPILOG)(evaluate.evaluate)
app.command(epilog=play.EPILOG)(play.play)
app.command(epilog=convert.EPILOG)(convert.convert)
app.command(epilog=download.EPILOG)(download.download)
app.command(epilog=sim.EPILOG)(sim.sim)
app.command(epilog=train.EPILOG)(train.train)
app.command(epilog=ablate.EPILOG)(ablate.ablate)
app.command(epilog=demo.EPILOG)(demo.demo)


@app.callback(invoke_without_command=True)
def _main(
    version: Annotated[bool, typer.Option('--version', help='Show the version.')] = False,
) -> None:
    if version:
        out.print(f'placerec {__version__}', highlight=False)
        raise typer.Exit


def _end(number: int, _: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


def main() -> None:
    """
    Run `placerec`.

    Errors that the user can mend, and errors of the system such as a full disk, are printed in one
    line without a traceback; the exit status is then 2. SIGTERM ends a command as Ctrl-C does, so
    that nothing half-written and no other process is left behind.
    """
    before = signal.signal(signal.SIGTERM, _end)
    try:
        app()
    except (InputError, OSError) as error:
        err.print(Text.assemble(('error: ', 'bold red'), str(error)), soft_wrap=True)
        sys.exit(2)
    finally:
        signal.signal(signal.SIGTERM, before)
