"""The errors a caller may catch. Each message says what was found, where, and what to do."""

from __future__ import annotations


class JobscamError(Exception):
    """Base of every error that jobscam raises on purpose."""


class InputError(JobscamError, ValueError):
    """The input as a whole cannot be used (missing file, no text column, unreadable table).

    A ValueError as well, which is what scikit-learn, pandas and spaCy look for.
    """


class KnowledgeError(JobscamError):
    """A knowledge file breaks its schema; the message starts with file and line."""

    def __init__(self, file: str, line: int, problem: str) -> None:
        super().__init__(f"{file}, line {line}: {problem}")
        self.file = file
        self.line = line
        self.problem = problem

    def __reduce__(self) -> tuple[type[KnowledgeError], tuple[str, int, str]]:
        return KnowledgeError, (self.file, self.line, self.problem)  # workers send it to the process that started them


class ArtifactError(JobscamError):
    """A model artifact is missing, damaged, or of a schema this version cannot read."""


class OutputError(JobscamError):
    """What was to be written cannot be: the disk is full, or a limit of the system is reached."""
