"""One HTML file of template, style, script and data, in which the data can never become anything but data."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from jobscam.errors import InputError
from jobscam.io.target import Target

SCRIPTS = ("state.js", "text.js", "charts.js", "list.js", "detail.js", "main.js")
"""Files of the script, in the order in which they stand in the page."""
# What could end the element, begin a comment or an entity, end a line of script, or turn the direction of the file's text.
_ACTIVE = re.compile("[<>&\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\x7f-\x9f]")
_SLOT = re.compile(r"\{\{(\w+)\}\}")
_POLICY = (
    "default-src 'none'; script-src {script}; style-src {style}; img-src data:; connect-src 'none'; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


def inert(data: Any) -> str:
    r"""Data as JSON that may stand in a ``<script>`` element of a data type.

    Examples
    --------
    >>> inert({"text": "</script><!--"})
    '{"text":"\\u003c/script\\u003e\\u003c!--"}'
    """
    written = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _ACTIVE.sub(lambda m: f"\\u{ord(m[0]):04x}", written)


def strings() -> dict[str, dict[str, str]]:
    """Words of the interface, by language."""
    return tomllib.loads(_template("strings.toml"))


def render(content: Mapping[str, Any]) -> str:
    """The page that holds this content; see :meth:`jobscam.report.collect.Collector.content`."""
    said = strings()
    style = _template("page.css")
    script = "\n".join(_template(name) for name in SCRIPTS)
    parts = {
        "lang": html.escape(content["lang"]),
        "title": html.escape(f"{content['source']} · jobscam"),
        "policy": _POLICY.format(script=_source_of(script), style=_source_of(style)),
        "noscript": html.escape(said[content["lang"]]["noscript"]),
        "style": style,
        "script": script,
        "data": inert({**content, "strings": said}),
    }
    # One pass: what is put in is not looked at again.
    return _SLOT.sub(lambda m: parts[m[1]], _template("page.html"))


def save(path: str | Path, page: str) -> int:
    """Write a page; it gets its name when it is complete. Returns its size in bytes.

    Raises
    ------
    InputError
        If it cannot be written there.
    """
    data = page.encode()
    try:
        with Target(path) as target:
            target.write(data)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from None
    return len(data)


def _template(name: str) -> str:
    # Universal line ends: a checkout with CRLF must not change the hashes.
    return (files("jobscam.report") / "template" / name).read_text(encoding="utf-8").replace("\r\n", "\n")


def _source_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
