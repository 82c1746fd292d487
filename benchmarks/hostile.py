"""
Give the command line hostile inputs, and print how many of them it survives.

The inputs are maps, bags, tracks, folders, images, configurations, names and output paths that
somebody made to do harm, or that broke on the way. Each runs in a process of its own, forked from
one that has imported the package, with a limit of memory and of time, in a sandbox of its own. An
input is survived if the command ends by itself, with a result or with one clear error, without a
traceback and without a control character on the terminal, if no file of the user's is changed, and
if nothing half-written is left. The exit status is 1 if an input was not survived.

python benchmarks/hostile.py --only maps --seed 3
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
import os
from pathlib import Path
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback

import cv2
import faiss  # noqa: F401  imported before the fork
from hostile_drives import bags, folders, images, tracks
from hostile_maps import maps
from hostile_others import configs, names, outputs
from hostile_world import Case, make_world, state
from husky_placerec.cli.main import main as placerec
from husky_placerec.config import Config  # noqa: F401
from husky_placerec.evaluation.report import replay_report  # noqa: F401
from husky_placerec.operations import (  # noqa: F401
    build_map,
    calibrate_map,
    change_map,
    evaluate,
    replay,
)
import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

KINDS = {
    'maps': maps,
    'bags': bags,
    'tracks': tracks,
    'folders': folders,
    'images': images,
    'configs': configs,
    'names': names,
    'outputs': outputs,
}
# \r begins a bar of progress; a row of a table ends with \n.
CONTROL = re.compile('[\0-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]')
PAGE_BYTES = os.sysconf('SC_PAGE_SIZE')


@dataclass(frozen=True)
class Limits:
    """
    What a command may take.

    :param seconds: of CPU time, and of waiting without any.
    :param memory_mb: beyond what the imports have taken.
    """

    seconds: float
    memory_mb: int


def main() -> int:
    """Run the cases, and print the table and what was not survived."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--only', metavar='KIND', action='append', choices=[*KINDS], help=', '.join(KINDS)
    )
    parser.add_argument('--seed', type=int, default=0, help='of the random damage')
    parser.add_argument('--every', type=int, default=1, metavar='N', help='take each Nth input')
    parser.add_argument(
        '--seconds', type=float, default=60.0, help='limit of CPU time, and of waiting without any'
    )
    parser.add_argument('--memory', type=int, default=1500, help='limit of a command, in MB')
    parser.add_argument('--keep', type=Path, help='keep the output of what was not survived here')
    parser.add_argument('--list', action='store_true', help='only list the inputs')
    options = parser.parse_args()
    cases = [
        case
        for kind, make in KINDS.items()
        if options.only is None or kind in options.only
        for case in [*make(np.random.default_rng(options.seed))][:: options.every]
    ]
    if options.list:
        print(*(f'{case.kind}: {case.name}: {" ".join(case.words)!a}' for case in cases), sep='\n')
        return 0
    cv2.setNumThreads(0)
    limits = Limits(options.seconds, options.memory)
    faults: dict[int, str] = {}
    tried = 0
    with tempfile.TemporaryDirectory(prefix='hostile-') as scratch:
        try:
            make_world(Path(scratch) / 'world')
            for number, case in enumerate(cases):
                if fault := _fault(case, Path(scratch), number, limits, options.keep):
                    faults[number] = fault
                    print(ascii(f'{case.kind}: {case.name}: {fault}')[:600], file=sys.stderr)
                tried = number + 1
        except KeyboardInterrupt:  # what was tried until now
            pass
    _print(cases[:tried], faults)
    return 1 if faults else 0


def _fault(case: Case, scratch: Path, number: int, limits: Limits, keep: Path | None) -> str:
    """Run a case in a sandbox of its own; return what is wrong with how it ended, or nothing."""
    sandbox = scratch / str(number)
    shutil.copytree(scratch / 'world', sandbox)
    case.harm(sandbox)
    before = state(sandbox)
    log = sandbox.with_suffix('.log')
    status = _run(case.words, sandbox, log, limits)
    shown = log.read_bytes().decode('utf-8', 'surrogateescape')
    fault = _ending(case, status, shown) or _damage(case, status, before, state(sandbox))
    if fault and keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        shutil.move(log, keep / f'{number}.log')
    _remove(sandbox)
    return fault


def _run(words: Sequence[str], sandbox: Path, log: Path, limits: Limits) -> int | None:
    """Return the exit status of a command, minus a signal; None where it did not end."""
    child = os.fork()
    if not child:
        _child(words, sandbox, log, limits)
    used_s, since = 0.0, time.monotonic()
    # On a busy machine a command makes slow progress; one that waits for ever makes none.
    while used_s < limits.seconds and time.monotonic() - since < limits.seconds:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
        if (now_s := _cpu_s(child)) > used_s:
            used_s, since = now_s, time.monotonic()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _cpu_s(process: int) -> float:
    """Return the CPU time that a process has taken."""
    fields = Path(f'/proc/{process}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def _child(words: Sequence[str], sandbox: Path, log: Path, limits: Limits) -> None:
    """Be the command; never returns."""
    status = 1
    try:
        handle = os.open(log, os.O_WRONLY | os.O_CREAT, 0o600)
        for stream in (1, 2):
            os.dup2(handle, stream)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(sandbox)
        home = str(sandbox / 'home')
        os.environ.update(HOME=home, XDG_CACHE_HOME=home, XDG_CONFIG_HOME=home)
        taken = int(Path('/proc/self/statm').read_text().split()[0]) * PAGE_BYTES
        most = taken + (limits.memory_mb << 20)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        sys.argv = ['placerec', *words]
        placerec()
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _ending(case: Case, status: int | None, shown: str) -> str:
    """Return what is wrong with the exit status and the output."""
    if status is None:
        return 'did not end in time'
    if status < 0:
        return f'killed by {signal.Signals(-status).name}'
    if 'Traceback' in shown:
        return f'a traceback: {shown.strip().splitlines()[-1]}'
    if found := CONTROL.search(shown):
        return f'a control character {found[0]!r} on the terminal'
    if status == 2:
        errors = sum(line.startswith('error: ') for line in shown.splitlines())
        usage = 'Usage: placerec' in shown
        if errors + usage != 1:
            return f'{errors} errors instead of one: {shown.strip()[-300:]}'
        if case.expect == 'done':
            return f'refused: {shown.strip().splitlines()[-1]}'
    elif status not in (0, 1):
        return f'exit status {status}'
    elif case.expect == 'refused':
        return f'not refused: {shown.strip()[-300:]}'
    return ''


def _damage(case: Case, status: int | None, before: object, after: object) -> str:
    """Return what the command did to files that are not its own."""
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    for path in sorted({*before, *after}):
        if before.get(path) == after.get(path) or path.partition('/')[0] == 'home':
            continue
        own = path.partition('/')[0] in case.may_change
        if path in before and not own:
            return f'{"changed" if path in after else "removed"} {path}'
        if path not in before and (not own or status == 2):
            return f'left {path} behind'
    return ''


def _remove(folder: Path) -> None:
    """Remove a sandbox, also where a case took the rights away."""
    for path in (folder, *folder.rglob('*')):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(folder)


def _print(cases: Sequence[Case], faults: dict[int, str]) -> None:
    table = Table(title='Hostile inputs', title_justify='left')
    for heading in ('kind', 'tried', 'survived'):
        table.add_column(heading, justify='left' if heading == 'kind' else 'right')
    for kind in dict.fromkeys(case.kind for case in cases):
        tried = [number for number, case in enumerate(cases) if case.kind == kind]
        table.add_row(kind, str(len(tried)), str(len([n for n in tried if n not in faults])))
    table.add_row('all', str(len(cases)), str(len(cases) - len(faults)), style='bold')
    console = Console()
    console.print(table)
    for number, fault in faults.items():
        case = cases[number]
        text = ascii(f'{case.kind}: {case.name}: {fault}')[1:-1]
        console.print(escape(text), highlight=False, soft_wrap=True)


if __name__ == '__main__':
    if 'OMP_NUM_THREADS' not in os.environ:  # threads do not survive a fork
        os.environ.update({f'{name}_NUM_THREADS': '1' for name in ('OMP', 'OPENBLAS', 'MKL')})
        os.execv(sys.executable, [sys.executable, *sys.argv])
    sys.exit(main())
