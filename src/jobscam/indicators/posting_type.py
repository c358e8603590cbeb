"""Is it an advertisement at all? Warnings, news, denials, job seekers and explainers quote lures without being any."""

from __future__ import annotations

from itertools import islice

from jobscam.indicators.contact import Contacts
from jobscam.indicators.document import Document
from jobscam.indicators.phrases import Found
from jobscam.knowledge import Knowledge
from jobscam.values import Sign, Status

_OTHERS = {
    "warning_marker": Status.WARNING_OR_NEWS,
    "news_marker": Status.WARNING_OR_NEWS,
    "denial_marker": Status.WARNING_OR_NEWS,
    "job_seeker_marker": Status.NOT_AN_AD,
    "explainer_marker": Status.NOT_AN_AD,
}

_WARNING = ("warning_marker", "news_marker", "denial_marker")
_LURE_SIGNS = 2
_LEAST_MARKS = 2
"""In a record of a job board one word is no warning: a street may be named after a Mr Said."""
_PAID = 2
"""Who explains or seeks work rarely states what it pays."""
_EARLY = 80
"""A warning that opens the text counts double: ads put theirs at the foot."""


def judge(
    document: Document, found: Found, contacts: Contacts, language: str, known: float, paid: bool, knowledge: Knowledge
) -> tuple[Status, str]:
    """Status of a posting and the reason for it (a key of the sentences, "" when scored).

    An ad that warns of fraud in its footer stays an ad: it has a vacancy, duties and a way to apply, and the marks of
    a warning must outweigh all of them.
    """
    settings = knowledge.settings["assessable"]
    least = int(settings["min_words"])
    if len(list(islice((w for w in document.words if not w.isdigit()), least))) < least:
        return Status.NOT_ASSESSABLE, "too_short"
    if language == "other":
        return Status.NOT_ASSESSABLE, "other_language"
    if known < float(settings["min_known_share"]):
        return Status.NOT_ASSESSABLE, "unreadable"

    norm = document.norm

    def count(name: str) -> int:
        return len({norm[s:e] for s, e in found[name]}) if name in found else 0

    vacancy = count("vacancy_marker") + count("apply_marker") + count("duties_listed") + count("formal_application")
    vacancy += count("specific_qualifications")
    record = bool(document.posting.title and document.posting.company)
    vacancy += 2 if record else 0
    margin = int(knowledge.settings["posting_type"]["warning_margin"])
    seeker = 3 * count("job_seeker_marker")
    # A seeker leaves a number too, so contacts say nothing here. But nobody who seeks work asks the reader to work, or
    # carries several signs of risk: hiding a lure under a status is worse than ranking a seeker's post.
    if seeker > vacancy + (_PAID if paid and vacancy else 0):
        risks = sum(knowledge.indicators[name].sign is Sign.RISK for name in found)
        addressed = not set(knowledge.cues["address"]["reader"]).isdisjoint(document.words)
        if risks < _LURE_SIGNS and not addressed:
            return Status.NOT_AN_AD, "job_seeker"
    vacancy += 2 if contacts.of("phone") or contacts.of("email") or contacts.telegram else 0
    marked = [span for name in _WARNING for span in found.get(name, ())]
    early = "fraud_notice" not in found and any(s < _EARLY for s, _ in marked)
    warning = 2 * int(early) + 2 * count("warning_marker") + 2 * count("news_marker") + 3 * count("denial_marker")
    warning -= 2 * count("fraud_notice")
    explainer = 2 * count("explainer_marker")
    marks = {norm[s:e] for s, e in marked}
    enough = len(marks) >= _LEAST_MARKS or not (record or marks <= set(knowledge.cues["warning"]["weak"]))
    if warning >= vacancy + margin and warning >= 4 and enough:
        return Status.WARNING_OR_NEWS, "warning"
    if explainer >= vacancy + margin + (_PAID if paid else 0) and explainer >= 4:
        return Status.NOT_AN_AD, "explainer"
    return Status.SCORED, ""
