"""The push channel's lines."""

from __future__ import annotations

import pytest

from ggtui.adapters.llama_server.push import PushState, parse

PREFIX = b"cmd_child_to_router:state:"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            b'{"state":"loading","payload":{"stages":["text_model"],"current":"text_model","value":0.42}}',
            PushState("loading", 0.42),
        ),
        (
            b'{"state":"loading","payload":{"stages":["text","mmproj"],"current":"mmproj","value":0.5}}',
            PushState("loading", 0.75),
        ),
        (b'{"state":"loading","payload":{"value":7}}', PushState("loading", 1.0)),
        (b'{"state":"loading","payload":{"stages":"x","value":"y"}}', PushState("loading")),
        (b'{"state":"ready","payload":{"meta":{}}}', PushState("ready")),
        (b'{"state":"sleeping","payload":null}', PushState("sleeping")),
        (b'{"state":7}', None),
        (b'{"payload":{}}', None),
        (b"[1]", None),
        (b'{"state":"rea', None),
        (b"[" * 30000, None),
    ],
)
def test_a_state_line_is_read_or_ignored(line: bytes, expected: PushState | None) -> None:
    assert expected == parse(PREFIX + line)


def test_other_output_is_no_state() -> None:
    assert parse(b'{"state":"ready"}') is None
