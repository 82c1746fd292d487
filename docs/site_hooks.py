"""A hook of MkDocs: links out of `docs/` become paths, because the site has no such page."""

from __future__ import annotations

import re
from typing import Any

OUTSIDE = re.compile(r'\[([^\]]*)\]\(\.\./([^)#\s]+)[^)]*\)')


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Name the file of the repository; the pages themselves link to it, for readers there."""
    return OUTSIDE.sub(lambda link: f'{link[1]} (`{link[2]}`)', markdown)
