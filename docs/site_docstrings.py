"""An extension of griffe: the examples of a docstring become code, before its parameters."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

EXAMPLE = re.compile(r'^>>> .*?(?=\n\s*\n|\Z)', re.M | re.S)
FIELD = re.compile(r'^:\w+', re.M)


class Examples(Extension):
    """Move doctests, because the parser of fields takes what follows a field for its text."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Change the docstring of a function or class."""
        if obj.docstring is None or not (examples := EXAMPLE.findall(obj.docstring.value)):
            return
        text = EXAMPLE.sub('', obj.docstring.value).rstrip()
        code = '\n'.join(re.sub(r'  # doctest:.*', '', example) for example in examples)
        field = FIELD.search(text)
        at = field.start() if field else len(text)
        obj.docstring.value = f'{text[:at]}\n\n```python\n{code}\n```\n\n{text[at:]}'
