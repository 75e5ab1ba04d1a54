"""What of a request is read at once, where it holds several texts."""

from __future__ import annotations

import json

import pytest

from ggtui.proxy.token_count import longest_text


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"prompt": "abc"}, '"abc"'),
        ({"prompt": ["a", "abc", "ab"]}, '"abc"'),
        ({"prompt": [1, 2, 3]}, 3),
        ({"prompt": [[1], [1, 2, 3, 4]]}, 4),
        ({"prompt": [1, 2, "abc"]}, '[1,2,"abc"]'),
        ({"prompt": ["ab", [1, 2, 3, 4]]}, 4),
        ({"prompt": {"prompt_string": "abc", "multimodal_data": []}}, '"abc"'),
        ({"input": "abc", "model": ""}, '"abc"'),
        ({"content": ["a", "ab"]}, '"ab"'),
        ({"query": "q", "documents": ["a", "abc"]}, '["q","abc"]'),
        ({"query": "q", "texts": ["a", "abc"]}, '["q","abc"]'),
        ({"documents": ["a"]}, '["","a"]'),
        ({"prompt": ["a"] * 150_000}, ""),
        ({"prompt": []}, 1),
        ({}, ""),
        ([], ""),
    ],
)
def test_the_longest_of_several_prompts_decides(document: object, expected: str | int) -> None:
    body = json.dumps(document, separators=(",", ":")).encode()

    assert (expected if isinstance(expected, int) else expected.encode()) == longest_text(body)
