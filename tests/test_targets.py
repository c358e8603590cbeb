"""What commands write to: never the input, never two things to one place, and known to be possible before any work is done."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from test_streaming import FakeScorer
from typer.testing import CliRunner

from jobscam import retraining, work
from jobscam.cli.app import app
from jobscam.errors import InputError, OutputError
from jobscam.grouping import group_table
from jobscam.posting import Posting
from jobscam.report import write_table
from jobscam.scoring import Scorer
from jobscam.streaming import score_table

ROOT = Path(__file__).parent.parent
ADS = "id,text\n1,risk 1\n2,\n3,risk 3\n"
REJECTS = "line,reason,raw\n7,no text,risk 7\n"


class Idle(FakeScorer):
    """Says so when it is asked to work."""

    def assess_many(self, items: Sequence[Posting]) -> list[Any]:
        raise AssertionError("nothing should be scored before it is known that the result can be written")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("ads.csv").write_text(ADS)
    Path("mine.rejects.csv").write_text(REJECTS)
    return tmp_path


@pytest.mark.parametrize(
    ("source", "target", "rejects", "words"),
    [
        ("mine.rejects.csv", "mine.csv", None, r"rejected rows would go to mine\.rejects\.csv, but that is the input itself"),
        ("*.rejects.csv", "mine.xlsx", None, r"mine\.rejects\.csv, but that is the input itself"),
        ("ads.csv", "out.csv", "ads.csv", r"ads\.csv, but that is the input itself"),
        ("ads.csv", "out.csv", "./out.csv", r"out\.csv is named twice"),
        ("ads.csv", "-", "-", "only one table can go to standard output"),
        ("ads.csv", "out.csv", "nowhere/bad.csv", r"nowhere/bad\.csv cannot be written: there is no folder"),
        ("ads.csv", "nowhere/out.csv", "bad.csv", r"nowhere/out\.csv cannot be written: there is no folder"),
        ("ads.csv", "out.csv", ".", "is a folder; name a file"),
    ],
)
def test_score_says_at_once_where_it_cannot_write(source: str, target: str, rejects: str | None, words: str) -> None:
    overrides = {"description": "raw"} if "rejects" in source else None
    with pytest.raises(InputError, match=words):
        score_table(source, target, Idle, rejects=rejects, overrides=overrides)
    assert sorted(os.listdir()) == ["ads.csv", "mine.rejects.csv"]
    assert (Path("ads.csv").read_text(), Path("mine.rejects.csv").read_text()) == (ADS, REJECTS)


@pytest.mark.parametrize(
    "options",
    [
        {"rejects": "ads.csv"},
        {"members": "m.csv", "rejects": "m.csv"},
        {"graph_to": "nowhere/g.gexf"},
        {"unique": "."},
        {"members": "m.docx"},
        {"unique": "u.docx"},
    ],
)
def test_campaigns_say_at_once_where_they_cannot_write(options: dict[str, str]) -> None:
    with pytest.raises(InputError):
        group_table("ads.csv", "out.csv", Idle, **options)
    assert Path("ads.csv").read_text() == ADS
    assert not Path("out.csv").exists()


def test_a_page_does_not_take_its_input_along() -> None:
    with pytest.raises(InputError, match="is the input itself"):
        write_table("mine.rejects.csv", "mine.html", overrides={"description": "raw"})
    assert Path("mine.rejects.csv").read_text() == REJECTS


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("score", "ads.csv", "-o", "out.csv", "--report", "nowhere/page.html"), "there is no folder"),
        (("score", "ads.csv", "-o", "out.csv", "--report", "out.rejects.csv"), "named twice"),
        (("queue", "ads.csv", "--label-studio", "nowhere/tasks.json"), "there is no folder"),
        (("queue", "ads.csv", "-o", "tasks.json.csv", "--label-studio", "ads.csv"), "is the input itself"),
        (("queue", "mine.rejects.csv", "-o", "mine.csv", "--map", "description=raw"), "is the input itself"),
        (("queue", "ads.csv", "-o", "queue.docx"), "files of this kind are not known"),
    ],
)
def test_commands_say_at_once_where_they_cannot_write(
    arguments: Sequence[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobscam.scoring.load", lambda **_: Idle())
    result = CliRunner().invoke(app, list(arguments))
    assert isinstance(result.exception, InputError)
    assert words in str(result.exception)
    assert (Path("ads.csv").read_text(), Path("mine.rejects.csv").read_text()) == (ADS, REJECTS)


@pytest.mark.parametrize("option", [("--guard", "nothing.csv"), ("--doubtful", "ads.csv"), ("--doubtful", "nowhere/d.csv")])
def test_train_looks_at_its_files_before_it_learns(
    option: Sequence[str], monkeypatch: pytest.MonkeyPatch, scorer: Scorer
) -> None:
    def learn(*_: Any, **__: Any) -> None:
        raise AssertionError("nothing should be learned before it is known that the files are there")

    monkeypatch.setattr(retraining, "adapt_model", learn)
    labels = "text,label\n" + "".join(f"Loker {i},{i % 2}\n" for i in range(8))
    Path("labels.csv").write_text(labels)
    result = CliRunner().invoke(app, ["train", "labels.csv", "--out", "mine-1.0.0", *option])
    assert isinstance(result.exception, InputError), result.exception


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--prevalence", "0.02"), "is for --from-scratch"),
        (("--from-scratch", "--prevalence", "2"), "is a share between 0 and 1"),
        (("--from-scratch", "--prevalence", "0"), "is a share between 0 and 1"),
    ],
)
def test_train_ignores_no_share_of_scams(options: Sequence[str], words: str) -> None:
    Path("labels.csv").write_text("text,label\n" + "".join(f"Loker {i},{i % 2}\n" for i in range(8)))
    result = CliRunner().invoke(app, ["train", "labels.csv", "--out", "mine-1.0.0", *options])
    assert result.exit_code == 2
    assert words in result.output


@pytest.mark.parametrize(
    ("folder", "target", "options", "words"),
    [
        ("kept", "kept/out.csv", {}, r"kept/out\.csv cannot be written: there is no permission"),
        ("kept", "out.csv", {"rejects": "kept/bad.csv"}, r"kept/bad\.csv cannot be written: there is no permission"),
        ("kept", "/dev/null", {}, ""),
    ],
)
def test_a_folder_that_must_not_be_written_to(
    folder: str, target: str, options: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(folder).mkdir()
    Path(folder, "ads.csv").write_text("id,text\n1,risk 1\n")
    monkeypatch.setattr("jobscam.io.place.os.access", lambda path, *_, **__: Path(path).name != folder)
    for run in (score_table, group_table):
        if words:
            with pytest.raises(InputError, match=words):
                run("kept/ads.csv", target, Idle, **options)  # type: ignore[operator]
    # Where nothing is rejected, standard output needs no folder.
    monkeypatch.chdir(folder)
    assert score_table("ads.csv", "/dev/null", FakeScorer).rows_out == 1


def test_a_file_that_may_not_be_read_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("in").mkdir()
    for name in ("a.csv", "b.csv"):
        Path("in", name).write_text(ADS)
    real = Path.open

    def opened(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == "b.csv":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", opened)
    summary = score_table("in", "out.csv", FakeScorer)
    assert (summary.rows_out, summary.rejected) == (2, 2)
    assert "in/b.csv: not read at all: in/b.csv cannot be opened: Permission denied" in Path("out.rejects.csv").read_text()


def test_room_is_asked_for_only_where_it_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("jobscam.streaming.put", refused)
    with pytest.raises(
        OutputError, match=r"^out\.csv cannot be written: Permission denied\. No unfinished file was put there\.$"
    ):
        score_table("ads.csv", "out.csv", FakeScorer)


def test_no_work_folder_is_left_where_open_files_cannot_be_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "fcntl", None)
    folder = work.WorkFolder("out.csv")
    real = Path.unlink

    def unlink(path: Path, *arguments: Any, **options: Any) -> None:
        if path.name == "lock" and folder._lock is not None and not folder._lock.closed:
            raise PermissionError(13, "The process cannot access the file because it is being used by another process")
        real(path, *arguments, **options)

    monkeypatch.setattr(Path, "unlink", unlink)
    with folder:
        pass
    assert sorted(os.listdir()) == ["ads.csv", "mine.rejects.csv"]


def test_devices_take_anything() -> None:
    assert score_table("ads.csv", "/dev/null", FakeScorer, rejects="/dev/null").rejected == 1


def test_rejects_that_find_no_room_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("jobscam.io.rejects.put", full)
    with pytest.raises(OutputError, match=r"^out\.rejects\.csv cannot be written: No space left"):
        score_table("ads.csv", "out.csv", FakeScorer)


def test_standard_output_by_its_name_in_a_pipe(scorer: Scorer) -> None:
    command = [sys.executable, "-m", "jobscam", "score", "ads.csv", "-q", "-o"]
    env = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    out = [subprocess.run([*command, name], capture_output=True, env=env, check=False) for name in ("/dev/stdout", "-")]
    assert [done.returncode for done in out] == [3, 3], out[0].stderr
    assert out[0].stdout == out[1].stdout != b""


def test_a_link_says_what_kind_of_file_it_is() -> None:
    Path("blob").write_bytes(b"")
    Path("out.csv.gz").symlink_to("blob")
    score_table("ads.csv", "out.csv.gz", FakeScorer)
    assert Path("out.csv.gz").is_symlink()
    assert Path("blob").read_bytes().startswith(b"\x1f\x8b")


def test_raw_cells_are_raw_among_the_rejects_too() -> None:
    Path("ads.csv").write_text('id,text\n1,risk 1\n"=1",\n')
    for raw_cells, cell in [(False, "'=1,"), (True, "=1,")]:
        score_table("ads.csv", "out.csv", FakeScorer, raw_cells=raw_cells)
        with Path("out.rejects.csv").open(newline="") as stream:
            assert list(csv.reader(stream))[1] == ["3", "no text", cell]


def test_rows_of_several_files_are_found_by_file_and_line(capsys: Any) -> None:
    Path("in").mkdir()
    Path("in/a.csv").write_text("id,text\n\n\n1,risk 1\n")
    Path("in/b.csv").write_text("id,isi iklan\n\n2,risk 9\n3,\n")
    summary = score_table("in", "out.csv", FakeScorer)
    assert [(ad.place, ad.line) for ad in summary.top] == [("in/b.csv, line 3", 2), ("in/a.csv, line 4", 1)]
    with pytest.raises(InputError, match=r"^in/b\.csv, line 4: no text in any of the columns 'text', 'isi iklan'\. Nothing"):
        score_table("in", "strict.csv", FakeScorer, strict=True)


def test_an_empty_folder_is_not_said_to_be_a_stream() -> None:
    Path("empty").mkdir()
    with pytest.raises(InputError, match="is a folder without a table in it"):
        score_table("empty", "out.csv", FakeScorer, resume=True)


def test_any_command_that_is_stopped_leaves_nothing_behind(scorer: Scorer) -> None:
    command = [sys.executable, "-m", "jobscam", "campaigns", "-", "-o", "out.csv"]
    env = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    before = sorted(os.listdir())
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=env) as running:
        assert running.stdin is not None and running.stderr is not None
        running.stdin.write(b"id,text\n1,\n" + b"2,Loker admin\n" * 9000)
        running.stdin.flush()
        until = time.monotonic() + 30
        while not list(Path().glob(".*.part")) and time.monotonic() < until:
            time.sleep(0.05)
        running.terminate()
        said = running.stderr.read()
        assert running.wait() == 128 + signal.SIGTERM, said
    assert said.endswith(b"jobscam: stopped.\n")
    assert sorted(os.listdir()) == before
