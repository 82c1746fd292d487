"""What `placerec view` was started with, as the page gets it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
import ipaddress
import json
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """
    The inputs of the page.

    :param paths: folders of results, logs of a node, and maps.
    :param map_path: the map, where results name none or one that has moved.
    :param sources: drives, and folders of drives, where those that results name have moved.
    :param trust: open the file of weights that a map names.
    :param confined: show images of nothing but what the user named.
    """

    paths: tuple[Path, ...]
    map_path: Path | None = None
    sources: tuple[Path, ...] = ()
    trust: bool = False
    confined: bool = False

    def as_arguments(self) -> list[str]:
        """Return the settings as arguments of a script."""
        return [json.dumps(asdict(self), default=str)]

    @classmethod
    def from_arguments(cls, arguments: Sequence[str]) -> Settings:
        """Read what `as_arguments` wrote."""
        values = json.loads(arguments[0])
        named = values['map_path']
        return cls(
            tuple(map(Path, values['paths'])),
            Path(named) if named else None,
            tuple(map(Path, values['sources'])),
            values['trust'],
            values['confined'],
        )


def is_local(address: str) -> bool:
    """Return whether only this machine reaches an address."""
    if address == 'localhost':
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:  # the name of a host
        return False
