"""
Count what one `recognize(frame)` calls in the package: functions, calls, files, depth.

    python benchmarks/call_tree.py MAP SOURCE [--tree]

The frame is the tenth of SOURCE, so that the sequence is under way. `--tree` prints each call.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import islice
from pathlib import Path
import sys
from types import FrameType
from typing import Any

import husky_placerec
from husky_placerec.config import read_config
from husky_placerec.data.source import decoded_frames, open_source
from husky_placerec.placemap.loading import load_map
from husky_placerec.recognition.recognizer import Recognizer

PACKAGE = str(Path(husky_placerec.__file__).parent)
FRAMES = 10


class CallTree:
    """Record the package's own functions while a call runs; comprehensions are part of theirs."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, str, str]] = []  # depth, file, function
        self._depth = 0

    def record(self, call: Callable[[], Any]) -> None:
        sys.setprofile(self._event)
        try:
            call()
        finally:
            sys.setprofile(None)

    def _event(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        ours = code.co_filename.startswith(PACKAGE) and not code.co_name.startswith('<')
        if not ours:
            return
        if event == 'call':
            self._depth += 1
            file = str(Path(code.co_filename).relative_to(PACKAGE))
            self.calls.append((self._depth, file, code.co_qualname))
        elif event == 'return':
            self._depth -= 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[1])
    parser.add_argument('map', type=Path)
    parser.add_argument('source', type=Path)
    parser.add_argument('--tree', action='store_true', help='Print each call.')
    arguments = parser.parse_args()
    place_map = load_map(arguments.map)
    config = read_config(None, [], cameras=place_map.spec.sees)
    recognizer = Recognizer.load(place_map, config)
    with open_source(arguments.source) as source:
        frames = list(islice(decoded_frames(source, source.frames(config)), FRAMES))
    for frame in frames[:-1]:
        recognizer.recognize(frame)
    tree = CallTree()
    tree.record(lambda: recognizer.recognize(frames[-1]))
    if arguments.tree:
        for depth, file, function in tree.calls:
            print(f'{"  " * (depth - 1)}{function}  ({file})')
    functions = {(file, function) for _, file, function in tree.calls}
    print(
        f'{len(functions)} functions, {len(tree.calls)} calls, '
        f'{len({file for file, _ in functions})} files, '
        f'depth {max(depth for depth, _, _ in tree.calls)}'
    )


if __name__ == '__main__':
    main()
