"""Sentences from a small grammar of one's own: thousands of them, and none shared between splits."""

import re
import zlib
from collections.abc import Iterator
from typing import Literal

import numpy as np

from ernn.data import vocabulary

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")

# Rules in capitals: alternatives parted by |; a word in capitals is another rule or a word list.
_RULES = {
    "SENTENCE": "CLAUSE TAIL. | CLAUSE, LINK CLAUSE. | CLAUSE TAIL. | WISH TAIL. | QUESTION TAIL? | COMMAND."
    " | OPENING CLAUSE.",
    "CLAUSE": "SUBJECT TRANSITIVE OBJECT | SUBJECT INTRANSITIVE PREPOSITIONS OBJECT | SUBJECT ADVERBS TRANSITIVE OBJECT"
    " | ARTICLE NOUNS was ADJECTIVES and ADJECTIVES | the PLURALS were ADJECTIVES"
    " | NUMBERS PLURALS INTRANSITIVE ADVERBS | OBJECT INTRANSITIVE ADVERBS",
    "WISH": "SUBJECT will INFINITIVES OBJECT | SUBJECT could not INFINITIVES OBJECT"
    " | SUBJECT used to INFINITIVES OBJECT",
    "QUESTION": "did SUBJECT INFINITIVES OBJECT | can you INFINITIVES OBJECT | why should we INFINITIVES OBJECT"
    " | who TRANSITIVE OBJECT | where does SUBJECT INFINITIVES OBJECT",
    "COMMAND": "please INFINITIVES OBJECT PREPOSITIONS OBJECT | never INFINITIVES OBJECT PREPOSITIONS OBJECT"
    " | let us INFINITIVES OBJECT and INFINITIVES OBJECT",
    "OPENING": "yesterday | in PLACES | this morning | at MOMENT | last year | once upon a time",
    "TAIL": "PREPOSITIONS OBJECT | in PLACES | at MOMENT | ADVERBS | with NUMBERS PLURALS | on PEOPLE's NOUNS",
    "MOMENT": "noon | midnight | NUMBERS o'clock | sunrise | the usual hour",
    "LINK": "and | but | because | while | although | so",
    "SUBJECT": "PEOPLE | PEOPLE | she | he | they | we | OBJECT | the NOUNS | PEOPLE and PEOPLE",
    "OBJECT": "ARTICLE NOUNS | ARTICLE ADJECTIVES NOUNS | NUMBERS PLURALS | NUMBERS ADJECTIVES PLURALS | the PLURALS"
    " | PEOPLE's ADJECTIVES NOUNS",
    "ARTICLE": "the | the | my | your | his | her | our | their | this | that | every | another",
}
_CHOICES = {name: [choice.strip() for choice in rule.split("|")] for name, rule in _RULES.items()}
_CHOICES |= {name: text.split() for name, text in vars(vocabulary).items() if name.isupper()}
_NAME = re.compile(r"[A-Z]{4,}")
_SHARE: dict[Split, frozenset[int]] = {
    "train": frozenset(range(4, 8)),
    "dev": frozenset({3}),
    "test": frozenset(range(3)),
}


def sentence(rng: np.random.Generator) -> str:
    """One sentence, capitalised and punctuated."""
    text = "SENTENCE"
    while match := _NAME.search(text):
        choices = _CHOICES[match[0]]
        text = text[: match.start()] + choices[rng.integers(len(choices))] + text[match.end() :]
    return text[0].upper() + text[1:]


def split_of(text: str) -> Split:
    """The one split in which a sentence may stand: a matter of its checksum, so never of how many are drawn."""
    share = zlib.crc32(text.encode()) % 8
    return next(split for split, shares in _SHARE.items() if share in shares)


def sentences(split: Split, seed: int) -> Iterator[str]:
    """Distinct sentences of one split, without end, the same for the same seed."""
    rng = np.random.default_rng([seed, SPLITS.index(split)])
    seen: set[str] = set()
    while True:
        text = sentence(rng)
        if split_of(text) == split and text not in seen:
            seen.add(text)
            yield text
