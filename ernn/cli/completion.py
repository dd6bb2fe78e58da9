"""Shell completion: commands and their options, as a script for bash or zsh."""

import argparse
import sys
from collections.abc import Mapping, Sequence

from ernn.arguments import Parser

_SCRIPT = """\
_ernn() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}"
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "{commands}" -- "$word"))
        return
    fi
    local options=""
    case "${{COMP_WORDS[1]}}" in
{cases}
    esac
    if [[ "$word" == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$word"))
    else
        COMPREPLY=($(compgen -f -- "$word"))
    fi
}}
complete -o filenames -F _ernn ernn
"""
_ZSH = "autoload -U +X bashcompinit && bashcompinit\n"


def script(parsers: Mapping[str, argparse.ArgumentParser], shell: str) -> str:
    """What a shell has to run."""
    cases = []
    for name, parser in parsers.items():
        options = [each for action in parser._actions for each in action.option_strings if each.startswith("--")]
        cases.append(f'        {name}) options="{" ".join(options)}" ;;')
    commands = " ".join([*parsers, "report", "completion"])
    return (_ZSH if shell == "zsh" else "") + _SCRIPT.format(commands=commands, cases="\n".join(cases))


def main(parsers: Mapping[str, argparse.ArgumentParser], words: Sequence[str]) -> int:
    """Print the script of a shell."""
    parser = Parser(prog="ernn completion", description=__doc__)
    parser.add_argument("shell", choices=("bash", "zsh"))
    sys.stdout.write(script(parsers, parser.parse_args(words).shell))
    return 0
