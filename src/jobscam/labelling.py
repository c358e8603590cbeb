"""Tasks for Label Studio: its import JSON, and the labelling interface that goes with it.

Places are counted in code points, as Label Studio does since 1.4 and Python always. Ads drawn at random carry no prediction:
an estimate is honest only if who labels does not see what the model thinks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from jobscam import scored
from jobscam.posting import Posting
from jobscam.queue import RANDOM, REASON
from jobscam.scoring import postings_of
from jobscam.values import Sign

if TYPE_CHECKING:
    import pandas as pd

    from jobscam.scoring import Scorer

AD = "jobscam_ad"
CONFIG = """<View>
  <Style>.htx-text { white-space: pre-wrap; }</Style>
  <Labels name="evidence" toName="ad">
    <Label value="risk" background="#d62728"/>
    <Label value="safety" background="#2ca02c"/>
  </Labels>
  <Text name="ad" value="$jobscam_ad" valueType="text"/>
  <Choices name="label" toName="ad" choice="single-radio" showInline="true" required="true">
    <Choice value="scam"/>
    <Choice value="legit"/>
    <Choice value="unsure"/>
  </Choices>
  <TextArea name="note" toName="ad" placeholder="What makes it a lure, or honest?" maxSubmissions="1"/>
</View>
"""
"""The labelling interface: one choice for the ad, places of evidence, and a note."""


def tasks(frame: pd.DataFrame, scorer: Scorer, overrides: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
    """Tasks of a queue, in its order.

    Parameters
    ----------
    frame : DataFrame
        What :func:`jobscam.queue.select` returns.
    scorer : Scorer
        Finds the evidence again: a table keeps its names, not its places. Probabilities are those of the table.
    overrides : mapping of str to str, optional
        Posting field to column.

    Yields
    ------
    dict
        `data` with all columns and the text of the ad (``jobscam_ad``), `predictions` with probability and evidence.
    """
    columns = {str(name): scored.texts(frame, name) for name in frame.columns if str(name).strip()}
    probabilities = scored.numbers(frame, scored.PROBABILITY).tolist()
    for i, posting in enumerate(postings_of(frame, overrides)):
        data = {name: values[i] for name, values in columns.items()} | {AD: posting.laid_out()}
        task: dict[str, Any] = {"data": data}
        if columns[REASON][i] != RANDOM and columns[scored.PROBABILITY][i]:
            result = list(_regions(posting, scorer))
            task["predictions"] = [{"model_version": columns[scored.MODEL][i], "score": probabilities[i], "result": result}]
        yield task


def _regions(posting: Posting, scorer: Scorer) -> Iterator[dict[str, Any]]:
    found = scorer.assess(posting)
    text = found.document.text.original
    number = 0
    for item in found.evidence:
        sign = scorer.knowledge.indicators[item.indicator].sign
        for span in item.spans if sign is not Sign.CONTEXT else ():
            first, _ = found.document.field_range(span.field) or (0, 0)
            start, end = first + span.start, first + span.end
            number += 1
            yield {
                "id": f"e{number}",
                "from_name": "evidence",
                "to_name": "ad",
                "type": "labels",
                "value": {"start": start, "end": end, "text": text[start:end], "labels": [sign.value]},
                "meta": {"text": [item.indicator]},
            }
