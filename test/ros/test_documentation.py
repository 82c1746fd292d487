"""The page of topics and services is that of the node."""

from __future__ import annotations

import pytest
from support.paths import ROOT

NEEDS = ('rclpy',)


@pytest.mark.ros
def test_the_page_of_topics_is_what_the_node_creates():
    from husky_placerec.ros.documentation import documentation, PUBLISHED, SERVED

    written = (ROOT / 'docs' / 'topics.md').read_text(encoding='utf-8')
    made = documentation()
    assert written == made, 'python -m husky_placerec.ros.documentation > docs/topics.md'
    assert all(f'| `{name}` |' in made for name in [*PUBLISHED, *SERVED])
