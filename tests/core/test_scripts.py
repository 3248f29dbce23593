"""Every script in tests/scripts comes out as it is written; one that cannot be played says why."""

from pathlib import Path

import pytest

from roomkit.testing.script import ScriptError, difference, main, play

SCRIPTS = sorted((Path(__file__).parent.parent / "scripts").glob("*.txt"))

GREETING = """# alice is greeted.
connect alice alice
----
alice <- welcome alice session=s-alice server_time=+0s
"""


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_what_comes_out_is_what_the_script_says(path: Path) -> None:
    found = difference(path)
    if found:
        pytest.fail(found, pytrace=False)


def test_each_script_opens_with_prose() -> None:
    silent = [path.name for path in SCRIPTS if not path.read_text().startswith("# ")]
    assert silent == []


def test_playing_keeps_prose_and_inputs_and_replaces_what_came_out() -> None:
    wrong = GREETING.replace("welcome", "farewell") + "\n# The end.\n"
    assert play(wrong) == GREETING + "\n# The end.\n"


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("connect a a\n", "line 1: put a line ---- after this input: connect a a"),
        ("\nsing\n----\n", "line 2: 'sing' is no verb and no connection; there are: limits, "),
        ("connect a\n----\n", "line 1: name of the user is missing"),
        ("connect a a x=1\n----\n", "line 1: nothing is known of x"),
        ("connect a a node=n7\n----\n", "line 1: 'n7' is no node; there are: n1"),
        ("drop a\n----\n", "line 1: 'a' is no connection"),
        ("advance soon\n----\n", "line 1: 'soon' is no time: write 500ms, 15s or 2m"),
        ("auto perhaps\n----\n", "line 1: 'perhaps' is neither on nor off"),
        (
            "host sing\n----\n",
            "line 1: 'sing' is not one of post, edit, delete, kick, ",
        ),
        ('host post {"room": 1}\n----\n', "line 1: post: Expected `str`, got `int`"),
        ('host post {"room": "L9"}\n----\n', "line 1: no link L9 has been seen yet"),
        ("limits frame_bytes=0\n----\n", "line 1: frame_bytes must be from 1 to 2^53 - 1, not 0"),
        ("node\n----\n\nlimits\n----\n", "line 4: limits come before everything else"),
        ("perform append\n----\n", "line 1: no append waits on n1; what waits: nothing"),
        (
            "auto off\n----\n\nwatch lobby\n----\n\nperform follow as failed\n----\n",
            "line 7: follow cannot end as 'failed'",
        ),
    ],
)
def test_a_script_that_cannot_be_played_says_why(script: str, error: str) -> None:
    with pytest.raises(ScriptError) as raised:
        play(script)
    assert str(raised.value).startswith(error)


def test_the_command_line_shows_what_differs_and_writes_it_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "greeting.txt"
    path.write_text(GREETING.replace("welcome", "farewell"))
    assert main([str(path)]) == 1
    assert "-alice <- farewell alice" in capsys.readouterr().out
    assert main(["--rewrite", str(path)]) == 0
    assert path.read_text() == GREETING
    assert main([str(path)]) == 0
    path.write_text("sing\n----\n")
    assert main(["--rewrite", str(path)]) == 1
    assert "'sing' is no verb" in capsys.readouterr().out
