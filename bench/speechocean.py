"""The corpus speechocean762 as its authors distribute it, read as a Kaldi corpus with phones.

There, `train` and `test` are Kaldi data folders whose `text` holds words, and `resource/text-phone` has the phones of
each word on a line of its own, `UTTERANCE.NUMBER phones`.
"""

from collections import defaultdict
from pathlib import Path

from ernn import artifacts
from ernn.data import tables
from ernn.errors import UserError

LICENCE = (
    "speechocean762 (Zhang et al., arXiv:2104.01378) is 5,000 English utterances of 250 speakers whose mother tongue "
    'is Mandarin, half of them children. Its paper says: "This corpus is allowed to be used freely for commercial and '
    'non-commercial purposes"; the data card of its authors says Apache-2.0. None of its audio is in this repository.'
)
_PHONES, _OF_SPLIT = Path("resource/text-phone"), "text-phone"


def kaldi_folder(folder: Path, made: Path) -> Path:
    """`folder` where its splits have phones, else `made`: tables with the phones of whole utterances.

    Audio stays in `folder`, which is not changed.

    Raises:
        UserError: tables that do not agree, or lines of another form.
    """
    if (folder / "train" / _OF_SPLIT).exists() or not (folder / _PHONES).exists():
        return folder
    phones = _phones(folder / _PHONES)
    with artifacts.atomic_folder(made) as temporary:
        for split in ("train", "test"):
            audio, speakers = (tables.table(folder / split / name) for name in ("wav.scp", "utt2spk"))
            if missing := sorted(speakers.keys() - phones.keys()):
                raise UserError(f"{folder / _PHONES}: no phones of utterance {missing[0]}; download the corpus again")
            (temporary / split).mkdir()
            files = {name: str((folder / " ".join(line.values)).absolute()) for name, line in audio.items()}
            of_utterances = {
                "wav.scp": files,
                "utt2spk": {name: " ".join(line.values) for name, line in speakers.items()},
                _OF_SPLIT: {name: " ".join(phones[name]) for name in speakers},
            }
            for name, lines in of_utterances.items():
                text = "".join(f"{utterance} {rest}\n" for utterance, rest in lines.items())
                (temporary / split / name).write_text(text, encoding="utf-8")
    return made


def _phones(file: Path) -> dict[str, list[str]]:
    """The phones of every utterance, its words in order."""
    words: dict[str, dict[int, tuple[str, ...]]] = defaultdict(dict)
    for key, line in tables.table(file).items():
        utterance, _, number = key.rpartition(".")
        if not utterance or not number.isdecimal():
            raise UserError(f"{line.where}: not `UTTERANCE.NUMBER phones`; download the corpus again")
        words[utterance][int(number)] = line.values
    return {name: [phone for _, word in sorted(found.items()) for phone in word] for name, found in words.items()}
