"""Runs that are interrupted, killed, or met a full disk: nothing unfinished under a final name, and they can be gone on with."""

from __future__ import annotations

import csv
import gzip
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_streaming import FakeScorer
from typer.testing import CliRunner

from jobscam import assessing, identity, sorting, streaming, work
from jobscam.cli import app as app_module
from jobscam.cli.app import app, main
from jobscam.errors import InputError, JobscamError, OutputError
from jobscam.explain import OUTPUT_COLUMNS
from jobscam.journal import Journal, Reading
from jobscam.posting import Posting
from jobscam.scoring import Scorer
from jobscam.streaming import Summary, score_table
from jobscam.work import WorkFolder, folder_of, unfinished

ROOT = Path(__file__).parent.parent
ROWS = 60


class Interrupted(FakeScorer):
    """Scores some rows, and is then interrupted."""

    def __init__(self, rows: int) -> None:
        self.left = rows

    def assess_many(self, items: Sequence[Posting]) -> list[Any]:
        self.left -= len(items)
        if self.left < 0:
            raise KeyboardInterrupt
        return super().assess_many(items)


class Other(FakeScorer):
    pass


# Stand-ins are known by their names: the one that is interrupted passes for the one that is not.
Interrupted.__qualname__ = FakeScorer.__qualname__


@pytest.fixture(autouse=True)
def keep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "WORTH_KEEPING", 1)


@pytest.fixture
def ads(tmp_path: Path) -> Path:
    source = tmp_path / "ads.csv"
    kinds = ("risk {n}", "not_an_ad", "", "risk 1,surplus", "risk -{n}", "risk none", "warning_or_news WA 0812-0000-{n:04}")
    source.write_text("id,text\n" + "".join(f"{n},{kinds[n % 7].format(n=n % 20)}\n" for n in range(ROWS)))
    return source


def begin(ads: Path, target: Path, rows: int = 30, **options: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        score_table(ads, target, lambda: Interrupted(rows), **{"chunk": 7, **options})
    assert not target.exists()
    assert unfinished(target) is not None


def told(summary: Summary) -> Any:
    """What a run prints, its time and the interruption aside."""
    said = vars(summary) | {"seconds": 0, "resumed": 0, "rejects": summary.rejects is not None}
    return said | {"notes": [note for note in summary.notes if "continued" not in note]}


@pytest.mark.parametrize("order", ["risk", "input"])
@pytest.mark.parametrize("campaigns", [False, True])
@pytest.mark.parametrize("name", ["out.csv", "out.tsv.gz"])
def test_same_bytes_wherever_a_run_was_interrupted(
    ads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: Any, campaigns: bool, name: str
) -> None:
    monkeypatch.setattr(sorting, "_RUN_BYTES", 900)
    monkeypatch.setattr(streaming, "_REJECTS_AT_ONCE", 2)
    # Rejects before, between and behind the rows.
    ads.write_text(ads.read_text().replace("id,text\n", "id,text\n" + "0,\n" * 5).replace("\n21,", "\n0,\n0,x,y\n0,\n21,"))
    options: dict[str, Any] = {"order": order, "campaigns": campaigns, "top": 4}
    (tmp_path / "whole").mkdir()
    seen: list[Any] = []
    whole = score_table(ads, tmp_path / "whole" / name, FakeScorer, on_row=lambda *row: seen.append(row), **options)
    expected = [path.read_bytes() for path in sorted((tmp_path / "whole").iterdir())]
    assert len(expected) == 2
    for number, rows in enumerate((16, 24, 30, 50, 65)):
        folder = tmp_path / str(number)
        folder.mkdir()
        begin(ads, folder / name, rows, **options)
        again: list[Any] = []
        take = again.append
        # Interrupted a second time, a little later.
        if number == 2:
            begin(ads, folder / name, 15, chunk=3, resume=True, order=order, campaigns=campaigns)
        summary = score_table(
            ads, folder / name, FakeScorer, chunk=5, resume=True, on_row=lambda *row, take=take: take(row), **options
        )
        assert 0 < summary.resumed <= rows
        assert told(summary) == told(whole)
        assert again == seen
        assert [path.read_bytes() for path in sorted(folder.iterdir())] == expected


def test_a_run_with_workers_goes_on_from_one_without(ads: Path, tmp_path: Path) -> None:
    whole = score_table(ads, tmp_path / "whole.csv", FakeScorer)
    begin(ads, tmp_path / "out.csv")
    summary = score_table(ads, tmp_path / "out.csv", FakeScorer, workers=2, chunk=3, resume=True)
    assert told(summary) == told(whole)
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert (tmp_path / "out.rejects.csv").read_bytes() == (tmp_path / "whole.rejects.csv").read_bytes()


@pytest.mark.parametrize("lost", [1, 5, 60])
def test_a_torn_end_is_done_again(ads: Path, tmp_path: Path, lost: int) -> None:
    score_table(ads, tmp_path / "whole.csv", FakeScorer)
    begin(ads, tmp_path / "out.csv")
    journal = folder_of(tmp_path / "out.csv") / "journal"
    os.truncate(journal, journal.stat().st_size - lost)
    summary = score_table(ads, tmp_path / "out.csv", FakeScorer, resume=True)
    assert 0 < summary.resumed < 20
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


@given(st.lists(st.tuples(st.binary(max_size=40), st.integers(1, 9)), max_size=6), st.data())
def test_whatever_happens_to_a_journal_its_start_can_be_read(records: list[tuple[bytes, int]], data: st.DataObject) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal"
        journal = Journal(path)
        for content, rows in records:
            journal.append(content, rows)
        journal.close()
        raw = path.read_bytes()
        at = data.draw(st.integers(0, len(raw)))
        damage = data.draw(st.sampled_from(["cut", "flip", "zeros"]))
        damaged = {"cut": raw[:at], "flip": raw[:at] + bytes(b ^ 1 for b in raw[at:]), "zeros": raw[:at] + bytes(200)}[damage]
        path.write_bytes(damaged)
        reading = Reading(path)
        found = [(record.data, record.rows) for record in reading]
        assert found == [(content, rows) for content, rows in records][: len(found)]
        if reading.end:
            # Gone on with, it holds what was sound and what came after.
            journal = Journal(path, reading.end)
            journal.append(b"more", 3)
            journal.close()
            assert [(record.data, record.rows) for record in reading] == [*found, (b"more", 3)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"reasons": 4}, r"reasons \(--reasons\): was 3, is 4"),
        ({"language": "en"}, r"--lang"),
        ({"order": "input"}, r"order \(--order\): was risk, is input"),
        ({"limit": 50}, r"limit \(--limit\): was None, is 50"),
        ({"campaigns": True}, r"--campaigns"),
        ({"overrides": {"title": "id"}}, r"columns \(--map\)"),
        ({"scorer_args": Other}, r"scorer: was FakeScorer, is Other"),
    ],
)
def test_other_conditions_are_refused(ads: Path, tmp_path: Path, options: dict[str, Any], words: str) -> None:
    target = tmp_path / "out.csv"
    begin(ads, target)
    with pytest.raises(InputError, match=f"cannot be continued.*{words}"):
        score_table(ads, target, **{"scorer_args": FakeScorer, "resume": True, **options})
    assert unfinished(target) is not None
    score_table(ads, target, FakeScorer, resume=True)


def test_another_model_and_version_are_other_conditions(scorer: Scorer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = assessing._identity(scorer)
    assert scorer.name in before["model (--model)"]
    other = Scorer(scorer.model.with_thresholds({"high": 0.41}), scorer.knowledge, scorer.manifest | {"version": "9.9.9"})
    now = assessing._identity(other)
    assert [name for name in before if before[name] != now[name]] == ["model (--model)", "thresholds (--threshold)"]
    rebased = Scorer(scorer.model.at_prevalence(0.03), scorer.knowledge, scorer.manifest)
    assert before["share of scams (--prevalence)"] != assessing._identity(rebased)["share of scams (--prevalence)"]
    monkeypatch.setattr(identity, "__version__", "0.0.1")
    with pytest.raises(InputError, match=r"jobscam: was .*, is 0\.0\.1"):
        identity.compare("out.csv", {"jobscam": "0.3.0"}, {"jobscam": identity.__version__})


@pytest.mark.parametrize(("ends", "words"), [(1 << 20, "input: was"), (10, "line 2: rows were changed")])
def test_changed_input_is_refused(ads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: int, words: str) -> None:
    monkeypatch.setattr(identity, "_ENDS", ends)
    begin(ads, tmp_path / "out.csv")
    ads.write_text(ads.read_text().replace("3,risk 1,surplus", "3,risk 2,changed").replace("\n4,risk -4\n", "\n4,risk -5\n"))
    with pytest.raises(InputError, match=words):
        score_table(ads, tmp_path / "out.csv", FakeScorer, resume=True)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(("source", "target"), [("-", "out.csv"), ("ads.csv", "-"), ("ads.csv", "/dev/null")])
def test_streams_cannot_be_resumed(ads: Path, monkeypatch: pytest.MonkeyPatch, source: str, target: str) -> None:
    monkeypatch.chdir(ads.parent)
    with pytest.raises(InputError, match=r"--resume: .*(standard input|standard output|/dev/null)"):
        score_table(source, target, FakeScorer, resume=True)


def test_unfinished_work_is_replaced_only_by_as_much(ads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "out.csv"
    begin(ads, target)
    left = unfinished(target)
    assert left is not None
    # A second run that says what it found, and is stopped by whoever reads it.
    said: list[str] = []
    monkeypatch.setattr(work, "WORTH_KEEPING", 15)
    with pytest.raises(KeyboardInterrupt):
        score_table(ads, target, lambda: Interrupted(14), chunk=7, on_note=said.append)
    assert f"left {left.rows} scored rows" in said[0]
    assert "--resume" in said[1]
    assert unfinished(target) == left
    # One that gets further takes its place, and one that ends leaves nothing.
    with pytest.raises(KeyboardInterrupt):
        score_table(ads, target, lambda: Interrupted(60), chunk=7)
    replaced = unfinished(target)
    assert replaced is not None
    assert replaced.rows > left.rows
    score_table(ads, target, FakeScorer)
    assert sorted(os.listdir(tmp_path)) == ["ads.csv", "out.csv", "out.rejects.csv"]


def test_resume_with_nothing_to_resume_starts(ads: Path, tmp_path: Path) -> None:
    said: list[str] = []
    summary = score_table(ads, tmp_path / "out.csv", FakeScorer, resume=True, on_note=said.append)
    assert summary.resumed == 0
    assert "no unfinished run" in said[0]


def test_two_runs_on_one_target(ads: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    with WorkFolder(target), pytest.raises(InputError, match=r"another run is writing .*out\.csv"):
        score_table(ads, target, FakeScorer)
    score_table(ads, target, FakeScorer)
    assert target.exists()


def test_a_link_is_no_work_folder(ads: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("x")
    folder_of(tmp_path / "out.csv").symlink_to(elsewhere)
    with pytest.raises(InputError, match="is a link"):
        score_table(ads, tmp_path / "out.csv", FakeScorer)
    assert (elsewhere / "precious").exists()


def test_rights_and_links_of_the_target_stay(ads: Path, tmp_path: Path) -> None:
    real = tmp_path / "real.csv"
    real.write_text("old")
    real.chmod(0o640)
    link = tmp_path / "out.csv"
    link.symlink_to(real)
    score_table(ads, link, FakeScorer, rejects=tmp_path / "bad.csv")
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert real.read_text().startswith("id,text,")
    assert not list(tmp_path.glob(".*"))


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """A disk that is full for every file that grows beyond `size`."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    ("file", "size", "kind", "run_bytes"),
    [
        ("table", 3000, "risk 1", 1 << 26),
        ("sort", 3000, "risk 1", 20_000),
        ("rejects", 3000, "risk 1,surplus", 1 << 26),
        ("journal", 300, "risk 1", 1 << 26),
    ],
)
def test_full_disk(file: str, size: int, kind: str, run_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting, "_RUN_BYTES", run_bytes)
    source, target = tmp_path / "ads.csv", tmp_path / "out.csv"
    source.write_text("text\n" + f"{kind}\n" * 300)
    target.write_text("from before")
    with file_size_limit(size), pytest.raises(OutputError, match=r"out\.csv cannot be written: File too large\. Make room in"):
        score_table(source, target, FakeScorer, chunk=30)
    assert target.read_text() == "from before"
    assert {path.name for path in tmp_path.rglob("*")} <= {"ads.csv", "out.csv", ".out.csv.jobscam", "journal", "lock"}
    score_table(source, target, FakeScorer, resume=True)
    score_table(source, tmp_path / "whole.csv", FakeScorer)
    assert target.read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_full_device_and_lasting_hint(ads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr("jobscam.scoring.load", lambda **_: FakeScorer())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["jobscam", "score", "ads.csv", "-o", "/dev/full", "-q"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 1
    assert capsys.readouterr().err == "jobscam: /dev/full cannot be written: No space left on device\n"
    monkeypatch.setattr(sys, "argv", ["jobscam", "score", "ads.csv", "-o", "out.csv", "-q"])
    with file_size_limit(1500), pytest.raises(SystemExit):
        main()
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("jobscam: out.csv cannot be written")
    assert "goes on from there with --resume" in said[1]


def test_command_line_says_how_to_go_on(ads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    scorers = iter([Interrupted(20), FakeScorer(), FakeScorer(), FakeScorer()])
    monkeypatch.setattr("jobscam.scoring.load", lambda **_: next(scorers))
    stopped = CliRunner().invoke(app, ["score", "ads.csv", "-o", "out.csv", "--chunk", "7"])
    assert stopped.exit_code == 130
    assert "jobscam: stopped. 10 scored rows are kept in" in stopped.stderr
    assert "goes on from there with --resume" in stopped.stderr
    done = CliRunner().invoke(app, ["score", "ads.csv", "-o", "out.csv", "--resume"])
    assert done.exit_code == 3, done.stderr
    assert "Note: continued: 10 rows were scored before the interruption" in done.stderr
    whole = CliRunner().invoke(app, ["score", "ads.csv", "-o", "whole.csv"])
    counts = [line for line in done.stderr.splitlines() if " = " in line]
    assert counts == [line.replace("whole.csv", "out.csv") for line in whole.stderr.splitlines() if " = " in line]
    assert len(counts) == 3
    strict = CliRunner().invoke(app, ["score", "ads.csv", "-o", "strict.csv", "--strict"])
    assert isinstance(strict.exception, InputError)
    assert not (tmp_path / "strict.csv").exists()


class Dying(FakeScorer):
    """Takes its process along, as one that is out of memory does, while a file is there."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def assess_many(self, items: Sequence[Posting]) -> list[Any]:
        if self.file.exists() and any(item.description == "risk 29" for item in items):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().assess_many(items)


def test_a_worker_that_dies_costs_no_work(ads: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    ads.write_text("text\n" + "".join(f"risk {n}\n" for n in range(40)))
    with pytest.raises(JobscamError, match="worker process ended unexpectedly; if memory is short, use fewer workers"):
        score_table(ads, target, lambda: Dying(ads), workers=2, chunk=3)
    assert not target.exists()
    moved = ads.rename(tmp_path / "moved.csv")
    summary = score_table(moved, target, lambda: Dying(ads), resume=True)
    assert summary.resumed > 0
    assert (summary.rows_out, summary.rejected) == (40, 0)


def test_records_reach_the_disk_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    journal = Journal(tmp_path / "journal")
    for _ in range(100):
        journal.append(b"x")
    assert not synced
    monkeypatch.setattr("jobscam.journal._SYNC_SECONDS", -1.0)
    journal.append(b"x")
    # The file, and the names that lead to it.
    assert len(synced) == 3
    journal.append(b"x")
    assert len(synced) == 4
    journal.close()


def test_the_page_belongs_to_the_run(ads: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"

    def fail(summary: Summary) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_table(ads, target, FakeScorer, on_finish=fail)
    assert not target.exists()
    seen: list[int] = []
    summary = score_table(ads, target, FakeScorer, resume=True, on_finish=lambda summary: seen.append(summary.rows_out))
    assert seen == [summary.rows_out] == [summary.resumed - summary.rejected + len([n for n in range(ROWS) if n % 7 in (2, 3)])]


# From here on with the shipped model, and in processes of their own.


def command(source: Path, target: Path | str, *options: str) -> list[str]:
    return [sys.executable, "-m", "jobscam", "score", str(source), "-o", str(target), "-q", *options]


@pytest.fixture
def samples(scorer: Scorer, tmp_path: Path) -> Path:
    source = tmp_path / "samples.csv"
    with (ROOT / "data" / "samples" / "test.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))[:161]
    with source.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)
        out.write('"never closed')
    return source


def wait_for(target: Path, rows: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a run has noted down so many rows, or has ended."""
    end = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < end:
        left = unfinished(target)
        if left is not None and left.rows >= rows:
            return
        time.sleep(0.01)


def children(pid: int) -> list[int]:
    return [int(child) for task in Path(f"/proc/{pid}/task").glob("*/children") for child in task.read_text().split()]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_killed_again_and_again(samples: Path, tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    target, page = tmp_path / "out.csv.gz", tmp_path / "page.html"
    options = ("--campaigns", "--chunk", "16", "--report", str(page))
    done = subprocess.run(command(samples, tmp_path / "whole" / target.name, *options), capture_output=True, check=False)
    assert done.returncode == 3, done.stderr.decode()
    expected = page.read_bytes()
    page.unlink()
    for rows, workers in ((20, "2"), (60, "1")):
        with subprocess.Popen(command(samples, target, *options, "--workers", workers, "--resume")) as process:
            wait_for(target, rows, process)
            begun = children(process.pid)
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        assert not target.exists()
        assert not page.exists()
    end = time.monotonic() + 30
    while any(map(is_running, begun)) and time.monotonic() < end:
        time.sleep(0.1)
    assert not any(map(is_running, begun))
    done = subprocess.run(command(samples, target, *options, "--resume"), capture_output=True, check=False)
    assert done.returncode == 3, done.stderr.decode()
    assert gzip.decompress(target.read_bytes()).count(b"\n") > 100
    assert target.read_bytes() == (tmp_path / "whole" / target.name).read_bytes()
    assert (tmp_path / "out.rejects.csv").read_bytes() == (tmp_path / "whole" / "out.rejects.csv").read_bytes()
    assert page.read_bytes() == expected
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_a_run_tidily(samples: Path, tmp_path: Path, number: signal.Signals, code: int) -> None:
    target = tmp_path / "out.csv"
    started = command(samples, target, "--chunk", "8", "--workers", "2")
    # A group of its own, which Ctrl-C reaches as a whole.
    with subprocess.Popen(started, stderr=subprocess.PIPE, start_new_session=True) as process:
        wait_for(target, 16, process)
        begun = children(process.pid)
        os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == code
    assert said.decode() == "jobscam: stopped.\n"
    assert len(begun) >= 2
    end = time.monotonic() + 30
    while any(map(is_running, begun)) and time.monotonic() < end:
        time.sleep(0.1)
    assert not any(map(is_running, begun))
    assert os.listdir(tmp_path) == ["samples.csv"]


def test_nobody_reads_the_output(samples: Path) -> None:
    with subprocess.Popen(command(samples, "-"), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()
    assert (process.returncode, said) == (141, b"")


def test_a_closed_pipe_is_no_error_of_any_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("jobscam.cli.model.typer.echo", closed)
    assert CliRunner().invoke(app_module.app, ["model", "list"]).exit_code == 141


def test_columns_are_stored_exactly() -> None:
    odd = ("\ud800", "\x00", "é\U0001f600", 'quote " and \n', *[""] * (len(OUTPUT_COLUMNS) - 4))
    results: list[Any] = [assessing.Scored(odd, 0.1 + 0.2, 1 / 3, None, None), "could not be scored: x"]
    results.append(assessing.Scored(odd, float("-inf"), None, 0.1, assessing.Traits("key", ("a", "b"))))
    assert assessing.stored(assessing.store([["a"]], results), [["a"]]) == results
