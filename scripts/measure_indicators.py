"""Precision, recall and F1 of the readers on annotated real ads, beside simpler ways; writes docs/indicators.md.

    python scripts/measure_indicators.py --data ../shared/data [--errors "salary" --sample check]

``data/annotations/real_ads.csv`` holds offsets and values only; the ads stay where they are. ``--errors`` shows words of the
ads on the screen: never keep its output.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from jobscam import knowledge
from jobscam.corpus import read_samples, read_sources
from jobscam.indicators import IndicatorReader, Observation
from jobscam.indicators.amounts import AmountReader
from jobscam.posting import Posting
from jobscam.text import Normaliser
from jobscam.values import Findings, Sign, Span

ROOT = Path(__file__).parents[1]
ANNOTATIONS = ROOT / "data" / "annotations"
SAMPLES = ("dev", "check", "final")
ROLES = ("work", "office", "transit", "denied")
FEES = ("upfront_fee", "deposit", "personal_transfer", "wage_deduction_debt", "travel_agent_booking")
THINGS = ("salary", "destination role", "destination country", "licence", "fee asked", "no fee stated", "contact", "posting type")
AIMS = {"salary": 0.97, "destination role": 0.95, "licence": 0.95, "fee asked": 0.95, "no fee stated": 0.95, "contact": 0.98}
STATUS = {"ad": ("scored", "not_assessable"), "warning": ("warning_or_news",), "other": ("not_an_ad", "not_assessable")}


@dataclass(frozen=True)
class Mark:
    """One annotated or found thing: where it stands and what it is."""

    field: str
    start: int
    end: int
    value: str = ""

    def overlaps(self, other: Mark) -> bool:
        """Whether two marks share a character."""
        return self.field == other.field and self.start < other.end and other.start < self.end


@dataclass
class Score:
    """Counts of right, spurious and missed findings."""

    right: int = 0
    spurious: int = 0
    missed: int = 0

    def row(self) -> str:
        """Marks, precision, recall and F1 as cells of a table."""
        marks, said = self.right + self.missed, self.right + self.spurious
        cells = [f"{self.right / n:.3f}" if n else "–" for n in (said, marks, (marks + said) / 2)]
        return f"{marks} | " + " | ".join(cells)


@dataclass
class Ad:
    """A real ad with its marks and what was read in it."""

    key: str
    source: str
    posting: Posting
    gold: dict[str, list[Mark]]
    seen: Observation
    findings: Findings
    scores: dict[str, Score] = field(default_factory=dict)


Same = Callable[[Mark, Mark], bool]


def compare(gold: list[Mark], found: list[Mark], same: Same, score: Score) -> tuple[list[Mark], list[Mark]]:
    """Pair each found mark with one gold mark that overlaps it and means the same; returns what is left of both."""
    left, spurious = list(gold), []
    for mark in found:
        pair = next((g for g in left if g.overlaps(mark) and same(g, mark)), None)
        if pair is None:
            spurious.append(mark)
        else:
            left.remove(pair)
            score.right += 1
    score.spurious += len(spurious)
    score.missed += len(left)
    return left, spurious


def same_pay(gold: Mark, found: Mark) -> bool:
    """Both bounds, currency and period agree; what has a question mark was not written in the ad."""
    if "UMR" in (gold.value, found.value):
        return gold.value == found.value
    bounds, currency, period = gold.value.split()
    f_bounds, f_currency, f_period = found.value.split()
    if not all(_close(a, b) for a, b in zip(bounds.split("-"), f_bounds.split("-"), strict=True)):
        return False
    return (currency.endswith("?") or currency == f_currency.rstrip("?")) and (
        period.endswith("?") or period == f_period.rstrip("?")
    )


def _close(a: str, b: str) -> bool:
    return a == b if not a or not b else abs(float(a) - float(b)) <= 0.005 * max(float(a), float(b))


def pay_marks(seen: Observation) -> Iterator[Mark]:
    """Base pay as the reader sees it, written as annotations are."""
    for amount in seen.pay.base:
        span = seen.document.span(amount.start, amount.end)
        low = "" if amount.bound == "upto" else f"{amount.low:.2f}"
        high = "" if amount.bound == "from" else f"{amount.high:.2f}"
        value = "UMR" if amount.reference else f"{low}-{high} {amount.currency} {amount.period}"
        yield _mark(span, value)


def _mark(span: Span, value: str = "") -> Mark:
    return Mark(span.field, span.start, span.end, value)


def comparisons(ad: Ad) -> Iterator[tuple[str, list[Mark], list[Mark], Same]]:
    """What is annotated, what was found, and when they agree, for each kind of thing."""
    gold, document = ad.gold, ad.seen.document
    yield "salary", gold["salary"], list(pay_marks(ad.seen)), same_pay
    contacts = [_mark(document.original_span(c.start, c.end), c.kind) for c in ad.seen.contacts.found]
    yield "contact", gold["contact"], contacts, lambda g, f: g.value == f.value
    licences = [_mark(document.original_span(n.start, n.end)) for n in ad.seen.licences]
    yield "licence", gold["licence"], licences, lambda g, f: True
    if ad.source != "emscad":
        wanted = [Mark(m.field, m.start, m.end, role) for role in ROLES for m in gold[role]]
        places = [(_mark(document.span(m.start, m.end), m.role), m.kind) for m in ad.seen.place.mentions if m.role in ROLES]
        # Quarters of a town are not annotated: they count only where they stand in a mark.
        found = [p for p, kind in places if kind != "quarter" or any(p.overlaps(w) for w in wanted)]
        yield "destination role", wanted, found, lambda g, f: g.value == f.value
    for thing, kind, names in (("fee asked", "fee", FEES), ("no fee stated", "no_fee", ("no_fee_stated",))):
        said = [_mark(s) for e in ad.findings.evidence if e.indicator in names for s in e.spans]
        near = [s for s in said if any(s.overlaps(g) for g in gold[kind])] or said
        yield thing, gold[kind][:1], near[:1], lambda g, f: True  # one verdict an ad


def judge(ad: Ad, scores: dict[str, Score], errors: str = "") -> None:
    """Add one ad to the scores; print what differs for one kind of thing."""
    for thing, gold, found, same in comparisons(ad):
        missed, spurious = compare(gold, found, same, scores[thing])
        for label, marks in (("missed", missed), ("spurious", spurious)) if thing == errors else ():
            for m in marks:
                text = getattr(ad.posting, m.field)
                print(ad.key, label, repr(m.value), repr(text[max(0, m.start - 50) : m.start]), ">>", repr(text[m.start : m.end]),
                      "<<", repr(text[m.end : m.end + 30]))  # fmt: skip
    countries = {m.value for m in ad.gold["work"]} or {m.value for m in ad.gold["office"]}
    verdicts = [("posting type", ad.findings.posting_type in STATUS[ad.gold["type"][0].value], True)]
    if countries or ad.seen.place.iso not in ("", "ID"):
        verdicts.append(("destination country", ad.seen.place.iso in countries, bool(countries)))
    for thing, right, due in verdicts:
        scores[thing].right += right
        scores[thing].missed += not right and due
        scores[thing].spurious += not right
        if thing == errors and not right:
            print(ad.key, ad.gold["type"][0].value, ad.findings.posting_type, countries, ad.seen.place.iso)


def annotations(name: str) -> dict[tuple[str, int], tuple[str, dict[str, list[Mark]]]]:
    """Sample and marks of each annotated ad, by source and row."""
    out: dict[tuple[str, int], tuple[str, dict[str, list[Mark]]]] = {}
    with (ANNOTATIONS / name).open(encoding="utf-8", newline="") as stream:
        for line in csv.DictReader(stream):
            _, marks = out.setdefault((line["source"], int(line["row"])), (line["half"], defaultdict(list)))
            marks[line["what"]].append(Mark(line["field"], int(line["start"]), int(line["end"]), line["value"]))
    return out


def agreement() -> tuple[int, list[str]]:
    """How far two readers agree who marked the same ads without seeing each other's marks: number of ads, rows of a table."""
    first, second = annotations("real_ads.csv"), annotations("second_reading.csv")
    scores: dict[str, Score] = defaultdict(Score)
    for key, (_, theirs) in second.items():
        ours = first[key][1]

        def roles(marks: dict[str, list[Mark]]) -> list[Mark]:
            return [Mark(m.field, m.start, m.end, role) for role in ROLES for m in marks[role]]

        pairs: list[tuple[str, list[Mark], list[Mark], Same]] = [
            ("salary", ours["salary"], theirs["salary"], lambda g, f: same_pay(g, f) or same_pay(f, g)),
            ("contact", ours["contact"], theirs["contact"], lambda g, f: g.value == f.value),
            ("licence", ours["licence"], theirs["licence"], lambda g, f: True),
            ("posting type", ours["type"], theirs["type"], lambda g, f: g.value == f.value),
        ]
        if key[0] != "emscad":
            pairs.append(("destination role", roles(ours), roles(theirs), lambda g, f: g.value == f.value))
        for thing, gold, found, same in pairs:
            compare([_wide(m) for m in gold], [_wide(m) for m in found], same, scores[thing])
    return len(second), [f"| {t} | {scores[t].row()} |" for t in THINGS if t in scores]


def _wide(mark: Mark) -> Mark:
    """A mark of the whole ad covers nothing; here it has to overlap its counterpart."""
    return mark if mark.end > mark.start else Mark(mark.field, 0, 1, mark.value)


def read_ads(data: Path, sample: str, reader: IndicatorReader) -> list[Ad]:
    """The annotated ads of a sample, read."""
    postings: dict[str, list[Posting]] = defaultdict(list)
    for row in read_sources(data):
        postings[row.source].append(row.posting)
    gold = {key: marks for key, (half, marks) in annotations("real_ads.csv").items() if half == sample}
    out = []
    for (source, number), marks in gold.items():
        posting = postings[source][number]
        seen, (_, findings) = reader.observe(posting), reader.read(posting)
        out.append(Ad(f"{source}:{number}", source, posting, marks, seen, findings))
    return out


_BASELINE = re.compile(
    r"(?:rp\.?|idr|usd|\$)\s*(\d[\d.,]*)\s*(jt|juta|rb|ribu|k)?|(\d[\d.,]*)\s*(jt|juta|rb|ribu|k)\b", re.IGNORECASE
)


def _baseline(text: str) -> tuple[float, str] | None:
    """What a quick script does: a currency sign or a multiplier beside a number; points are thousands."""
    match = _BASELINE.search(text)
    if not match:
        return None
    number, unit = (match[1], match[2]) if match[1] else (match[3], match[4])
    factor = {"jt": 1e6, "juta": 1e6, "rb": 1e3, "ribu": 1e3, "k": 1e3}.get((unit or "").lower(), 1.0)
    digits = number.strip(".,").replace(",", ".")
    if factor == 1.0:
        digits = digits.replace(".", "")
    try:
        return float(digits) * factor, "USD" if "$" in match[0] or "usd" in match[0].lower() else "IDR"
    except ValueError:
        return None


def _price_parser(text: str) -> tuple[float, str] | None:
    from price_parser import Price

    price = Price.fromstring(text)
    return (float(price.amount), (price.currency or "").upper()) if price.amount is not None else None


def side_by_side(ads: list[Ad]) -> list[tuple[str, int, int, int]]:
    """Values read from the words of each annotated amount alone: what helps the others most, as they find no pay in an ad.

    Returns rows of name, amounts, those with a right value (either bound), those with the right currency as well.
    """
    k = knowledge.load()
    normaliser, amounts = Normaliser(k), AmountReader(k)

    def ours(text: str) -> tuple[float, str] | None:
        found = amounts.find(normaliser.read(text).norm)
        return (found[0].high, found[0].currency) if found else None

    marks = [
        (getattr(ad.posting, m.field)[m.start : m.end], m.value) for ad in ads for m in ad.gold["salary"] if m.value != "UMR"
    ]
    out = []
    for name, read in (("jobscam", ours), ("price-parser", _price_parser), ("quick regular expression", _baseline)):
        values = currencies = 0
        for text, value in marks:
            bounds, currency, _ = value.split()
            found = read(text)
            right = found is not None and any(b and _close(b, str(found[0])) for b in bounds.split("-"))
            values += right
            symbol = {"$": "USD", "£": "GBP", "RP": "IDR", "RP.": "IDR"}.get(found[1], found[1]) if found else ""
            currencies += right and (currency.endswith("?") or symbol == currency)
        out.append((name, len(marks), values, currencies))
    return out


def indicator_table(data: Path, reader: IndicatorReader) -> list[str]:
    """How often each indicator is found in authored lures and scams, and in honest real ads."""

    def share(postings: list[Posting]) -> dict[str, float]:
        counts: dict[str, int] = defaultdict(int)
        for posting in postings:
            for name in {e.indicator for e in reader.read(posting)[1].evidence}:
                counts[name] += 1
        return {name: n / len(postings) for name, n in counts.items()}

    authored = [r for r in read_samples(ROOT / "data" / "samples" / "ads.csv") if r.status == "scored"]
    honest = [r.posting for r in read_sources(data) if r.label == 0 and r.part == "test"]
    scam, plain = share([r.posting for r in authored if r.label]), share([r.posting for r in authored if not r.label])
    real = share(honest)
    lines = ["| indicator | sign | authored scams | authored honest | real honest |", "|---|---|---|---|---|"]
    for name, indicator in sorted(reader.knowledge.indicators.items(), key=lambda kv: (kv[1].sign, -scam.get(kv[0], 0), kv[0])):
        if indicator.sign is not Sign.CONTEXT:
            cells = " | ".join(f"{100 * s.get(name, 0):.1f} %" for s in (scam, plain, real))
            lines.append(f"| `{name}` | {indicator.sign} | {cells} |")
    return lines


def report(data: Path) -> str:
    """The page."""
    reader = IndicatorReader(knowledge.load())
    template = (Path(__file__).parent / "indicators_page.md").read_text(encoding="utf-8")
    first = defaultdict(lambda: "– | – | – | –")
    with (ANNOTATIONS / "first_sight.csv").open(encoding="utf-8", newline="") as stream:
        for line in csv.DictReader(stream):
            first[line["sample"], line["thing"]] = f"{line['marks']} | {line['precision']} | {line['recall']} | **{line['f1']}**"
    rows, now, ads = [], [], []
    for sample in SAMPLES:
        scores: dict[str, Score] = defaultdict(Score)
        found = read_ads(data, sample, reader)
        for ad in found:
            judge(ad, scores)
        ads += found
        rows += [f"| {sample} | {t} | {first[sample, t]} | {AIMS.get(t, '')} |" for t in THINGS if (sample, t) in first]
        now += [f"| {sample} | {t} | {scores[t].row()} |" for t in THINGS if scores[t].right + scores[t].missed]
    readers, agreed = agreement()
    beside = [f"| {name} | {n} | {100 * v / n:.1f} % | {100 * c / n:.1f} % |" for name, n, v, c in side_by_side(ads)]
    return template.format(
        ads=len(ads),
        readers=readers,
        agreed="\n".join(agreed),
        first="\n".join(rows),
        now="\n".join(now),
        beside="\n".join(beside),
        table="\n".join(indicator_table(data, reader)),
    )


def main() -> None:
    """Write the page, or show errors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the real ads")
    parser.add_argument("--errors", choices=THINGS, help="show what differs, with words of the ads: never keep it")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "indicators.md")
    parser.add_argument("--sample", choices=SAMPLES, default="dev")
    arguments = parser.parse_args()
    if arguments.errors:
        scores: dict[str, Score] = defaultdict(Score)
        for ad in read_ads(arguments.data, arguments.sample, IndicatorReader(knowledge.load())):
            judge(ad, scores, arguments.errors)
        print(scores[arguments.errors].row())
        return
    page = report(arguments.data)
    arguments.out.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
