"""The console command: which command runs, and what a user reads who has no checkout."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ernn import cli
from ernn.explore.options import EXITS, answered
from ernn.program import files
from tests.golden.programs import RandomPrograms

ZSH = "autoload -U +X bashcompinit && bashcompinit\n"  # what zsh needs to run the script of bash


@pytest.fixture
def program(tmp_path):
    """An integer network on disk."""
    path = tmp_path / "program"
    files.save(RandomPrograms(5).program(), path)
    return path


def test_the_commands_are_listed(capsys):
    assert cli.main(["--help"]) == 0
    assert cli.main([]) == 2
    said = capsys.readouterr().out
    assert "explore" in said
    assert "fit" in said


def test_an_unknown_command_is_refused(capsys):
    assert cli.main(["train"]) == 2
    assert capsys.readouterr().err == (
        "ernn: train is no command; there are import, compress, quantize, generate, simulate, synthesize, fit, "
        "explore, report, completion\n"
    )


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_shell_completes_commands_options_and_values(shell, capsys):
    assert cli.main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert script.startswith(ZSH) == (shell == "zsh")

    def completed(*words):
        line = " ".join(f"'{word}'" for word in ("ernn", *words))
        asked = f"COMP_WORDS=({line}); COMP_CWORD={len(words)}; _ernn; printf '%s\n' \"${{COMPREPLY[@]}}\""
        code = f"{script.removeprefix(ZSH)}\n{asked}"
        done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
        return done.stdout.split()

    assert completed("qu") == ["quantize"]
    assert completed("generate", "--dev") == ["--device"]
    assert completed("generate", "--device", "xc7z0") == ["xc7z020"]
    assert completed("quantize", "--transform", "") == ["exact", "fourier"]
    assert completed("completion", "") == ["bash", "zsh"]


def test_generate_says_no_by_its_exit_code(program, tmp_path, capsys):
    words = ["generate", str(program), str(tmp_path / "made"), "--latency-us", "0.01"]
    assert cli.main(words) == 1
    assert " will do: latency: " in capsys.readouterr().err
    assert not (tmp_path / "made").exists()


def test_a_table_of_text_is_no_data(program, tmp_path, capsys):
    (tmp_path / "data.csv").write_text("1,2\n3,4\n")
    assert cli.main(["simulate", str(tmp_path), str(program), "--data", str(tmp_path / "data.csv")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(
        f"ernn simulate: {tmp_path / 'data.csv'}: a .csv file; numpy.save('data.npy', numpy.loadtxt("
    )
    assert said.count("\n") == 1


def test_fit_answers_by_its_exit_code(capsys):
    sizes = ["--cells", "32", "--inputs", "20", "--classes", "8", "--block-size", "4"]
    assert cli.main(["fit", *sizes, "--device", "xc7z020"]) == 0
    assert "us, at 200 MHz (estimate)" in capsys.readouterr().out


def test_an_answer_that_nobody_reads_ends_quietly():
    reading, writing = os.pipe()
    os.close(reading)
    words = [
        sys.executable,
        "-c",
        "from ernn.explore.options import answered\nexit(answered('fit', lambda: (True, ['a'])))",
    ]
    ended = subprocess.run(words, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (128 + signal.SIGPIPE, "")


def test_an_interrupted_answer_is_a_line(capsys):
    def answer():
        raise KeyboardInterrupt

    assert answered("fit", answer) == 128 + signal.SIGINT
    assert capsys.readouterr().err == "fit: interrupted\n"


def broken():
    raise RuntimeError("what nobody expected")


def lost():
    raise OSError(5, "Input/output error")


@pytest.mark.parametrize("answer", [broken, lost])
def test_what_fails_is_no_answer(answer, capsys):
    """Python's own exit code would be 1, which is a no."""
    assert answered("fit", answer) == 3
    said = capsys.readouterr().err
    assert said.startswith("Traceback")
    assert said.endswith("fit: failed, see above: an error of the command itself\n")


def test_an_answer_for_which_a_disk_has_no_space_is_a_line():
    words = [
        sys.executable,
        "-c",
        "from ernn.explore.options import answered\nexit(answered('fit', lambda: (True, ['a'])))",
    ]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "no space left on device" in ended.stderr


SIZES = ["--cells", "16", "--inputs", "12", "--classes", "8", "--block-size", "4"]
BIG = ["--cells", "8192", "--block-size", "1"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["fit", *SIZES, "--device", "xc7z020"], 0),
        (["fit", *BIG, "--device", "xc7z020"], 1),
        (["fit", *BIG], 1),
        (["fit", *SIZES, "--device", "xc7z020", "--share", "0.0001"], 1),
        (["fit", *SIZES, "--largest", "--device", "xc7z020", "--share", "0.0001"], 1),
        (["fit", "--largest"], 2),
        (["fit", "--cells", "0"], 2),
        (["fit", "--clock-mhz", "5000"], 2),
        (["fit", "--clock-mhz", "9"], 2),
        (["fit", "--clock-mhz", "nan"], 2),
        (["fit", "--share", "2"], 2),
        (["fit", "--streams", "65"], 2),
        (["fit", "--bits", "3"], 2),
        (["fit", "--block-size", "3"], 2),
        (["fit", "--device", "none"], 2),
        (["fit", "--cell", "lstm", "--none"], 2),
        (["explore", "--program", "{program}", "--device", "xc7z020", "--clock-mhz", "12"], 0),
        (["explore", "--program", "{program}", "--device", "xc7z020", "--share", "0.0001"], 1),
        (["explore", "--program", "{program}", "--device", "xc7z020", "--frames-per-s", "1e11"], 1),
        (["explore", "--program", "{program}", "--device", "xc7z020", "--clock-mhz", "9"], 2),
        (["explore", "--program", "{program}", "--device", "xc7z020", "--clock-mhz", "5000"], 2),
        (["explore", "--program", "{program}", "--device", "xc7z020", "--latency-us", "0"], 2),
        (["explore", "--program", "{program}", "--device", "xc7z020", "--share", "0"], 2),
        (["explore", "--program", "{program}", "--device", "xc7z020", "--minimise", "per"], 2),
        (["explore", "--program", "{program}", "--device", "xc7z020", "--top", "-1"], 2),
        (["explore", "--program", "{folder}"], 2),
        (["explore", "--program", "/dev/null/none"], 2),
        (["explore", "--program"], 2),
    ],
)
def test_1_is_a_no_and_2_a_mistake_in_what_was_asked(program, tmp_path, words, code, capsys):
    given = [each.format(program=program, folder=tmp_path) for each in words]
    try:
        ended = cli.main(given)
    except SystemExit as left:  # of argparse
        ended = left.code
    out, err = capsys.readouterr()
    assert ended == code, err
    assert (err.count("\n"), bool(out)) == ((1, False) if code == 2 else (0, True))


@pytest.mark.parametrize("words", [["fit"], ["explore", "--program", "x"], ["explore"]])
def test_help_says_what_exit_codes_and_terms_mean(words, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main([*words, "--help"])
    assert left.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert " ".join(EXITS.split()) in said
    assert "array: the multipliers of one layer" in said


def test_a_package_that_is_not_installed_is_no_answer(monkeypatch, capsys):
    def missing(name, words):
        raise ModuleNotFoundError("No module named 'mlflow'", name="mlflow")

    monkeypatch.setattr(cli, "_command", missing)
    assert cli.main(["explore"]) == 2
    assert capsys.readouterr().err == "ernn explore: mlflow is not installed: pip install 'ernn[all]'\n"


@pytest.mark.parametrize(
    ("top", "shown"), [([], 10), (["--top", "3"], 3), (["--top", "0"], None), (["--top", "9999"], None)]
)
def test_the_best_of_the_front_are_shown_and_how_many_there_are(program, capsys, top, shown):
    asked = ["explore", "--program", str(program), "--device", "xc7z020", "--minimise", "lut", *top]
    assert cli.main(asked) == 0
    said = capsys.readouterr().out.splitlines()
    (line,) = [each for each in said if each.startswith("front: ")]
    count = int(line.split()[1])
    assert count > 10
    lines = [each for each in said if each.startswith("front ")]
    assert len(lines) == (count if shown is None else shown)
    assert [int(each.split(":")[0].split()[1]) for each in lines] == [*range(1, len(lines) + 1)]
    tables = [float(each.split("; lut ")[1].split(",")[0]) for each in lines]
    assert tables == sorted(tables)
    assert ("--top 0 shows all" in line) == (len(lines) < count)


def test_outside_a_checkout_trials_need_the_repository(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["explore", "--device", "xc7z020"]) == 2
    assert capsys.readouterr().err.startswith("explore: trials need trainings, and those the repository: run ")


def test_the_hardware_of_a_given_program_is_searched_anywhere(program, capsys):
    assert cli.main(["explore", "--program", str(program), "--device", "xc7z020", "--clock-mhz", "100"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("xc7z020: ")
    assert said[0].endswith("accelerators are covered; all figures are estimates")
    assert said[1].startswith("best 1: ")
    shares = [float(line.split("% of the scarcest")[0].split(";")[-1]) for line in said if line.startswith("best")]
    assert shares == sorted(shares)
    assert np.isfinite(shares).all()


def test_a_requirement_that_no_accelerator_keeps_is_exit_code_1_with_what_binds(program, capsys):
    assert cli.main(["explore", f"--program={program}", "--device", "xc7z020", "--latency-us", "0.01"]) == 1
    assert "none will do: latency: " in capsys.readouterr().out


def test_a_program_that_is_not_there_is_one_line(tmp_path, capsys):
    assert cli.main(["explore", "--program", str(tmp_path / "none"), "--device", "xc7z020"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
