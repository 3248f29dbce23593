"""What the page on recording shows is what the command line prints, but for times and numbers."""

from __future__ import annotations

import re
import shlex
import types
from pathlib import Path

import pytest

from roomkit.cli import main
from tests.test_documentation import PROJECT, blocks, python_blocks

PAGE = PROJECT / "docs" / "recording.md"
CHANGING = re.compile(
    r"\d{4}-\d\d-\d\d|[\d:]{8}\.\d{3}|(?<=run )\S+|\d+(?=  )|(?<=step )\d+|[\d.]+$"
)


def masked(text: str) -> list[str]:
    """Return lines in which what changes from run to run is the same, in order but for counts."""
    lines = [re.sub(r" +", " ", CHANGING.sub("N", line)) for line in text.splitlines()]
    counts = sorted(line for line in lines if line.startswith(" N "))
    return [line for line in lines if not line.startswith(" N ")] + counts


def test_the_page_shows_what_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    page = types.ModuleType("page")
    for block in python_blocks(PAGE):
        exec(block.text, page.__dict__)
    shown = [block.text for block in blocks(PAGE) if block.text.startswith("$ roomkit")]
    assert len(shown) == 3
    for text in shown:
        command, _, output = text.partition("\n")
        capsys.readouterr()
        assert main(shlex.split(command)[2:]) == 0
        assert masked(capsys.readouterr().out) == masked(output), command


@pytest.mark.parametrize("command", ["replay", "explain"])
def test_the_reference_names_every_argument(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    options = set(re.findall(r"--\w+", capsys.readouterr().out)) - {"--help"}
    reference = (PROJECT / "docs/reference/cli.md").read_text(encoding="utf-8")
    assert {option for option in options if f"`{option}`" not in reference} == set()
