"""Pictures of the review page for README and docs: both languages, on a desktop and on a phone.

    python scripts/screenshots.py [--out docs/images] [--all]

Made from ``data/samples/ads.csv`` with the shipped model, so that anyone can make them again. Needs ``.[browser]`` and a
Chromium on the path; how letters look depends on the fonts of the machine.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

from jobscam import report
from jobscam.model import artifact

ROOT = Path(__file__).parent.parent
ADS = ROOT / "data" / "samples" / "ads.csv"
LANGUAGES = ("id", "en")
# The same pixels each time: no work is shared out by chance between threads, and no page is half drawn from an earlier one.
STEADY = [
    "--no-sandbox",
    "--disable-partial-raster",
    "--num-raster-threads=1",
    "--disable-lcd-text",
    "--force-color-profile=srgb",
]
SIZES = {"desktop": (1280, 800), "phone": (390, 844)}


def chromium() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
    if found is None:
        raise SystemExit("no Chromium on the path: install chromium, then run this again")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images", help="folder of the pictures")
    parser.add_argument("--all", action="store_true", help="more views, to look the page over: lists, help, dark, filters")
    arguments = parser.parse_args()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise SystemExit("playwright is not installed: pip install '.[browser]'") from None
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium(), args=STEADY)
        for language in LANGUAGES:
            page = Path(folder) / f"{language}.html"
            report.write_table(ADS, page, {"source": artifact.shipped_path()}, language=language)
            for device in SIZES:
                pictures(browser, page.as_uri(), device, language, arguments.out, arguments.all)
        browser.close()


def pictures(browser: Any, address: str, device: str, language: str, out: Path, every: bool) -> None:
    """The page with two labels given and the third ad open; with `every`, other views of it as well."""
    width, height = SIZES[device]

    def opened(scheme: str = "light") -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce", locale="en-GB"
        )
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 4 * height})  # nothing scrolls while the labels are given
        page.goto(address)
        page.keyboard.press("s")
        page.keyboard.press("s")
        page.set_viewport_size({"width": width, "height": height})
        return page

    def keep(page: Any, view: str = "", full: bool = False) -> None:
        path = out / f"report-{device}-{language}{view}.png"
        page.screenshot(path=path, full_page=full, animations="disabled", caret="hide")
        print(f"{path}: {path.stat().st_size // 1000} kB")

    page = opened()
    if every:
        keep(page, "-list", full=device == "desktop")
        page.keyboard.press("?")
        keep(page, "-help")
        page.keyboard.press("Escape")
        dark = opened("dark")
        if device == "phone":
            dark.click("#overview summary")
            dark.click("#more")
            keep(dark, "-dark", full=True)
        else:
            keep(dark, "-dark")
        dark.context.close()
    if device == "phone":
        page.locator("#items button").nth(2).click()
    keep(page)
    if every and device == "phone":
        keep(page, "-ad", full=True)
    page.context.close()


if __name__ == "__main__":
    main()
