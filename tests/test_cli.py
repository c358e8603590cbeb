"""The command line: what it prints where, and how it ends."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from jobscam import __version__
from jobscam.cli import app as app_module
from jobscam.cli import explain as explain_module
from jobscam.cli.app import app, main
from jobscam.cli.score import default_output
from jobscam.errors import ArtifactError, InputError
from jobscam.explain import OUTPUT_COLUMNS
from jobscam.model import artifact
from jobscam.values import Span

run = CliRunner().invoke
HAS_MODEL = bool(artifact.list_artifacts())
needs_model = pytest.mark.skipif(not HAS_MODEL, reason="no shipped model in models/ yet")
AD = "Loker Kamboja\ngaji 12jt, tanpa potongan \x1b[2J"


def reason(name: str, weight: float, words: str, *spans: Span) -> Any:
    return SimpleNamespace(name=name, weight=weight, text=words, spans=spans, sentence=lambda language: f"{name} {language}")


class FakeScorer:
    """One answer for every ad: high, except that the word `not` makes it no ad."""

    def assess(self, text: str) -> Any:
        at = text.find("Kamboja")
        reasons = (
            reason("destination_hub", 2.0, "Kamboja", Span("description", at, at + 7)),
            reason("no_fee", -0.5, "tanpa potongan", Span("description", 25, 39)),
            *(reason(f"text:{i}", 0.01, f"w{i}") for i in range(3)),
        )
        scored = "not" not in text

        def columns(count: int, language: str) -> dict[str, str]:
            values = dict.fromkeys(OUTPUT_COLUMNS, "")
            values |= {"jobscam_status": "scored" if scored else "not_an_ad", "jobscam_tier": "high" if scored else ""}
            return values | {"jobscam_reasons": f"destination_hub {language}"}

        return SimpleNamespace(
            probability=0.75,
            logit=1.0 + 2.0 - 0.5 + 0.03,
            bias=1.0,
            tier="high" if scored else "",
            status="scored" if scored else "not_an_ad",
            status_reason="",
            status_sentence=lambda language: "",
            language="id",
            reasons=reasons,
            model="fake-1",
            prevalence=0.1,
            columns=columns,
        )

    def assess_many(self, items: Sequence[Any]) -> list[Any]:
        return [self.assess(item.text()) for item in items]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """A stand-in for the model; holds the arguments it was loaded with."""
    seen: dict[str, Any] = {}

    def load(**arguments: Any) -> FakeScorer:
        seen.update(arguments)
        return FakeScorer()

    monkeypatch.setattr("jobscam.scoring.load", load)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ads.csv").write_text("id,text,extra\n1,Kamboja,a\n2,not,b\n")
    return seen


def test_version_and_help() -> None:
    assert run(app, ["--version"]).stdout == f"jobscam {__version__}\n"
    for arguments in (["--help"], ["score", "--help"]):
        said = " ".join(run(app, arguments).stdout.split())
        assert "0 done; 1 failed; 2 wrong usage; 3 done, but some rows were rejected" in said


def test_score(fake: dict[str, Any], tmp_path: Path) -> None:
    result = run(app, ["score", "ads.csv", "--lang", "en", "--model", "models/x"])
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    rows = list(csv.DictReader(io.StringIO((tmp_path / "ads.scored.csv").read_text(encoding="utf-8"))))
    assert [(r["id"], r["extra"], r["jobscam_tier"]) for r in rows] == [("1", "a", "high"), ("2", "b", "")]
    assert fake == {"source": Path("models/x"), "knowledge": None, "agencies": None, "prevalence": None, "thresholds": {}}
    for words in (
        "Columns read: id as id, text as description",
        "Columns carried along: extra",
        "Note: separator: comma",
        "2 rows read = 2 written to ads.scored.csv + 0 rejected",
        "2 written = 1 scored + 0 not_assessable + 0 warning_or_news + 1 not_an_ad",
        "1 scored = 0 critical + 1 high + 0 medium + 0 low",
        "high 0.750, line 2: Kamboja",
        "destination_hub en",
    ):
        assert words in result.stderr


def test_score_rejects_end_with_three(fake: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "ads.csv").write_text("id,text\n1,Kamboja\n2,\n")
    result = run(app, ["score", "ads.csv", "-o", "out.csv", "--rejects", "bad.csv"])
    assert result.exit_code == 3
    assert "2 rows read = 1 written to out.csv + 1 rejected" in result.stderr
    assert "bad.csv" in result.stderr
    assert (tmp_path / "bad.csv").read_text() == 'line,reason,raw\n3,no text,"2,"\n'


def test_score_streams(fake: dict[str, Any]) -> None:
    result = run(app, ["score", "-", "-q"], input="text\nKamboja\n")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("text,jobscam_probability,")


def test_score_map(fake: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "ads.csv").write_text("a,b\nKamboja,x\n")
    assert isinstance(run(app, ["score", "ads.csv"]).exception, InputError)
    result = run(app, ["score", "ads.csv", "--map", "description=a", "--map", "company=b", "--top", "0"])
    assert result.exit_code == 0
    assert "a as description, b as company" in result.stderr
    assert "Highest risk" not in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["score"],
        ["score", "ads.csv", "--map", "description"],
        ["score", "ads.csv", "--map", "title=a", "--map", "title=b"],
        ["score", "ads.csv", "--workers", "0"],
        ["score", "ads.csv", "--order", "size"],
        ["score", "ads.csv", "--agencies", "missing.csv"],
        ["explain"],
        ["explain", "x", "--file", "y"],
        ["nothing"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_two(arguments: list[str], fake: dict[str, Any]) -> None:
    result = run(app, arguments)
    assert result.exit_code == 2, result.output


def test_ads_cannot_steer_the_terminal(fake: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "ads.csv").write_text("text,\x1b[2J\nKamboja \x1b]0;x\x07\u202e,1\n")
    assert not {"\x1b", "\x07", "\u202e"} & set(run(app, ["score", "ads.csv"]).output)
    assert "\x1b" not in run(app, ["explain", AD]).output


@pytest.mark.parametrize("everything", [False, True])
def test_explain_adds_up(everything: bool, fake: dict[str, Any]) -> None:
    result = run(app, ["explain", AD, "--lang", "en", *(["--all"] if everything else [])])
    assert result.exit_code == 0, result.output
    assert "high, probability 0.750 (status: scored, language: id)" in result.stdout
    weights = [float(line.split()[0]) for line in result.stdout.splitlines() if line.lstrip()[:1] in ("+", "-")]
    assert sum(weights[:-1]) == pytest.approx(weights[-1], abs=0.005)
    assert ("3 smaller contributions" in result.stdout) is not everything
    assert ("text:2 en" in result.stdout) is everything


def test_explain_json(fake: dict[str, Any]) -> None:
    found = json.loads(run(app, ["explain", AD, "--json"]).stdout)
    assert found["bias"] + sum(r["weight"] for r in found["reasons"]) == pytest.approx(found["logit"], abs=1e-9)
    assert found["reasons"][0] == {
        "name": "destination_hub",
        "weight": 2.0,
        "sentence": "destination_hub id",
        "words": "Kamboja",
        "spans": [["description", 6, 13]],
    }


def test_explain_reads_files_and_standard_input(fake: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "ad.txt").write_bytes("Kamboja – €".encode("cp1252"))
    assert "Kamboja – €" in run(app, ["explain", "--file", "ad.txt"]).stdout
    assert "Kamboja" in run(app, ["explain", "-"], input="Kamboja").stdout
    assert isinstance(run(app, ["explain", " "]).exception, InputError)
    assert isinstance(run(app, ["explain", "--file", "none.txt"]).exception, InputError)


def test_explain_colours_the_evidence(
    fake: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    explain_module._show(AD, FakeScorer().assess(AD), "id", False)
    said = capsys.readouterr().out
    assert "\x1b[1;31mKamboja\x1b[0m" in said
    assert "\x1b[1;32mtanpa potongan\x1b[0m" in said
    assert "= sum (log-odds)" in said


@pytest.mark.parametrize("error", [ArtifactError("no such model"), OSError("disk full")])
def test_errors_end_with_one(error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(app_module, "app", fail)
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 1
    assert capsys.readouterr().err == f"jobscam: {error}\n"


def test_exit_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def leave() -> None:
        raise typer.Exit(3)

    other = typer.Typer()
    other.command()(leave)
    monkeypatch.setattr(app_module, "app", other)
    monkeypatch.setattr(sys, "argv", ["jobscam"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 3


@pytest.mark.parametrize(
    ("source", "target"),
    [("ads.csv", "ads.scored.csv"), ("x/ads.tsv.gz", "x/ads.scored.csv"), ("-", "-"), ("my.ads.csv", "my.ads.scored.csv")],
)
def test_default_output(source: str, target: str) -> None:
    assert Path(default_output(source)) == Path(target)


def program(*arguments: str, cwd: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    code = "from jobscam.cli.app import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=cwd, input=stdin, capture_output=True, timeout=300, check=False
    )


def test_program_fails_in_one_line(tmp_path: Path) -> None:
    result = program("score", "none.csv", cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr.startswith(b"jobscam: none.csv does not exist")
    assert result.stderr.count(b"\n") == 1
    result = program("model", "verify", str(tmp_path), cwd=tmp_path)
    assert (result.returncode, b"is no model artifact" in result.stderr) == (1, True)


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys, jobscam.cli.app; print([m for m in ('numpy', 'pandas', 'sklearn', 'scipy', 'joblib') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


@needs_model
def test_model_commands() -> None:
    names = [name for name, _ in artifact.list_artifacts()]
    assert [line.split()[0] for line in run(app, ["model", "list"]).stdout.splitlines()] == names
    assert json.loads(run(app, ["model", "show", names[-1]]).stdout)["name"] == names[-1].rpartition("-")[0]
    result = run(app, ["model", "verify"])
    assert result.exit_code == 0
    assert "all as they were written" in result.stdout


@needs_model
def test_program_scores_alike_with_one_and_two_workers(tmp_path: Path) -> None:
    ads = [
        "Loker Kamboja, CS, gaji 12jt, tiket & paspor ditanggung, tanpa pengalaman",
        "Dicari kasir toko di Depok, gaji 2,5jt",
        "hm",
    ]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([["text"], *([ad] for ad in ads * 5)])
    (tmp_path / "ads.csv").write_text(text.getvalue())
    outputs = set()
    for workers in ("1", "2"):
        result = program("score", "ads.csv", "-o", "-", "--workers", workers, "--chunk", "4", cwd=tmp_path)
        assert result.returncode == 0, result.stderr.decode()
        outputs.add(result.stdout)
    assert len(outputs) == 1
    rows = list(csv.DictReader(io.StringIO(outputs.pop().decode())))
    assert rows[0]["text"] == ads[0]
    assert len(rows) == 15


@needs_model
def test_program_explains(tmp_path: Path) -> None:
    result = program(
        "explain", "-", "--json", "--lang", "en", cwd=tmp_path, stdin=b"Loker Kamboja, CS, gaji 12jt, paspor ditanggung"
    )
    found = json.loads(result.stdout)
    assert found["bias"] + sum(r["weight"] for r in found["reasons"]) == pytest.approx(found["logit"], abs=1e-9)
