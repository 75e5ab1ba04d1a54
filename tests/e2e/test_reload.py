"""A changed configuration is taken over by a running ggtui; a broken one changes nothing."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

from tests.e2e.instance import Instance, running

if TYPE_CHECKING:
    from pathlib import Path


def _reload(one: Instance, log: Path, expected: str) -> str:
    """Ask for a reload and wait for the line that tells its end."""
    n_before = log.read_text().count(expected)
    one.process.send_signal(signal.SIGHUP)
    while log.read_text().count(expected) == n_before:
        one.get("/health")
    return log.read_text()


def test_sighup_applies_what_changed_and_keeps_the_last_good_one(demo_models: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[server]\nmax_queue = 5\n")
    log = tmp_path / "data.err"
    flags = ("--llama-server", "embedded", "--config", str(config))
    with running(demo_models, tmp_path / "data", *flags) as one:
        model = next(e["id"] for e in one.get("/v1/models")["data"] if "broken" not in e["id"])

        assert 200 == one.chat(model).status_code

        kept = one.target()["pid"]
        config.write_text("[server]\nmax_queue = 7\n")

        assert "changed: max_queue" in _reload(one, log, "configuration reloaded")
        assert kept == one.target()["pid"]

        config.write_text("[server]\nmax_queue = 'many'\n")

        assert "max_queue" in _reload(one, log, "the configuration stays as it was")
        assert kept == one.target()["pid"]

        config.write_text("[server]\nmax_queue = 7\n[launch]\nn_parallel = 2\n")

        assert "changed: [launch]" in _reload(one, log, "configuration reloaded: changed: [launch]")
        assert 200 == one.chat(model).status_code
        assert kept != one.target()["pid"]
        assert 2 == one.target()["n_slots"]


def test_settings_of_a_model_are_reloaded_and_restart_no_other(
    demo_models: Path, tmp_path: Path, engine_flag: str
) -> None:
    models, log = tmp_path / "models.toml", tmp_path / "data.err"
    (tmp_path / "config.toml").write_text("[residency]\nstrategy = 'memory'\n")
    flags = ("--llama-server", engine_flag, "--config", str(tmp_path / "config.toml"))
    models.write_text('["not-here"]\nctx = 512\n')
    with running(demo_models, tmp_path / "data", *flags) as one:
        first, second = [e["id"] for e in one.get("/v1/models")["data"] if "broken" not in e["id"]]
        for model in (first, second):
            assert 200 == one.chat(model).status_code
        before = _servers(one)

        assert "there are settings for not-here, and no such model" in log.read_text()

        mine = f'# mine\n["{first}"]\nslots = 2  # enough\nctx = 256\nkeep_alive = "1h"\n'
        models.write_text(mine)

        assert f'changed: ["{first}"]' in _reload(one, log, "configuration reloaded")
        assert 200 == one.chat(first).status_code
        after = _servers(one)
        assert (2, 256) == (after[first]["n_slots"], after[first]["n_ctx"])
        assert before[first]["pid"] != after[first]["pid"]
        assert before[second] == after[second]

        models.write_text(f'["{first}"]\nslot = 1\n')

        told = _reload(one, log, "the configuration stays as it was")
        assert f'{models}: ["{first}"] has no key slot (did you mean slots?)' in told
        assert after == _servers(one)
        assert 400 == one.post("/ggtui/settings", {"model": second, "settings": {"slots": 1}}).status_code

        models.write_text(mine)
        answer = one.post("/ggtui/settings", {"model": first, "settings": {"ctx": 512, "pinned": True}})

        assert {"slots": 2, "ctx": 512, "keep_alive": "1h", "pinned": True} == answer.json()["settings"]
        assert mine.replace("256", "512") + "pinned = true\n" == models.read_text()
        assert 200 == one.chat(first).status_code
        assert 512 == _servers(one)[first]["n_ctx"]
        assert [first] == [row["public_id"] for row in one.get("/ggtui/state")["models"] if row["is_pinned"]]


def test_a_template_by_name_and_by_file_reaches_the_engine(
    demo_models: Path, tmp_path: Path, engine_flag: str
) -> None:
    (tmp_path / "own.jinja").write_text("{% for m in messages %}<<{{ m.content }}>>{% endfor %}")
    (tmp_path / "config.toml").write_text("")
    flags = ("--llama-server", engine_flag, "--config", str(tmp_path / "config.toml"))
    with running(demo_models, tmp_path / "data", *flags) as one:
        model = next(e["id"] for e in one.get("/v1/models")["data"] if "broken" not in e["id"])
        asked = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
        prompts = []
        for template in ("own.jinja", "llama2"):
            (tmp_path / "models.toml").write_text(f'["{model}"]\ntemplate = "{template}"\n')
            _reload(one, tmp_path / "data.err", "configuration reloaded")
            prompts.append(one.post("/apply-template", asked).json().get("prompt"))

        assert ["<<hi>>", "[INST] hi [/INST]"] == prompts


def _servers(one: Instance) -> dict[str, dict[str, Any]]:
    names = ("pid", "n_slots", "n_ctx")
    targets = one.get("/ggtui/state")["targets"]
    return {target["model"]: {name: target[name] for name in names} for target in targets}
