"""The program `placerec`."""

from __future__ import annotations

import io
import signal
import sys
from types import FrameType
from typing import Annotated, Any, NoReturn

from husky_placerec import __version__
from husky_placerec.cli import (
    ablate,
    calibrate,
    convert,
    data,
    demo,
    distil,
    download,
    evaluate,
    export,
    map_parts,
    model,
    play,
    replay,
    segment,
    sim,
    train,
    view,
)
from husky_placerec.cli.common import (
    err,
    say,
)
from husky_placerec.errors import InputError
from husky_placerec.printable import printable
from rich.text import Text
import typer
from typer.rich_utils import rich_format_error

ClickException: Any = typer.BadParameter.__mro__[2]  # of click, or of the click inside of typer

app = typer.Typer(
    help='Visual place recognition for a robot with several cameras.',
    no_args_is_help=True,
    rich_markup_mode='rich',
    context_settings={'help_option_names': ['-h', '--help']},
)
app.add_typer(map_parts.app, name='map')
app.add_typer(data.app, name='data')
app.add_typer(model.app, name='model')
app.add_typer(export.app, name='export')
app.command(epilog=calibrate.EPILOG)(calibrate.calibrate)
app.command(epilog=replay.EPILOG)(replay.replay)
app.command(epilog=evaluate.EPILOG)(evaluate.evaluate)
app.command(epilog=view.EPILOG)(view.view)
app.command(epilog=play.EPILOG)(play.play)
app.command(epilog=convert.EPILOG)(convert.convert)
app.command(epilog=download.EPILOG)(download.download)
app.command(epilog=segment.EPILOG)(segment.segment)
app.command(epilog=sim.EPILOG)(sim.sim)
app.command(epilog=train.EPILOG)(train.train)
app.command(epilog=distil.EPILOG)(distil.distil)
app.command(epilog=ablate.EPILOG)(ablate.ablate)
app.command(epilog=demo.EPILOG)(demo.demo)


@app.callback(invoke_without_command=True)
def _main(
    version: Annotated[bool, typer.Option('--version', help='Show the version.')] = False,
) -> None:
    if version:
        say(f'placerec {__version__}')
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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name may have letters that it cannot encode
            stream.reconfigure(errors='backslashreplace')
    before = signal.signal(signal.SIGTERM, _end)
    try:
        sys.exit(app(standalone_mode=False) or 0)
    except (InputError, OSError) as error:
        message = printable(error)
        err.print(Text.assemble(('error: ', 'bold red'), message), soft_wrap=True)
        sys.exit(2)
    except typer.Abort:
        sys.exit(1)
    except ClickException as error:
        error.message = printable(error.message)
        rich_format_error(error)
        sys.exit(error.exit_code)
    finally:
        signal.signal(signal.SIGTERM, before)
