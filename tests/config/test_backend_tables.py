"""Backends, models and groups as the configuration file has them, and every mistake with its place."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from ggtui.config.load import load
from ggtui.config.toml_file import read_to_the_end
from ggtui.core.backends.backend import Backend, BackendType, Capability, Declared, DeclaredModel, Group
from ggtui.core.deployment.deployment import ChoicePolicy
from ggtui.core.deployment.secret import Secret, SecretRef, SecretSource
from ggtui.core.errors import ConfigInvalid

if TYPE_CHECKING:
    from pathlib import Path

    from ggtui.config.schema import Config

WHOLE = """\
[[backend]]
name = "gpu-box"
type = "vllm"
base_url = "http://192.168.1.9:8000/"
api_key = { from = "env", name = "GPU_KEY" }
groups = ["chat"]
models = ["qwen3", { name = "embedder", groups = ["b"], capabilities = ["embed"], context_length = 8192 }]

[[backend]]
name = "home"
type = "openai"
api_key = { from = "file", name = "openai.key" }

[[model]]
name = "mine"
repository = "unsloth/Qwen3-8B-GGUF:Q4_K_M"
groups = ["chat"]
capabilities = ["chat", "stream"]
context_length = 4096
[[model]]
repository = "org/repo"

[[group]]
name = "chat"
policy = "low-latency"
[[group]]
name = "b"

[backends]
policy = "priority"
interval_s = 2.5
[downloads]
parallel = 4
max_mb_per_s = 1.5
"""
BACKEND = '[[backend]]\nname = "box"\ntype = "vllm"\nbase_url = "http://box"\n'
GROUP = '[[group]]\nname = "chat"\n'
URL_HINT = "such as http://192.168.1.9:8000"
TYPES = "ollama, vllm, openai, gemini, llama_server, llama_router, ggtui"


def _config(folder: Path, text: str, environ: dict[str, str] | None = None) -> Config:
    file = folder / "config.toml"
    file.write_text(text)
    return load({}, environ or {}, file)


def _told(folder: Path, text: str) -> list[tuple[int | None, str, str]]:
    """Line, sentence and hint of every mistake."""
    file = folder / "config.toml"
    file.write_text(text)
    return [(each.line, each.words, each.hint) for each in read_to_the_end(file).mistakes]


def test_every_key_is_read(tmp_path: Path) -> None:
    config = _config(tmp_path, WHOLE)
    chat, embed = Capability.CHAT, Capability.EMBED

    assert (
        Declared(
            (
                Backend(
                    "gpu-box",
                    BackendType.VLLM,
                    "http://192.168.1.9:8000",
                    SecretRef(SecretSource.ENV, "GPU_KEY"),
                    ("chat",),
                    (DeclaredModel("qwen3"), DeclaredModel("embedder", "", ("b",), frozenset({embed}), 8192)),
                ),
                Backend(
                    "home",
                    BackendType.OPENAI,
                    api_key=SecretRef(SecretSource.FILE, str(tmp_path / "openai.key")),
                ),
            ),
            (
                DeclaredModel(
                    "mine",
                    "unsloth/Qwen3-8B-GGUF:Q4_K_M",
                    ("chat",),
                    frozenset({chat, Capability.STREAM}),
                    4096,
                ),
                DeclaredModel("org/repo", "org/repo"),
            ),
            (Group("chat", ChoicePolicy.LOW_LATENCY), Group("b")),
            ChoicePolicy.PRIORITY,
        )
        == config.declared
    )
    assert (2.5, 4, 1.5) == (
        *(config.backends_interval_s, config.downloads_parallel),
        config.downloads_max_mb_per_s,
    )
    assert 1.5 * 1024 * 1024 == config.downloads_max_bytes_per_s


def test_nothing_declared_is_nothing(tmp_path: Path) -> None:
    config = _config(tmp_path, "")

    assert Declared() == config.declared
    assert (10.0, 2, 0.0) == (
        *(config.backends_interval_s, config.downloads_parallel),
        config.downloads_max_mb_per_s,
    )


def test_the_environment_names_the_table_too(tmp_path: Path) -> None:
    environ = {
        "GGTUI_BACKENDS_POLICY": "random",
        "GGTUI_BACKENDS_INTERVAL_S": "3",
        "GGTUI_DOWNLOADS_PARALLEL": "1",
        "GGTUI_DOWNLOADS_MAX_MB_PER_S": "0.5",
        "GGTUI_PARALLEL": "9",
        "GGTUI_POLICY": "no policy at all",
    }
    config = _config(tmp_path, WHOLE, environ)

    assert (ChoicePolicy.RANDOM, 2) == (config.declared.policy, len(config.declared.backends))
    assert (3.0, 1, 0.5) == (
        *(config.backends_interval_s, config.downloads_parallel),
        config.downloads_max_mb_per_s,
    )


@pytest.mark.parametrize(
    ("spelling", "type"),
    [(each, each) for each in BackendType]
    + [("Llama-Server", "llama_server"), ("llamarouter", "llama_router")],
)
def test_types_have_several_spellings(tmp_path: Path, spelling: str, type: str) -> None:
    text = BACKEND.replace("vllm", spelling)

    assert type == _config(tmp_path, text).declared.backends[0].type


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            BACKEND.replace('"vllm"', '"vlm"'),
            (1, "backend 'box': type: Unsupported backend type: vlm", "did you mean vllm?"),
        ),
        (
            BACKEND.replace('"vllm"', '"zzz"'),
            (1, "backend 'box': type: Unsupported backend type: zzz", f"the types are {TYPES}"),
        ),
        (
            BACKEND.replace('"vllm"', "7"),
            (1, f"backend 'box': type: must be one of {TYPES}, not 7", ""),
        ),
        (
            '[[backend]]\nname = "box"\n',
            (1, "backend 'box': type: is needed", f"one of {TYPES}"),
        ),
        (
            BACKEND + "modles = []",
            (1, "backend 'box': modles: is no key here", "did you mean models?"),
        ),
        (
            BACKEND.replace('"http://box"', '""'),
            (1, "backend 'box': base_url: is needed where type is vllm", URL_HINT),
        ),
        (
            BACKEND.replace("http://box", "box"),
            (1, "backend 'box': base_url: must be an http or https URL", URL_HINT),
        ),
        (
            BACKEND.replace("http://", "http://me:hunter2@"),
            (1, "backend 'box': base_url: must hold no user and no password", "a key is named by api_key"),
        ),
        (
            BACKEND + 'api_key = { from = "env" }',
            (
                1,
                "backend 'box': api_key: is not whole: a key from env needs a name and no value",
                "",
            ),
        ),
        (
            BACKEND + 'api_key = { form = "env", name = "X" }',
            (
                1,
                "backend 'box': api_key.form: is no key of this table",
                "the keys are from, name, value",
            ),
        ),
        (
            BACKEND + 'models = ["a", 7]',
            (1, "backend 'box': models[1]: must be a name or a table with a name, not 7", ""),
        ),
        (
            BACKEND + 'models = ["a", { name = "b", contxt_length = 7 }]',
            (
                1,
                "backend 'box': models[1].contxt_length: is no key here",
                "did you mean context_length?",
            ),
        ),
        (
            BACKEND + 'models = [{ name = "b", capabilities = ["sing"] }]',
            (
                1,
                (
                    "backend 'box': models[0].capabilities: must be a list of chat, embed, prompt, stream, "
                    "not ['sing']"
                ),
                "",
            ),
        ),
        (
            BACKEND + 'models = "a"',
            (
                1,
                (
                    'backend \'box\': models: must be a list such as ["qwen3", { name = "embedder", '
                    "context_length = 8192 }], not 'a'"
                ),
                "",
            ),
        ),
        (
            BACKEND + 'groups = ["chta"]\n' + GROUP,
            (1, "backend 'box': groups: unknown group 'chta'", "did you mean chat?"),
        ),
        (
            '[[backend]]\nname = "local"\ntype = "openai"\n',
            (1, "backend 'local': name: 'local' is this machine itself", "choose another name"),
        ),
        (
            '[[backend]]\ntype = "openai"\n',
            (1, "backend number 1: name: backend name must not be empty", ""),
        ),
        (
            BACKEND + BACKEND,
            (5, "backend 'box': name: duplicate backend name 'box'", ""),
        ),
        (
            '[[model]]\nname = "m"\n',
            (
                1,
                "model 'm': groups: is needed where there is no repository",
                "repository brings it onto this disk; groups name the backends that should have it",
            ),
        ),
        (
            '[[model]]\nrepository = "nobody"\n',
            (
                1,
                "model 'nobody': repository: must be OWNER/REPO, OWNER/REPO:QUANT or OWNER/REPO/FILE.gguf",
                "",
            ),
        ),
        (
            "[[model]]\nrepository = 7\n",
            (
                1,
                (
                    "model number 1: repository: must be OWNER/REPO, OWNER/REPO:QUANT or "
                    "OWNER/REPO/FILE.gguf, not 7"
                ),
                "",
            ),
        ),
        (
            '[[model]]\nrepository = "a/b"\n[[model]]\nrepository = "a/b"\n',
            (3, "model 'a/b': repository: duplicate repository 'a/b'", ""),
        ),
        (
            GROUP + 'policy = "fastest"',
            (
                1,
                (
                    "group 'chat': policy: must be one of auto, random, low-latency, highest-context, "
                    "priority, not 'fastest'"
                ),
                "",
            ),
        ),
        (GROUP + GROUP, (3, "group 'chat': name: duplicate group name 'chat'", "")),
        (
            '[[deployment]]\nname = "d"\nmodel = "m.gguf"\ngroups = ["chta"]\n' + GROUP,
            (1, "deployment 'd': groups: unknown group 'chta'", "did you mean chat?"),
        ),
        (
            '[[deployment]]\nname = "d"\nmodel = "m.gguf"\ngroups = ["chat"]\n',
            (
                1,
                "deployment 'd': groups: unknown group 'chat'",
                'declare it: [[group]] with name = "chat"',
            ),
        ),
        (
            "[backend]\nname = 'x'\n",
            (1, "backend must be a list of tables", "begin each with a line [[backend]]"),
        ),
        ("[[backends]]\nname = 'x'\n", (1, "backends must be a table", "did you mean [[backend]]?")),
        ("[[models]]\nname = 'x'\n", (1, "no table is called [models]", "did you mean [[model]]?")),
        ("backends = 7\n", (1, "backends must be a table", "write it as [backends]")),
        (
            "[backends]\npolicy = 'fastest'\n",
            (
                2,
                (
                    "[backends] policy must be one of auto, random, low-latency, highest-context, priority, "
                    "not 'fastest'"
                ),
                "",
            ),
        ),
        (
            "[downloads]\nparallel = 0\n",
            (2, "[downloads] parallel must be a whole number from 1 to 16, not 0", ""),
        ),
        (
            "[downloads]\nmax_mb_per_s = -1\n",
            (2, "[downloads] max_mb_per_s must be a number from 0 to 100000, not -1", ""),
        ),
        (
            "[backends]\ninterval = 5\n",
            (2, "[backends] has no key interval", "did you mean [backends] interval_s?"),
        ),
    ],
)
def test_a_mistake_names_line_table_and_field(tmp_path: Path, text: str, told: tuple[int, str, str]) -> None:
    (found,) = _told(tmp_path, text)

    assert told == (found[0], found[1].removeprefix(f"{tmp_path}/config.toml: "), found[2])


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = (
        '[[group]]\nname = "chat"\npolicy = 7\n'
        '[[backend]]\nname = "local"\ntype = "x"\nbase_url = "b"\ngroups = ["a", "b"]\nmodels = [1, "", ""]\n'
        '[[model]]\nrepository = "m"\ncontext_length = 0\n'
        '[[deployment]]\nname = ""\nmodel = "m.gguf"\n'
    )

    assert [
        (4, "type"),
        (4, "models[0]"),
        (4, "name"),
        (4, "base_url"),
        (4, "groups"),
        (4, "groups"),
        (4, "models[1].name"),
        (4, "models[2].name"),
        (10, "context_length"),
        (10, "repository"),
        (1, "policy"),
        (13, "name"),
    ] == [(line, words.split(": ")[1]) for line, words, _ in _told(tmp_path, text)]


def test_a_rule_says_nothing_where_what_it_looks_at_could_not_be_read(tmp_path: Path) -> None:
    unread_group = "[[group]]\nname = 7\n" + BACKEND + 'groups = ["chat"]\n'
    unread_list = "group = 7\n" + BACKEND + 'groups = ["chat"]\n'

    assert 1 == len(_told(tmp_path, unread_group))
    assert 1 == len(_told(tmp_path, unread_list))
    assert 1 == len(_told(tmp_path, BACKEND.replace('"vllm"', '"x"').replace('"http://box"', '""')))


@pytest.mark.parametrize(
    "model", ['model = "qwen3"', 'model = "qwen3"\nruntime = "vllm"', 'model = "qwen3"\nruntime = "custom"']
)
def test_a_deployment_needs_no_endpoint_where_a_backend_has_its_model(tmp_path: Path, model: str) -> None:
    deployment = f'[[deployment]]\nname = "d"\n{model}\n'
    file = tmp_path / "config.toml"
    file.write_text(deployment + BACKEND + 'models = ["qwen3"]\n')
    alone = tmp_path / "alone.toml"
    alone.write_text(deployment)

    assert [] == read_to_the_end(file, lambda _: False).mistakes
    assert ["runtime"] == [each.field for each in read_to_the_end(alone, lambda _: False).mistakes]


def test_an_inline_key_is_warned_of_and_shown_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = BACKEND + 'api_key = { from = "inline", value = "hunter2" }\n'
    with caplog.at_level(logging.WARNING):
        (backend,) = _config(tmp_path, text).declared.backends

    assert SecretRef(SecretSource.INLINE, value=Secret("hunter2")) == backend.api_key
    assert "the key of backend 'box' stands in the file" in caplog.text
    assert "hunter2" not in caplog.text + repr(backend)


@pytest.mark.parametrize(
    "line",
    [
        'api_key = "hunter2"',
        'api_key = { from = "hunter2" }',
        'api_key = { from = "env", value = "hunter2" }',
        'api_key = { from = "env", name = "hunter2 x" }',
        "base_url = ['hunter2']",
        'base_url = "hunter2"',
        'base_url = "http://u:hunter2@box"',
        'base_url = "http://box?hunter2"',
    ],
)
def test_what_may_be_a_key_is_not_repeated(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        _config(tmp_path, f'[[backend]]\nname = "box"\ntype = "openai"\n{line}\n')

    assert "hunter2" not in str(caught.value) + caught.value.hint


def test_the_first_of_several_names_its_line_and_how_many_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        _config(tmp_path, "\n" + BACKEND.replace("vllm", "x") + 'groups = ["y"]\n')

    assert f"{tmp_path}/config.toml, line 2: backend 'box': type: " in str(caught.value)
    assert "1 more: ggtui validate" in caught.value.hint


def test_tables_of_models_within_a_backend_are_read(tmp_path: Path) -> None:
    text = BACKEND + '[[backend.models]]\nname = "a"\n[[backend.models]]\nname = "b"\ncontext_length = 7\n'

    (backend,) = _config(tmp_path, text).declared.backends
    assert (DeclaredModel("a"), DeclaredModel("b", context_length=7)) == backend.models


def test_a_fallback_may_be_a_model_of_a_backend(tmp_path: Path) -> None:
    deployment = '[[deployment]]\nname = "d"\nmodel = "m.gguf"\nfallback = ["qwen3"]\n'

    assert [] == _told(tmp_path, deployment + BACKEND + 'models = ["qwen3"]\n')
    assert [(1, "deployment 'd': fallback: unknown fallback 'qwen3'", "did you mean qwen4?")] == _told(
        tmp_path, deployment + BACKEND + 'models = ["qwen4"]\n'
    )
