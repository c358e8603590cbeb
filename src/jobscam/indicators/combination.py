"""What single signs cannot say: the pattern of a lure is a conjunction.

Nearly every ordinary overseas ad carries at least one published indicator (Volodko et al. 2020: 98.4 % of 430), so one
class alone decides nothing. Counted here are the *kinds* of signs that came together.
"""

from __future__ import annotations

from collections.abc import Iterable

from jobscam.values import Evidence

_KINDS: dict[str, tuple[str, ...]] = {
    "place": ("destination_hub", "destination_watch", "undisclosed_destination", "destination_may_change"),
    "pay": (
        "pay_above_occupation",
        "pay_above_peers",
        "pay_above_requirements",
        "pay_above_destination",
        "pay_boast",
        "pay_in_crypto",
        "pay_foreign_currency",
    ),
    "threshold": ("no_requirements", "typing_only", "passport_only", "no_selection"),
    "package": ("all_expenses_paid", "passport_arranged"),
    "route": (
        "tourist_visa_work",
        "papers_after_arrival",
        "coach_immigration",
        "irregular_route",
        "without_agency",
        "transit_route",
    ),
    "employer": ("opaque_employer", "no_licensed_agency", "individual_recruiter", "chat_only_contact", "telegram_contact"),
    "work": ("gambling_work", "scam_work", "crypto_sales_chat", "companion_chat", "vague_online_job"),
    "hurry": ("immediate_departure", "urgency", "bring_friends"),
    "control": ("document_retention", "penalty_for_leaving", "confinement", "wage_deduction_debt", "long_hours"),
}
_FEE = ("upfront_fee", "deposit", "travel_agent_booking", "personal_transfer", "task_deposit", "insider_bribe")
_FEE_SETTING = ("unsolicited_selection", "guaranteed_outcome", "chat_only_contact", "urgency", "personal_transfer",
                "public_name_private_contact", "identity_data_requested", "reassurance", "no_selection",
                "short_link")  # fmt: skip
_PUBLIC_NAME = ("public_name_private_contact", "public_name_no_channel", "public_name_other_address", "lookalike_domain")
_MASS = ("placement_anywhere", "any_education", "no_requirements", "no_duties", "pay_above_occupation", "pay_above_requirements",
         "pay_range_wide", "short_link", "stylised_letters", "identity_data_requested")  # fmt: skip


def find(evidence: Iterable[Evidence], abroad: bool) -> list[Evidence]:
    """What came together, with its spans.

    `lure_pattern` for work abroad, `fee_pattern` where money is asked, `mass_recruitment` where a known name takes anybody.
    """
    by_name = {e.indicator: e for e in evidence}
    out: list[Evidence] = []
    if abroad:
        kinds = {kind: [n for n in names if n in by_name] for kind, names in _KINDS.items()}
        present = [kind for kind, names in kinds.items() if names]
        if len(present) >= 3:
            spans = tuple(by_name[kinds[k][0]].spans[0] for k in present if by_name[kinds[k][0]].spans)
            value = min(2.0, (len(present) - 2) / 2)
            out.append(Evidence("lure_pattern", spans[:5], value, f"kinds={len(present)};which={','.join(present)}"))
    fees = [n for n in _FEE if n in by_name]
    setting = [n for n in _FEE_SETTING if n in by_name and n not in fees]
    if fees and setting:
        spans = tuple(by_name[n].spans[0] for n in (*fees, *setting) if by_name[n].spans)
        out.append(Evidence("fee_pattern", spans[:5], min(2.0, len(fees) * 0.5 + len(setting) * 0.5)))
    names = [n for n in _PUBLIC_NAME if n in by_name]
    anybody = [n for n in _MASS if n in by_name]
    if names and anybody:
        spans = tuple(by_name[n].spans[0] for n in (*names, *anybody) if by_name[n].spans)
        out.append(Evidence("mass_recruitment", spans[:5], min(2.0, len(anybody) * 0.5 + 0.5)))
    return out
