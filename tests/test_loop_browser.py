"""The whole loop as a user goes it: score, review in a browser, export, train, compare, promote, score again, go back.

Every command is the program itself in a process of its own, and the page is a file in a headless Chromium. The labels are
those of the samples, given by keyboard.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from jobscam.labelled import read_labelled
from jobscam.model import artifact

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install '.[browser]'")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the path"),
    pytest.mark.skipif(not artifact.list_artifacts(), reason="no shipped model in models/ yet"),
]
SAMPLES = Path(__file__).parent.parent / "data" / "samples"
ADS, HELD_OUT = SAMPLES / "ads.csv", SAMPLES / "test.csv"
# What a reviewer looks at, one after the other: filters and search words, and how many ads are labelled there.
VIEWS: list[tuple[dict[str, str], str, int]] = [
    ({"tier": "critical"}, "", 12),
    ({"tier": "medium"}, "", 14),
    ({"tier": "low", "language": "id"}, "", 18),
    ({"language": "en"}, "", 8),
    ({"indicator": "gambling"}, "", 6),
    ({"tier": "high"}, "gaji", 6),
    ({"label": "none"}, "kasir", 2),
]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def shown(page: Any) -> str:
    """Name of the ad that is open."""
    return str(page.locator("#detail .fact", has=page.locator("dt", has_text=re.compile("^id$"))).locator("dd").inner_text())


def done(page: Any) -> int:
    return int(page.locator("#progress").inner_text().split()[0])


def choose(page: Any, view: dict[str, str], words: str) -> None:
    """Set filters and search, and check that the list holds what they ask for and nothing else."""
    page.click("#reset")
    found = page.locator("#found")
    everything = found.inner_text()
    for name, value in view.items():
        if name == "indicator":
            value = page.locator("#f-indicator option", has_text=value).first.get_attribute("value")
        page.select_option(f"#f-{name}", value)
    playwright.expect(found).not_to_have_text(everything)
    if words:
        filtered = found.inner_text()
        page.fill("#search", words)
        playwright.expect(found).not_to_have_text(filtered)
    assert page.locator("#items > li").count() > 0
    if "tier" in view:
        assert set(page.locator("#items .pill").all_inner_texts()) == {view["tier"]}
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")


def review(page: Any, address: str, truth: dict[str, str]) -> dict[str, str]:
    """Label by keyboard, as the samples are labelled; what was said of which ad."""
    said: dict[str, str] = {}
    page.goto(address)
    assert done(page) == 0
    for view, words, count in VIEWS:
        choose(page, view, words)
        for _ in range(count):
            before, name = done(page), shown(page)
            if name in said:  # met under another filter; the same key would take its label away
                page.keyboard.press("j")
                continue
            said[name] = truth[name]
            page.keyboard.press(truth[name][0])
            assert done(page) == before + 1
    return said


def test_the_loop(tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()

    def jobscam(*arguments: str | Path) -> str:
        command = [sys.executable, "-m", "jobscam", *map(str, arguments), "--models", str(models)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
        found = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", timeout=120, check=False
        )
        assert found.returncode == 0, f"{arguments}: {found.stderr}"
        return found.stdout

    scored, again = tmp_path / "scored.csv", tmp_path / "again.csv"
    jobscam("score", ADS, "-o", scored, "--report", "report.html", "--lang", "en")
    first = scored.read_bytes()
    shipped = artifact.shipped_path().name
    assert {row["jobscam_model"] for row in rows(scored)} == {shipped}

    # A warning that quotes a lure is no honest ad: whoever meets one among the ads says neither.
    truth = {row["id"]: row["label"] if row["status"] == "scored" else "unsure" for row in rows(ADS)}
    address = (tmp_path / "report.html").as_uri()
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True).new_page()
        said = review(page, address, truth)
        assert len(said) >= 40 and min(Counter(said.values())["scam"], Counter(said.values())["legit"]) >= 15
        page.reload()
        assert done(page) == len(said)
        with page.expect_download() as got:
            page.click("#export")
        got.value.save_as(tmp_path / "exported.csv")
        browser.close()

    exported = read_labelled(tmp_path / "exported.csv")
    assert {ad.posting.id: ("legit", "scam")[ad.label] for ad in exported.ads} == {n: s for n, s in said.items() if s != "unsure"}
    assert len(exported.undecided) == Counter(said.values())["unsure"] and not exported.rejects

    # What is sure must stay so: ads that both the reader and the shipped model were sure of.
    sure = [row for row in rows(scored) if (row["label"], row["jobscam_tier"]) in (("scam", "critical"), ("legit", "low"))]
    with (tmp_path / "guard.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, ["id", "text", "label"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows([*sure[:5], *sure[-5:]])

    jobscam("train", "exported.csv", "--out", models / "mine-1.0.0")
    assert "average precision" in jobscam("compare", shipped, "mine", HELD_OUT)
    assert jobscam("model", "promote", "mine-1.0.0", "--guard", "guard.csv").startswith("mine-1.0.0 is the current model")
    jobscam("score", ADS, "-o", again, "--lang", "en")
    old, new = ({row["id"]: row for row in rows(path)} for path in (scored, again))
    assert {row["jobscam_model"] for row in new.values()} == {"mine-1.0.0"}
    assert new.keys() == old.keys() == truth.keys()
    assert any(new[name]["jobscam_tier"] != old[name]["jobscam_tier"] for name in new)

    assert jobscam("model", "rollback").startswith(f"{shipped} (shipped) is the current model")
    jobscam("score", ADS, "-o", again, "--lang", "en")
    assert again.read_bytes() == first
