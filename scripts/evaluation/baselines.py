"""What one would build in an afternoon: each takes training texts and gives scores for others."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from jobscam.corpus import Row

Baseline = Callable[[Sequence[str], Sequence[Row], np.ndarray, np.ndarray, Sequence[str], Sequence[Row]], np.ndarray]

KEYWORDS = re.compile(
    r"tanpa pengalaman|tanpa ijazah|gaji besar|gaji tinggi|tiket (?:gratis|ditanggung)|kamboja|cambodia|myanmar|luar negeri"
    r"|biaya (?:admin|pendaftaran|pelatihan)|transfer|deposit|judi|slot|crypto|telegram|no experience|earn money|work from home"
    r"|easy money|registration fee|processing fee|wire|per week|immediately|urgent|segera|whatsapp"
)


def majority(texts, rows, y, weight, others, other_rows):  # type: ignore[no-untyped-def]
    """The same for all."""
    return np.zeros(len(others))


def keyword_rules(texts, rows, y, weight, others, other_rows):  # type: ignore[no-untyped-def]
    """Number of different warning words out of the lists that everybody shares."""
    return np.array([len(set(KEYWORDS.findall(t))) for t in others], dtype=float)


def tfidf_logistic(texts, rows, y, weight, others, other_rows):  # type: ignore[no-untyped-def]
    """TF-IDF of words 1-2 with logistic regression, balanced."""
    vectoriser = TfidfVectorizer(ngram_range=(1, 2), max_features=50_000, min_df=2, sublinear_tf=True)
    model = LogisticRegression(class_weight="balanced", max_iter=1000)
    model.fit(vectoriser.fit_transform(texts), y, sample_weight=weight)
    return model.decision_function(vectoriser.transform(others))


def tfidf_svm(texts, rows, y, weight, others, other_rows):  # type: ignore[no-untyped-def]
    """Best published recipe: TF-IDF of words 1-2, 50,000 features, sublinear, LinearSVC balanced."""
    vectoriser = TfidfVectorizer(ngram_range=(1, 2), max_features=50_000, min_df=2, sublinear_tf=True)
    model = LinearSVC(class_weight="balanced", random_state=0)
    model.fit(vectoriser.fit_transform(texts), y, sample_weight=weight)
    return model.decision_function(vectoriser.transform(others))


def fasttext_supervised(texts, rows, y, weight, others, other_rows):  # type: ignore[no-untyped-def]
    """FastText supervised, words 1-2 with subwords; one thread, so that it says the same every time."""
    import fasttext

    fasttext.FastText.eprint = lambda *_: None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.txt"
        path.write_text("".join(f"__label__{int(k)} {t}\n" for t, k in zip(texts, y)), encoding="utf-8")
        model = fasttext.train_supervised(
            str(path), epoch=25, lr=0.5, wordNgrams=2, minn=3, maxn=5, bucket=200_000, dim=50, thread=1, seed=0, verbose=0
        )
    out = []
    for text in others:
        found = {label: p for p, label in model.f.predict(text + "\n", 2, 0.0, "strict")}
        out.append(found.get("__label__1", 0.0))
    return np.array(out)


def metadata_trees(texts, rows, y, weight, others, other_rows):  # type: ignore[no-untyped-def]
    """Gradient boosted trees on metadata: which fields are filled, lengths, capitals, digits, exclamation marks."""
    model = HistGradientBoostingClassifier(random_state=0, max_iter=200, learning_rate=0.05)
    model.fit(_metadata(rows), y, sample_weight=weight)
    return model.decision_function(_metadata(other_rows))


_FIELDS = ("title", "company", "company_profile", "requirements", "benefits", "location", "salary", "employment_type",
           "education", "experience", "contact")  # fmt: skip


def _metadata(rows: Sequence[Row]) -> np.ndarray:
    out = []
    for row in rows:
        posting = row.posting
        text = posting.text()
        letters = max(1, sum(c.isalpha() for c in text))
        fields = [getattr(posting, name) for name in _FIELDS]
        out.append(
            [len(f) for f in fields]
            + [len(text), sum(c.isupper() for c in text) / letters, sum(c.isdigit() for c in text) / letters, text.count("!")]
        )
    return np.array(out, dtype=float)


BASELINES: dict[str, Baseline] = {
    "majority": majority,
    "keyword rules": keyword_rules,
    "boosted trees on metadata": metadata_trees,
    "fastText supervised": fasttext_supervised,
    "TF-IDF + logistic regression": tfidf_logistic,
    "TF-IDF + LinearSVC (published recipe)": tfidf_svm,
}
