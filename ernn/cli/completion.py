"""Shell completion: commands, their options, and values where a list has them, as a script for bash or zsh."""

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
    local options="" values=""
    case "${{COMP_WORDS[1]}}" in
{cases}
    esac
    case "${{COMP_WORDS[1]}} ${{COMP_WORDS[COMP_CWORD - 1]}}" in
{values}
    esac
    if [[ -n "$values" ]]; then
        COMPREPLY=($(compgen -W "$values" -- "$word"))
    elif [[ "$word" == -* ]]; then
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
    cases, values = [], ["        'completion completion') values=\"bash zsh\" ;;"]
    for name, parser in parsers.items():
        options = [(each, action) for action in parser._actions for each in action.option_strings if each[:2] == "--"]
        cases.append(f'        {name}) options="{" ".join(each for each, _ in options)}" ;;')
        for each, action in options:
            if action.choices:
                values.append(f"        '{name} {each}') values=\"{' '.join(map(str, action.choices))}\" ;;")
    filled = _SCRIPT.format(
        commands=" ".join([*parsers, "report", "completion"]), cases="\n".join(cases), values="\n".join(values)
    )
    return (_ZSH if shell == "zsh" else "") + filled


def main(parsers: Mapping[str, argparse.ArgumentParser], words: Sequence[str]) -> int:
    """Print the script of a shell."""
    parser = Parser(prog="ernn completion", description=__doc__)
    parser.add_argument("shell", choices=("bash", "zsh"))
    sys.stdout.write(script(parsers, parser.parse_args(words).shell))
    return 0
