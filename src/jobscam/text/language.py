"""Which language an ad is written in: a stop-word profile for the clear cases, langdetect for the rest."""

from __future__ import annotations

from collections import Counter
from typing import Any

from jobscam.knowledge import Knowledge

_ENOUGH_WORDS = 12
_CLEAR_SHARE = 0.08
_MAX_WORDS = 600
_DEBRIS_KNOWN = 0.2
# What a word may belong to.
_ID, _EN, _MS, _KNOWN = 1, 2, 4, 8


class LanguageProfile:
    """Decides between Indonesian, English, a mixture, Malay and other languages.

    Stop words cost nothing beside the tokens that are there anyway; langdetect (500 ads a second) is asked only when
    they say too little, with a fixed seed so that the answer is always the same. It knows no Malay, so Malay is told
    from Indonesian by its own words only.
    """

    def __init__(self, knowledge: Knowledge) -> None:
        profiles = knowledge.profiles
        indonesian = profiles["id"].stopwords
        english = profiles["en"].stopwords
        malay = profiles["ms"].stopwords if "ms" in profiles else frozenset[str]()
        known = {w for form in knowledge.forms for slot in form.slots for a in slot for w in a.split()}
        groups = (
            (_ID | _KNOWN, indonesian - english),
            (_EN | _KNOWN, english - indonesian),
            (_MS, malay - indonesian - english),
            (_KNOWN, known),
        )
        self._groups: dict[str, int] = {}
        for group, members in groups:
            for word in members:
                self._groups[word] = self._groups.get(word, 0) | group

    def identify(self, words: list[str], text: str) -> tuple[str, float, float]:
        """Language, confidence (0-1), and the share of words known to the profiles and phrases.

        Parameters
        ----------
        words : list of str
            Normalised words of the text.
        text : str
            The normalised text, for langdetect.
        """
        sample = words[:_MAX_WORDS]
        if not sample:
            return "other", 0.0, 0.0
        counts = Counter(map(self._groups.get, sample))
        n = len(sample)
        hits_id, hits_en, hits_ms, hits_known = (
            sum(count for found, count in counts.items() if found and found & group) for group in (_ID, _EN, _MS, _KNOWN)
        )
        known = hits_known / n
        total = hits_id + hits_en
        clear = total >= 2 and total / n >= _CLEAR_SHARE
        if hits_ms >= 2 and hits_ms * 4 >= hits_id:
            return "ms", min(1.0, hits_ms / (hits_ms + 1.0)), known
        if clear:
            share = hits_id / total
            if 0.3 <= share <= 0.7 and total >= 4:
                return "mixed", 1.0 - abs(share - 0.5), known
            return ("id", share, known) if share > 0.5 else ("en", 1.0 - share, known)
        if known >= 0.45:
            return ("id" if hits_id >= hits_en else "en"), 0.5, known
        guess, confidence = _langdetect(text)
        if n < _ENOUGH_WORDS and known >= 0.25 and guess not in ("id", "en"):
            return ("id" if hits_id >= hits_en else "en"), 0.4, known
        if guess in ("id", "en"):
            return guess, confidence, known
        # langdetect names Tagalog, Swahili, Somali and many more for posters full of names, numbers and OCR debris.
        if known >= _DEBRIS_KNOWN:
            return ("id" if hits_id >= hits_en else "en"), 0.4, known
        return "other", confidence, known


def _langdetect(text: str) -> tuple[str, float]:
    from langdetect.lang_detect_exception import LangDetectException

    try:
        detector = _detector()
        detector.append(text[:2000])
        best = detector.get_probabilities()[0]
    except LangDetectException:
        return "other", 0.0
    return str(best.lang), float(best.prob)


def _detector() -> Any:
    """A seeded detector of langdetect that does its inner loops at once: the same figures in less time.

    The library multiplies the probabilities of all languages by those of one n-gram after the other, and looks at them after
    every fifth. Here n-grams are noted, and multiplied together, in the same order, when the probabilities are looked at.
    """
    import numpy as np
    from langdetect import detector_factory
    from langdetect.detector import Detector

    class Quick(Detector):
        def _extract_ngrams(self) -> Any:
            found = super()._extract_ngrams()
            self._rows = {word: row for row, word in enumerate(dict.fromkeys(found))}
            self._profile = np.array([self.word_lang_prob_map[word] for word in self._rows])
            return found

        def _init_probability(self) -> Any:
            self._noted: list[int] = []
            self._factors: Any = None  # of the n-grams, for one trial
            return np.array(super()._init_probability())

        def _update_lang_prob(self, prob: Any, word: str, alpha: float) -> bool:
            if self._factors is None:
                self._factors = list(self._profile + alpha / self.BASE_FREQ)
            self._noted.append(self._rows[word])
            return True

        def _normalize_prob(self, prob: Any) -> float:
            np.multiply.reduce([prob, *map(self._factors.__getitem__, self._noted)], axis=0, out=prob)
            self._noted.clear()
            values = prob.tolist()
            total = sum(values)
            prob /= total
            return float(max(values) / total)

    detector_factory.init_factory()
    detector = Quick(detector_factory._factory)
    detector.seed = 0
    return detector
