"""The processor of this machine: its name, and whether it multiplies in bfloat16."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
import platform

_FILE = Path('/proc/cpuinfo')
_NAMES = 'model name', 'Model', 'Hardware'  # x86, and the names that ARM boards have
_FLAGS = 'flags', 'Features'


@lru_cache(maxsize=1)
def _about() -> dict[str, str]:
    """Return the values of the first processor in /proc/cpuinfo."""
    try:
        lines = _FILE.read_text(encoding='utf-8', errors='replace').splitlines()
    except OSError:
        return {}
    pairs = [line.partition(':') for line in lines]
    return {key.strip(): value.strip() for key, _, value in reversed(pairs)}


def processor_name() -> str:
    """Return the name of the processor, with what tells alike names of virtual machines apart."""
    about = _about()
    name = next((about[key] for key in _NAMES if about.get(key)), platform.machine())
    wide = [flag for flag in sorted(_flags()) if flag.startswith(('amx', 'avx', 'sve', 'bf16'))]
    return ' '.join([name, *wide])


def short_name() -> str:
    """Return the name of the processor alone."""
    about = _about()
    return next((about[key] for key in _NAMES if about.get(key)), platform.machine())


def computes_bfloat16() -> bool:
    """Say whether the processor has instructions for bfloat16."""
    return any('bf16' in flag for flag in _flags())


def _flags() -> set[str]:
    about = _about()
    return set(' '.join(about.get(key, '') for key in _FLAGS).split())
