"""The `placerec` commands that README and docs print in fenced blocks."""

from __future__ import annotations

from dataclasses import dataclass
import re
import shlex

from support.paths import ROOT

BLOCK = re.compile(r'^```(?:sh|bash|console)?\n(.*?)^```', re.M | re.S)
NOTE = re.compile(r'\s+#\s.*|\s{3,}\S.*')  # a comment, or words at a distance
PAGES = [ROOT / 'README.md', ROOT / 'README.ru.md', *sorted((ROOT / 'docs').glob('*.md'))]


@dataclass(frozen=True)
class Printed:
    """A command, as words behind `placerec`, and the name of its page."""

    page: str
    words: tuple[str, ...]

    def __str__(self):
        return f'{self.page}: placerec {" ".join(self.words)}'


def printed_commands():
    """Return each command once a page, in the order of the page."""
    found = {}
    for page in PAGES:
        for block in BLOCK.findall(page.read_text(encoding='utf-8')):
            for line in re.sub(r'\\\n\s*', '', block).splitlines():
                for part in re.split(r' (?:&&|;) ', NOTE.sub('', line)):
                    command = part.strip().removeprefix('ros2 run husky_placerec ')
                    if command.startswith('placerec '):
                        found[Printed(page.name, tuple(shlex.split(command)[1:]))] = None
    return list(found)
