"""llama-server's numbers: what is read of them, and what all servers' together look like."""

from __future__ import annotations

import pytest

from ggtui.core.engine_metrics import (
    MAX_METRICS_BYTES,
    ServerMetrics,
    engine_families,
    read_series,
)
from tests.prometheus import Family, read

SOUND = b"""\
# HELP llamacpp:tokens_predicted_total Number of generation tokens processed
# TYPE llamacpp:tokens_predicted_total counter
llamacpp:tokens_predicted_total 1.23457e+06
# HELP llamacpp:requests_processing Number of requests processing
# TYPE llamacpp:requests_processing gauge
llamacpp:requests_processing 2
# HELP llamacpp:per_pos_total Accepted tokens per draft position
# TYPE llamacpp:per_pos_total counter
llamacpp:per_pos_total{position="0"} 7
llamacpp:per_pos_total{position="1"} 3
"""
PREDICTED = "llamacpp:tokens_predicted_total"
HEAD = "# HELP llamacpp:a b\n# TYPE llamacpp:a counter\n"


def merged(*servers: tuple[str, str, bytes | None]) -> dict[str, Family]:
    """What a scraper reads of models, their deployments and their answers."""
    told = [
        ServerMetrics(model, deployment, read_series(data) if data is not None else None)
        for model, deployment, data in servers
    ]
    return read("".join(f"{line}\n" for family in engine_families(told) for line in family.lines()))


def test_each_series_stands_once_with_the_models_as_labels() -> None:
    told = merged(("tiny", "", SOUND), ("large", "", SOUND.replace(b"_processing 2", b"_processing 5")))

    assert {PREDICTED, "llamacpp:requests_processing", "llamacpp:per_pos_total"} == set(told)
    assert ("counter", "Number of generation tokens processed") == (
        told[PREDICTED].kind,
        told[PREDICTED].words,
    )
    assert 1234570 == told[PREDICTED].value(model="tiny")
    busy = told["llamacpp:requests_processing"]
    assert (2, 5) == (busy.value(model="tiny"), busy.value(model="large"))
    assert (7, 3) == tuple(
        told["llamacpp:per_pos_total"].value(model="large", position=at) for at in ("0", "1")
    )


def test_a_deployment_is_a_label_where_any_server_has_one() -> None:
    told = merged(("tiny", "fast", SOUND), ("large", "", SOUND))[PREDICTED]

    assert {
        (("model", "tiny"), ("deployment", "fast")),
        (("model", "large"), ("deployment", "")),
    } == set(told.samples)
    alone = merged(("large", "", SOUND))[PREDICTED]
    assert [(("model", "large"),)] == list(alone.samples)


def test_the_servers_of_one_model_are_told_apart() -> None:
    series = read_series(SOUND)
    servers = [ServerMetrics("tiny", "", series, number) for number in ("1", "2")]
    lines = [line for family in engine_families(servers) for line in family.lines()]
    told = read("".join(f"{line}\n" for line in lines))[PREDICTED]

    assert {(("model", "tiny"), ("replica", number)) for number in ("1", "2")} == set(told.samples)


def test_a_series_that_only_one_server_knows_is_told_of_that_one() -> None:
    told = merged(("old", "", HEAD.encode() + b"llamacpp:a 1\n"), ("new", "", SOUND))

    assert [(("model", "old"),)] == list(told["llamacpp:a"].samples)
    assert [(("model", "new"),)] == list(told[PREDICTED].samples)


def test_a_server_without_an_answer_is_left_out_and_named() -> None:
    told = merged(("tiny", "", SOUND), ("hangs", "", None), ("chatters", "", b'{"error": {}}'))

    assert [(("model", "tiny"),)] == list(told[PREDICTED].samples)
    missing = told["ggtui_metrics_missing"]
    assert {"hangs": 1.0, "chatters": 1.0} == {dict(key)["model"]: n for key, n in missing.samples.items()}
    assert "ggtui_metrics_missing" not in merged(("tiny", "", SOUND))


@pytest.mark.parametrize(
    "line",
    [
        *("llamacpp:a", "llamacpp:a one", "llamacpp:a -1", "llamacpp:a NaN", "llamacpp:a +Inf"),
        *("llamacpp:a 1e999", "llamacpp:a.5", "llamacpp:a 1 x", "llamacpp:a 1 2 3", "llamacpp:b 1"),
        *('llamacpp:a{b="c} 1', 'llamacpp:a{b="c"', "llamacpp:a{b=c} 1", 'llamacpp:a{b="c"d="e"} 1'),
        *('llamacpp:a{b="c",b="d"} 1', 'llamacpp:a{__b="c"} 1', 'llamacpp:a{model="other"} 1'),
        *('llamacpp:a{deployment="other"} 1', "ggtui_info 1", 'llamacpp:a{b="' + "c" * 5000 + '"} 1'),
        *("# TYPE llamacpp:c histogram\nllamacpp:c 1", "# TYPE ggtui_models gauge\nggtui_models 7"),
        *("# TYPE llamacpp:d gauge", "#", "# HELP", "# TYPE", "}x" * 2000 + " y z", "{" * 4000, '"\\'),
    ],
)
def test_a_line_that_is_not_sound_is_dropped_and_no_other(line: str) -> None:
    told = merged(("tiny", "", f"{HEAD}{line}\n".encode() + SOUND))

    assert set(merged(("tiny", "", SOUND))) == set(told)


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("llamacpp:a 1.5", 1.5),
        ("  llamacpp:a \t 2e-3 1700000000000 ", 0.002),
        ("llamacpp:a 3\r", 3),
        ("llamacpp:a{} 4", 4),
        ("llamacpp:a 5\nllamacpp:a 6", 5),
        ('llamacpp:a 7\nllamacpp:a{b="c"} 8', 7),
    ],
)
def test_what_the_format_allows_is_read(line: str, number: float) -> None:
    told = merged(("tiny", "", f"{HEAD}{line}\n".encode()))

    assert {(("model", "tiny"),): number} == told["llamacpp:a"].samples


@pytest.mark.parametrize("value", ['a"b', "a\\b", "a\nb", "\\n", "a}b{c,d=", "ä 漢", ""])
def test_any_label_comes_back_as_it_was(value: str) -> None:
    escaped = value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    line = f'llamacpp:a{{z="1", b = "{escaped}" ,}} 1\n'

    told = merged((value, value, (HEAD + line).encode()))

    only = (("model", value), ("b", value), ("z", "1"))
    expected = (only[0], ("deployment", value), *only[1:]) if value else only
    assert [expected] == list(told["llamacpp:a"].samples)


def test_servers_that_disagree_about_a_series_are_not_mixed() -> None:
    as_gauge = HEAD.replace("counter", "gauge").encode()
    told = merged(
        ("first", "", HEAD.encode() + b"llamacpp:a 1\n"),
        ("gauge", "", as_gauge + b"llamacpp:a 2\n"),
        ("labelled", "", HEAD.encode() + b'llamacpp:a{b="c"} 3\n'),
    )

    assert ("counter", [(("model", "first"),)]) == (
        told["llamacpp:a"].kind,
        list(told["llamacpp:a"].samples),
    )


def test_bytes_that_are_no_text_and_words_of_any_kind_do_no_harm() -> None:
    head = b"# HELP llamacpp:a \xff \\\\ \\n \r x\\\n# TYPE llamacpp:a counter\n"

    told = merged(("tiny", "", head + b"llamacpp:a 1\n"))["llamacpp:a"]

    assert ("\ufffd \\ \n   x\\", 1) == (told.words, told.value(model="tiny"))


def test_too_much_is_not_read() -> None:
    filler = b"#" * (MAX_METRICS_BYTES - len(SOUND))

    assert read_series(SOUND + filler) is not None
    assert read_series(SOUND + filler + b"#") is None
