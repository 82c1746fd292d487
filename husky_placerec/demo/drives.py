"""The simulated drives of the demo, which are rendered once and then reused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
import hashlib
import json
from pathlib import Path

from husky_placerec import __version__
from husky_placerec.campus.drives import DriveConfig
from husky_placerec.campus.recording import write_drive
from husky_placerec.progress import bar

# The map shows a summer day. One query drive is at winter dusk, the other one in the reverse
# direction. Both have another lateral offset and other traffic, and both leave the mapped part of
# the route. The cameras are identical, because HOG does not match pictures of different focal
# lengths. No run of houses repeats elsewhere.
CAMPUS = DriveConfig(seed=1, aliasing=0.0, identical_cameras=True)
MAPPED = replace(CAMPUS, drive=0, condition='summer_day', length_m=330.0, step_m=2.0)
DRIVEN = {
    'winter dusk': replace(CAMPUS, drive=1, condition='winter_dusk', length_m=420.0),
    'reverse': replace(CAMPUS, drive=2, condition='summer_day', length_m=420.0, reverse=True),
}


@dataclass(frozen=True)
class Drives:
    """The bag folders of the drives: of the map, and of the queries by name."""

    mapped: Path
    driven: Mapping[str, Path]


def prepare(folder: Path) -> Drives:
    """Render the missing drives into a folder, with progress bars; return all drives."""
    paths = {name: _rendered(folder, name, c) for name, c in {'mapped': MAPPED, **DRIVEN}.items()}
    return Drives(paths.pop('mapped'), paths)


def _rendered(folder: Path, name: str, config: DriveConfig) -> Path:
    # The name contains a hash of version and configuration: a change causes a new rendering.
    about = json.dumps([__version__, asdict(config)])
    digest = hashlib.sha256(about.encode()).hexdigest()[:8]
    path = folder / f'{name.replace(" ", "_")}-{digest}'
    if path.exists():
        return path
    with bar(f'Rendering the drive: {name}') as shown:

        def show(done: int, total: int) -> None:
            shown.total = total
            shown.update(done - shown.n)

        write_drive(path, config, progress=show)
    return path
