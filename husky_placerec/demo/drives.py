"""The two drives of the demo: rendered once, then kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
import hashlib
import json
from pathlib import Path

from husky_placerec import __version__
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.recording import write_drive
from husky_placerec.progress import bar

# The second drive is on a grey autumn day instead of a summer's, holds another line, meets other
# cars and people, and goes on where the first ended: its last fifth is unknown to the map. No row
# of houses repeats elsewhere, which a similarity alone could not tell apart.
CAMPUS = DriveConfig(seed=1, aliasing=0.0)
MAPPED = replace(CAMPUS, drive=0, condition='summer_day', length_m=330.0, step_m=2.0)
DRIVEN = replace(CAMPUS, drive=1, condition='autumn_overcast', length_m=420.0)


@dataclass(frozen=True)
class Drives:
    """Folders of the two bags."""

    mapped: Path
    driven: Path


def prepare(folder: Path) -> Drives:
    """Render the drives that are not there yet, with progress bars."""
    paths = []
    for name, config in (('mapped', MAPPED), ('driven', DRIVEN)):
        # Named by what it is made of, so that a change of the demo renders anew.
        about = json.dumps([__version__, asdict(config)])
        path = folder / f'{name}-{hashlib.sha256(about.encode()).hexdigest()[:8]}'
        if not path.exists():
            _render(path, config, f'Rendering the {name} drive')
        paths.append(path)
    return Drives(*paths)


def _render(path: Path, config: DriveConfig, title: str) -> None:
    with bar(title) as shown:

        def show(done: int, total: int) -> None:
            shown.total = total
            shown.update(done - shown.n)

        write_drive(path, config, progress=show)
