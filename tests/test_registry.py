"""Models by name: versions in order, promoting, going back, and who may choose a model."""

from __future__ import annotations

import hashlib
import inspect
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import jobscam
from jobscam.cli.app import app
from jobscam.errors import ArtifactError, InputError
from jobscam.model import artifact, registry, semver

run = CliRunner().invoke
SHIPPED = artifact.shipped_path()
AD = "Loker Kamboja, CS, gaji 12jt, tiket & paspor ditanggung, tanpa pengalaman, WA 0812-0000-0000"
# From semver.org, section 11, and the cases that comparing texts gets wrong.
ORDER = [
    "0.9.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",
    "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0-0", "2.0.0-1.x", "2.0.0", "10.0.0",
]  # fmt: skip


def make(folder: Path, name: str, bias: float, **facts: object) -> Path:
    """An artifact that differs from the shipped one by its bias."""
    target = folder / name
    shutil.copytree(SHIPPED, target)
    manifest = json.loads((target / artifact.MANIFEST).read_text(encoding="utf-8"))
    found = semver.split(name)
    assert found
    manifest |= {"name": found.name, "version": found.version, "bias": bias, **facts}
    seal(target, manifest)
    return target


def seal(target: Path, manifest: dict[str, object]) -> None:
    raw = json.dumps(manifest).encode()
    (target / artifact.MANIFEST).write_bytes(raw)
    (target / f"{artifact.MANIFEST}.sha256").write_text(hashlib.sha256(raw).hexdigest() + "\n")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty model folder that JOBSCAM_MODELS names, seen from an empty working directory."""
    folder, work = tmp_path / "own", tmp_path / "work"
    folder.mkdir()
    work.mkdir()
    monkeypatch.setenv(registry.MODELS, str(folder))
    monkeypatch.chdir(work)
    return folder


def test_versions_in_order() -> None:
    keys = [found.key for v in ORDER if (found := semver.split(f"m-{v}"))]
    assert len(keys) == len(ORDER)
    assert keys == sorted(keys)


@pytest.mark.parametrize(
    "text",
    ["", "mine", "1.0.0", "-1.0.0", "mine-1.0", "mine-1.0.0.0", "mine-01.0.0", "mine-1.0.0-", "mine-1.0.0-a..b",
     "../mine-1.0.0", "a/b-1.0.0", "a\\b-1.0.0", ".hidden-1.0.0", "mine-1.0.0\n", "mine-1.0.0/..", "mine-١.0.0"],
)  # fmt: skip
def test_other_texts_are_no_names(text: str) -> None:
    assert semver.split(text) is None


@settings(max_examples=200)
@given(st.text(max_size=30) | st.from_regex(r"[a-z./\\-]{0,8}-[0-9]\.[0-9]\.[0-9]([-+][a-z0-9./]{1,5})?", fullmatch=True))
def test_a_name_is_a_safe_folder(text: str) -> None:
    found = semver.split(text)
    if found is not None:
        assert Path(text).name == text
        assert f"{found.name}-{found.version}" == text


def test_newest_prefers_releases() -> None:
    assert semver.newest(["m-1.0.0", "m-1.1.0-rc.1"], "m") == "m-1.0.0"
    assert semver.newest(["m-1.0.0-rc.1", "m-1.0.0-rc.2"], "m") == "m-1.0.0-rc.2"
    assert semver.newest(["m-1.0.0"], "n") is None


def test_names(own: Path, tmp_path: Path) -> None:
    for version in ("1.9.0", "1.10.0", "2.0.0-rc.1"):
        make(own, f"mine-{version}", 0.0)
    assert registry.find("mine") == own / "mine-1.10.0"
    assert registry.find("mine-1.9.0") == own / "mine-1.9.0"
    assert registry.find("mine-2.0.0-rc.1") == own / "mine-2.0.0-rc.1"
    assert registry.find("jobscam") == SHIPPED
    assert registry.find(tmp_path / "x") == tmp_path / "x"
    assert registry.find("./x") == Path("x")
    with pytest.raises(ArtifactError, match=r"there is no model 'other'.*mine-1\.9\.0, mine-1\.10\.0"):
        registry.find("other")


def test_here_is_the_last_place(own: Path) -> None:
    make(own, "mine-1.0.0", 0.0)
    make(registry.HERE, "mine-9.0.0", 0.0)
    make(registry.HERE, "jobscam-9.0.0", 0.0)
    make(registry.HERE, "only-1.0.0", 0.0)
    assert registry.find("mine") == own / "mine-1.0.0"
    assert registry.find("jobscam") == SHIPPED
    assert registry.find("only") == registry.HERE / "only-1.0.0"
    assert registry.find("mine-9.0.0") == registry.HERE / "mine-9.0.0"


def test_promote_and_roll_back_to_the_same_bytes(own: Path, tmp_path: Path) -> None:
    def scores() -> bytes:
        a = jobscam.load().assess(AD)
        return f"{a.columns(5)} {a.logit!r} {[(r.name, r.weight, r.spans) for r in a.reasons]!r}".encode()

    shipped = scores()
    registry.promote(make(tmp_path / "built", "mine-1.0.0", -1.0))
    first = scores()
    registry.promote(make(tmp_path / "built", "mine-1.1.0", -3.0))
    second = scores()
    assert len({shipped, first, second}) == 3
    assert b"mine-1.1.0" in second
    shutil.rmtree(tmp_path / "built")  # what was promoted lies in the model folder
    assert scores() == second
    entry = registry.rollback()
    assert entry and entry.name == "mine-1.0.0"
    assert scores() == first
    assert registry.rollback() is None
    assert scores() == shipped
    with pytest.raises(ArtifactError, match="nothing to go back to"):
        registry.rollback()
    assert sorted(p.name for p in own.iterdir()) == ["mine-1.0.0", "mine-1.1.0"]


def test_promote_twice_is_once(own: Path, tmp_path: Path) -> None:
    path = make(tmp_path, "mine-1.0.0", 0.0)
    assert registry.promote(path) == registry.promote(path) == registry.promote("mine")
    assert json.loads((own / "current").read_text())["history"] == []


def test_promote_refuses(own: Path, tmp_path: Path) -> None:
    registry.promote(make(tmp_path / "a", "mine-1.0.0", 0.0))
    before = (own / "current").read_bytes()
    with pytest.raises(ArtifactError, match="another model of the same name"):
        registry.promote(make(tmp_path / "b", "mine-1.0.0", 1.0))
    damaged = make(tmp_path / "c", "mine-2.0.0", 0.0)
    (damaged / artifact.CARD).write_text("changed")
    with pytest.raises(ArtifactError, match="does not match its checksum"):
        registry.promote(damaged)
    outside = make(tmp_path / "d", "mine-3.0.0", 0.0)
    manifest = json.loads((outside / artifact.MANIFEST).read_text())
    seal(outside, manifest | {"name": "../../mine"})
    with pytest.raises(ArtifactError, match="is not <name>-<version>"):
        registry.promote(outside)
    assert (own / "current").read_bytes() == before
    assert sorted(p.name for p in own.iterdir()) == ["current", "mine-1.0.0"]


def test_an_exchanged_model_is_refused(own: Path, tmp_path: Path) -> None:
    registry.promote(make(tmp_path / "a", "mine-1.0.0", 0.0))
    registry.promote(make(tmp_path / "a", "mine-1.1.0", 0.0))
    for name in ("mine-1.0.0", "mine-1.1.0"):
        shutil.rmtree(own / name)
        make(own, name, 5.0)  # whole in itself, but not what was promoted
    with pytest.raises(ArtifactError, match="is not the one that was promoted"):
        jobscam.load()
    before = (own / "current").read_bytes()
    with pytest.raises(ArtifactError, match="is not the one that was promoted"):
        registry.rollback()
    assert (own / "current").read_bytes() == before
    shutil.rmtree(own / "mine-1.1.0")
    with pytest.raises(ArtifactError, match="which is gone"):
        jobscam.load()
    assert jobscam.load("jobscam").name == SHIPPED.name


def test_who_chooses(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry.promote(make(tmp_path, "promoted-1.0.0", 0.0))
    make(own, "named-1.0.0", 0.0)
    assert registry.choose().path.name == "promoted-1.0.0"
    monkeypatch.setenv(registry.MODEL, "named")
    assert registry.choose() == registry.Choice(own / "named-1.0.0", "JOBSCAM_MODEL")
    assert registry.choose("promoted") == registry.Choice(own / "promoted-1.0.0")
    monkeypatch.setenv(registry.MODEL, str(SHIPPED))
    assert registry.choose().path == SHIPPED
    monkeypatch.setenv(registry.MODEL, "")
    assert registry.choose(models=own) == registry.choose()
    monkeypatch.setenv(registry.MODELS, str(tmp_path / "nothing"))
    with pytest.raises(ArtifactError, match="does not exist"):
        registry.choose()
    monkeypatch.delenv(registry.MODELS)
    assert registry.choose() == registry.Choice(SHIPPED)


def test_a_working_directory_chooses_no_model(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry.promote(make(tmp_path, "stray-1.0.0", 0.0), registry.HERE)
    assert (registry.HERE / "current").is_file()
    assert registry.choose() == registry.Choice(SHIPPED)
    monkeypatch.setenv(registry.MODEL, "stray")
    with pytest.raises(ArtifactError, match="JOBSCAM_MODEL: there is no model 'stray'"):
        registry.choose()
    monkeypatch.delenv(registry.MODEL)
    monkeypatch.delenv(registry.MODELS)
    monkeypatch.setenv("XDG_DATA_HOME", ".")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert registry.model_folder() == tmp_path / ".local/share/jobscam/models"
    assert registry.choose(models=registry.HERE).path.name == "stray-1.0.0"


def test_the_folder_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert registry.choose() == registry.Choice(SHIPPED)
    assert list(tmp_path.iterdir()) == []
    registry.promote(make(tmp_path / "a", "mine-1.0.0", 0.0))
    assert registry.choose().path == tmp_path / "jobscam" / "models" / "mine-1.0.0"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", '{"name": 1, "path": "mine-1.0.0", "manifest_sha256": "", "history": []}', "[" * 100_000,
     '{"name": "mine-1.0.0", "path": "../x/mine-1.0.0", "manifest_sha256": "", "history": []}',
     '{"name": "mine-1.0.0", "path": "/", "manifest_sha256": "", "history": []}',
     '{"name": "mine-1.0.0", "path": "mine-1.0.0", "manifest_sha256": "", "history": [1]}', "\udcff"],
)  # fmt: skip
def test_a_damaged_current_is_refused(own: Path, text: str) -> None:
    (own / "current").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ArtifactError, match="cannot be read as what"):
        registry.choose()


def test_commands(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make(tmp_path, "mine-1.0.0", -1.0, parent=SHIPPED.name, trained_on={"a": {"postings": 1200}, "b": {"postings": 34}})
    assert run(app, ["model", "promote", str(path)]).stdout == f"mine-1.0.0 is the current model of {own}\n"
    listed = [line.split() for line in run(app, ["model", "list"]).stdout.splitlines()]
    assert listed[0][:3] == ["mine-1.0.0", "own", "current"]
    assert f"parent {SHIPPED.name} trained on 1,234 ads" in " ".join(listed[0])
    assert [line[0] for line in listed[1:]] == [name for name, _ in artifact.list_artifacts()]
    assert sum("current" in line for line in listed) == 1
    assert json.loads(run(app, ["model", "show"]).stdout)["name"] == "mine"
    assert run(app, ["model", "verify", "mine"]).stdout.startswith("mine-1.0.0: 2 files")

    def explained(*arguments: str) -> tuple[str, str]:
        result = run(app, ["explain", AD, "--json", *arguments])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)["model"], result.stderr

    assert explained() == ("mine-1.0.0", f"Model: mine-1.0.0, chosen by {own / 'current'}\n")
    assert explained("--model", "jobscam") == (SHIPPED.name, "")
    assert explained("--model", "mine") == ("mine-1.0.0", "")
    monkeypatch.setenv(registry.MODEL, "jobscam")
    assert explained() == (SHIPPED.name, f"Model: {SHIPPED.name}, chosen by JOBSCAM_MODEL\n")
    monkeypatch.delenv(registry.MODEL)
    assert run(app, ["model", "rollback"]).stdout == f"{SHIPPED.name} (shipped) is the current model of {own}\n"
    assert explained() == (SHIPPED.name, "")
    assert isinstance(run(app, ["model", "rollback"]).exception, ArtifactError)
    monkeypatch.delenv(registry.MODELS)
    assert run(app, ["model", "promote", "mine-1.0.0", "--models", str(own)]).exit_code == 0
    assert explained("--models", str(own))[0] == "mine-1.0.0"
    assert explained() == (SHIPPED.name, "")


GUARD = {
    "kept": [(AD, "scam"), ("Kasir toko di Depok, gaji 2,5jt, antar lamaran langsung ke toko", "legit")],
    "broken": [("Kasir toko di Depok, gaji 2,5jt, antar lamaran langsung ke toko", "scam"), (AD, "legit"), (AD, "penipuan")],
}


def guard(name: str) -> Path:
    path = Path(f"{name}.csv")
    path.write_text("text,label\n" + "".join(f'"{text}",{label}\n' for text, label in GUARD[name]), encoding="utf-8")
    return path


def test_a_model_that_breaks_the_guard_is_not_promoted(own: Path, tmp_path: Path) -> None:
    path = str(make(tmp_path, "mine-1.0.0", json.loads((SHIPPED / artifact.MANIFEST).read_text())["bias"]))
    result = run(app, ["model", "promote", path, "--guard", str(guard("broken"))])
    assert result.exit_code == 1
    said = str(result.exception)
    assert "mine-1.0.0 breaks 2 of 3 rules of broken.csv" in said
    assert "line 2: must be caught (high or above), but is low" in said
    assert "line 3: must stay below high, but is critical" in said
    assert "line 4" not in said
    assert list(own.iterdir()) == []
    result = run(app, ["model", "promote", path, "--guard", str(guard("kept"))])
    assert result.exit_code == 0, result.output
    assert "mine-1.0.0 keeps all 2 rules of kept.csv" in result.stderr
    assert registry.choose().path == own / "mine-1.0.0"
    # A model that breaks it does not replace one that keeps it, by whatever name it is called.
    make(own, "mine-1.1.0", 30.0)
    result = run(app, ["model", "promote", "mine", "--guard", str(guard("kept"))])
    assert result.exit_code == 1 and "line 3: must stay below high, but is critical" in str(result.exception)
    assert registry.choose().path == own / "mine-1.0.0"


def test_rows_of_a_guard_that_are_no_rules_are_named(own: Path, tmp_path: Path) -> None:
    Path("guard.csv").write_text(f'text,label\n"{AD}",scam\n"{AD}",biru\n', encoding="utf-8")
    result = run(app, ["model", "promote", str(SHIPPED), "--guard", "guard.csv"])
    assert result.exit_code == 0 and "keeps all 1 rules" in result.stderr
    assert "Warning: guard.csv: rows that are no rules, by line: 3 (column 'label': label 'biru' is not known)" in result.stderr
    Path("guard.csv").write_text(f'text,label\n"{AD}",scam\n"{AD}",\n"{AD}",unsure\n', encoding="utf-8")
    result = run(app, ["model", "promote", str(SHIPPED), "--guard", "guard.csv"])
    assert (
        "Warning: guard.csv: rows that are no rules, by line: 3 (no label, or undecided), 4 (no label, or undecided)"
        in result.stderr
    )
    Path("guard.csv").write_text(f'text,label\n"{AD}",biru\n', encoding="utf-8")
    assert isinstance(run(app, ["model", "promote", str(SHIPPED), "--guard", "guard.csv"]).exception, InputError)
    assert run(app, ["model", "promote", str(SHIPPED), "--guard", "nothing.csv"]).exit_code == 1


@pytest.mark.parametrize("command", ["score", "report", "campaigns", "queue"])
def test_every_command_that_takes_a_model_takes_a_model_folder(
    command: str, tmp_path: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "elsewhere"
    registry.promote(make(tmp_path / "a", "mine-1.0.0", -1.0), folder)
    monkeypatch.delenv(registry.MODELS)
    Path("ads.csv").write_text(f'text\n"{AD}"\n', encoding="utf-8")
    options = ["--members", "out.csv", "-o", "c.csv", "--min-size", "1"] if command == "campaigns" else ["-o", "out.csv"]
    result = run(app, [command, "ads.csv", *options, "--models", str(folder)])
    assert result.exit_code == 0, result.output
    assert f"Model: mine-1.0.0, chosen by {folder / 'current'}" in result.stderr
    assert "mine-1.0.0" in Path("out.csv").read_text(encoding="utf-8")
    result = run(app, [command, "ads.csv", *options, "--models", str(folder), "--model", "jobscam"])
    assert "mine-1.0.0" not in Path("out.csv").read_text(encoding="utf-8")


def test_every_command_with_one_has_the_other() -> None:
    for info in app.registered_commands:
        assert info.callback is not None
        names = set(inspect.signature(info.callback).parameters)
        assert ("model" in names) <= ("models" in names), info.name


def test_list_shows_a_damaged_model(own: Path) -> None:
    (make(own, "mine-1.0.0", 0.0) / f"{artifact.MANIFEST}.sha256").write_text("x")
    assert "damaged" in run(app, ["model", "list"]).stdout
    (own / "current").write_text("x")
    result = run(app, ["model", "list"])
    assert "mine-1.0.0" in result.stdout
    assert "cannot be read" in result.stderr


def test_workers_load_what_was_chosen(own: Path, tmp_path: Path) -> None:
    registry.promote(make(tmp_path, "mine-1.0.0", 0.0))
    Path("ads.csv").write_text("text\n" + f'"{AD}"\n' * 6, encoding="utf-8")
    result = run(app, ["score", "ads.csv", "-o", "out.csv", "--workers", "2", "--chunk", "2"])
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith("Model: mine-1.0.0, chosen by ")
    assert Path("out.csv").read_text(encoding="utf-8").count(",mine-1.0.0\n") == 6
    assert "Model:" not in run(app, ["score", "ads.csv", "-o", "out.csv", "-q"]).stderr
