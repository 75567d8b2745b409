"""`gptoss run` as a person and as a program see it, on real checkpoints."""

from __future__ import annotations

import math
import os
import subprocess
from pathlib import Path

import pytest

from gptoss_tui.harmony import Harmony
from gptoss_tui.harmony.messages import Message
from tests.cli.program import PATIENCE_S, Terminal, command, environment, gptoss

ORDER = ("model", "prompt", "prefill", "layers", "token", "layers", "finished")


class TestText:
    def test_the_answer_is_on_stdout_and_nothing_else_is(self, answerer: Path) -> None:
        result = gptoss("run", "Hi", "--model", answerer)
        assert (result.code, result.out, result.err) == (0, "Hello there\n", "")

    def test_options_may_stand_between_the_words(self, answerer: Path) -> None:
        events = gptoss("run", "one", "--model", answerer, "two", "--json", "three").events
        ids = Harmony.load(answerer).render([Message.user("one two three")])
        assert events[1]["token_ids"] == ids

    def test_analysis_goes_to_stderr_where_it_is_wanted(self, thinker: Path) -> None:
        result = gptoss("run", "Hi", "--model", thinker, "--show-analysis")
        assert (result.code, result.out) == (0, "")
        assert result.err.startswith("Hm, so\ngptoss: ")
        assert "Hm" not in gptoss("run", "Hi", "--model", thinker).err

    def test_an_answer_without_channels_is_still_an_answer(self, babbler: Path) -> None:
        args = ("run", "Hi", "--model", babbler, "--max-tokens", 12, "--seed", 3, "--top-k", 400)
        result = gptoss(*args)
        events = gptoss(*args, "--json").events
        assert [event["channel"] for event in events if event["event"] == "token"] == [None] * 12
        assert result.out.strip("\n")
        assert "12 tokens" in result.err

    def test_the_longest_answer_is_told(self, rambler: Path) -> None:
        result = gptoss("run", "Hi", "--model", rambler, "--temperature", 0, "--max-tokens", 20)
        assert result.code == 0
        assert result.out.startswith("Oh, yes")
        assert "stopped at 20 tokens" in result.err

    def test_the_full_context_is_told(self, rambler: Path, tmp_path: Path) -> None:
        short = shorter_context(rambler, tmp_path, 200)
        result = gptoss("run", "Hi", "--model", short, "--temperature", 0)
        assert result.code == 0
        assert "context is full" in result.err

    def test_a_terminal_obeys_nothing_of_the_answer(self, tmp_path: Path) -> None:
        from tests.chat.talker import talking_checkpoint

        folder = talking_checkpoint(tmp_path / "hostile", ["<|channel|>final<|message|>A\x1b[2J<|return|>"])
        assert gptoss("run", "Hi", "--model", folder).out == "A\x1b[2J\n"
        with Terminal(command("run", "Hi", "--model", folder)) as terminal:
            assert terminal.wait() == 0
            assert "A␛[2J".encode() in terminal.written


class TestPrompt:
    def asked(self, model: Path, *words: str, stdin: bytes = b"") -> list[int]:
        ids: list[int] = gptoss("run", *words, "--model", model, "--json", stdin=stdin).events[1]["token_ids"]
        return ids

    @pytest.mark.parametrize(
        ("words", "stdin", "prompt"),
        [
            ((), b"from a pipe\n", "from a pipe\n"),
            (("-",), b"from a pipe", "from a pipe"),
            (("Summarise:", "-"), b"some notes\n", "Summarise:\n\nsome notes\n"),
            (("two", "words"), b"left alone", "two words"),
            (("Read", "-"), b"\xff caf\xc3\xa9", "Read\n\n\ufffd café"),
            (("--", "-x", "is a flag"), b"", "-x is a flag"),
        ],
    )
    def test_where_it_comes_from(self, answerer: Path, words: tuple[str, ...], stdin: bytes, prompt: str) -> None:
        events = gptoss("run", "--model", answerer, "--json", *words, stdin=stdin).events
        assert events[1]["token_ids"] == Harmony.load(answerer).render([Message.user(prompt)])

    def test_files_go_behind_it(self, answerer: Path, tmp_path: Path) -> None:
        (tmp_path / "a b.txt").write_text("one\n")
        (tmp_path / "c.py").write_text("<|end|>")
        files = ("--file", tmp_path / "a b.txt", "--file", tmp_path / "c.py")
        result = gptoss("run", "--model", answerer, "--json", "Look:", *files)
        fences = f"File: {tmp_path}/a b.txt\n```txt\none\n```\n\nFile: {tmp_path}/c.py\n```py\n<|end|>\n```"
        assert result.events[1]["token_ids"] == Harmony.load(answerer).render([Message.user(f"Look:\n\n{fences}")])
        assert f"{tmp_path}/a b.txt: 2 tokens" in result.err
        alone = gptoss("run", "--model", answerer, "--json", *files)
        assert alone.events[1]["token_ids"] == Harmony.load(answerer).render([Message.user(fences)])

    def test_standard_input_that_is_no_text_is_refused(self, tmp_path: Path) -> None:
        result = gptoss("run", "--model", tmp_path, "Look:", "-", stdin=b"\x89PNG\0")
        assert (result.code, result.out) == (1, "")
        assert "Standard input is not text" in result.err

    @pytest.mark.parametrize("content", [b"\x89PNG\0", None])
    def test_what_is_no_text_is_refused_before_a_model_is_loaded(self, tmp_path: Path, content: bytes | None) -> None:
        file = tmp_path / "picture"
        if content is not None:
            file.write_bytes(content)
        result = gptoss("run", "--model", tmp_path, "Look:", "--file", file)
        assert result.code == 1
        assert f"{file} {'is not text' if content else 'cannot be read'}" in result.err
        assert "config.json" not in result.err

    def test_effort_and_instructions_are_in_it(self, answerer: Path) -> None:
        options = ("--effort", "high", "--instructions", "Rhyme.")
        events = gptoss("run", "Hi", "--model", answerer, "--json", *options).events
        expected = Harmony.load(answerer).render([Message.user("Hi")], instructions="Rhyme.", effort="high")
        assert events[1]["token_ids"] == expected


class TestJson:
    def test_events_come_as_promised(self, answerer: Path) -> None:
        events = gptoss("run", "Hi", "--model", answerer, "--json", "--seed", 5).events
        kinds = [event["event"] for event in events]
        assert tuple(dict.fromkeys(kinds)) == ("model", "prompt", "prefill", "layers", "token", "finished")
        assert [kind for at, kind in enumerate(kinds) if at == 0 or kinds[at - 1] != kind] == list(ORDER)
        model, prompt = events[0], events[1]
        assert model == {
            "event": "model",
            "name": "answerer",
            "layers": 4,
            "attention": ["sliding", "full", "sliding", "full"],
            "window": 128,
            "bits_per_weight": pytest.approx(32),
            "weights_bytes": model["weights_bytes"],
        }
        assert sum(path.stat().st_size for path in answerer.glob("*.safetensors")) > model["weights_bytes"] > 0
        assert prompt["reused_tokens"] == 0
        done = [(event["done"], event["total"]) for event in events if event["event"] == "prefill"]
        assert done[0][0] == 0
        assert done[-1] == (len(prompt["token_ids"]),) * 2

    def test_tokens_tell_themselves(self, answerer: Path) -> None:
        events = gptoss("run", "Hi", "--model", answerer, "--json", "--temperature", 0.7, "--top-p", 0.5).events
        tokens = [event for event in events if event["event"] == "token"]
        harmony = Harmony.load(answerer)
        assert [token["index"] for token in tokens] == list(range(len(tokens)))
        assert [token["piece"] for token in tokens] == [harmony.piece(token["id"]) for token in tokens]
        assert "".join(token["piece"] for token in tokens) == "<|channel|>final<|message|>Hello there<|return|>"
        said = [token for token in tokens if token["text"]]
        assert {token["channel"] for token in said} == {"final"}
        assert {token["channel"] for token in tokens if token not in said} == {None}
        assert all(token["logprob"] == pytest.approx(0, abs=1e-6) for token in tokens)
        assert tokens[0]["params"] == {
            "temperature": 0.7,
            "top_p": 0.5,
            "top_k": 0,
            "min_p": 0.0,
            "repetition_penalty": 1.0,
        }

    def test_layers_are_counted_after_the_prefill_and_at_the_end(self, answerer: Path) -> None:
        events = gptoss("run", "Hi", "--model", answerer, "--json").events
        first, last = (event["layers"] for event in events if event["event"] == "layers")
        asked = len(events[1]["token_ids"])
        assert [layer["tokens"] for layer in first] == [asked] * 4
        assert all(layer["tokens"] > asked for layer in last)
        assert first[0] == {
            "index": 0,
            "mode": "sliding",
            "window": 128,
            "tokens": asked,
            "visible": min(asked, 128),
            "used_bytes": first[0]["used_bytes"],
            "history_bytes": first[0]["history_bytes"],
            "allocated_bytes": first[0]["allocated_bytes"],
        }
        assert first[1]["mode"] == "full"
        assert first[1]["window"] is None

    @pytest.mark.parametrize("seed", range(4))
    def test_the_final_texts_make_the_finished_text(self, talker: Path, seed: int) -> None:
        events = gptoss("run", "Hi", "--model", talker, "--json", "--seed", seed).events
        tokens = [event for event in events if event["event"] == "token"]
        finished = events[-1]
        assert finished["text"] == "".join(token["text"] for token in tokens if token["channel"] == "final")
        assert finished["completion_tokens"] == len(tokens)
        assert finished["prompt_tokens"] == len(events[1]["token_ids"])
        assert finished["seed"] == seed
        assert finished["reason"] == "stop"
        assert math.isfinite(finished["ttft_s"])
        assert finished["peak_bytes"] > 0

    def test_a_seed_gives_the_same_again(self, talker: Path) -> None:
        def ids(*options: object) -> list[int]:
            events = gptoss("run", "Hi", "--model", talker, "--json", *options).events
            return [event["id"] for event in events if event["event"] == "token"]

        one = gptoss("run", "Hi", "--model", talker, "--json").events
        assert ids("--seed", one[-1]["seed"]) == [event["id"] for event in one if event["event"] == "token"]

    def test_what_json_lacks_is_null(self, answerer: Path) -> None:
        events = gptoss("run", "Hi", "--model", answerer, "--json", "--max-tokens", 1).events
        assert events[-1]["reason"] == "length"
        assert events[-1]["decode_tps"] is None

    def test_a_fault_ends_it_as_an_event_too(self, answerer: Path, tmp_path: Path) -> None:
        result = gptoss("run", "Hi", "--model", shorter_context(answerer, tmp_path, 60), "--json")
        assert result.code == 1
        assert [event["event"] for event in result.events] == ["model", "error"]
        error = result.events[-1]
        assert result.err.splitlines() == [f"gptoss: {error['message']}", f"  {error['hint']}"]
        assert set(error) == {"event", "message", "hint"}


class TestPipes:
    def test_a_closed_pipe_ends_it_quietly(self, rambler: Path) -> None:
        for options in ([], ["--json"]):
            process = subprocess.Popen(
                command("run", "Hi", "--model", rambler, "--temperature", 0, *options),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment(),
            )
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.read(20)
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait(PATIENCE_S) == 0

    def test_a_full_disk_is_a_fault(self, answerer: Path) -> None:
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                command("run", "Hi", "--model", answerer),
                stdin=subprocess.DEVNULL,
                stdout=full,
                stderr=subprocess.PIPE,
                env=environment(),
                timeout=PATIENCE_S,
                check=False,
            )
        assert done.returncode == 1
        assert b"cannot be written: No space left on device" in done.stderr
        assert b"Traceback" not in done.stderr

    def test_text_that_the_locale_cannot_write_is_written(self, tmp_path: Path) -> None:
        from tests.chat.talker import talking_checkpoint

        folder = talking_checkpoint(tmp_path / "accents", ["<|channel|>final<|message|>é<|return|>"])
        env = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
        assert gptoss("run", "Hi", "--model", folder, env=env).out == "é\n"

    def test_progress_is_for_terminals_only(self, answerer: Path) -> None:
        with Terminal(command("run", "Hi", "--model", answerer)) as terminal:
            assert terminal.wait() == 0
            assert b"Loading" in terminal.written
            # The line is taken away before the answer comes.
            assert terminal.written.endswith(b"\r\x1b[KHello there\r\n")


def shorter_context(model: Path, folder: Path, context: int) -> Path:
    """The same model with another config."""
    for path in model.iterdir():
        os.symlink(path, folder / path.name)
    config = (folder / "config.json").read_text()
    (folder / "config.json").unlink()
    (folder / "config.json").write_text(config.replace("131072", str(context)))
    return folder
