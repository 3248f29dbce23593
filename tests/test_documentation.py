"""What the README and the documentation show is run, not believed.

The Python blocks of a page are run from top to bottom in one namespace, as a reader would type
them; what stands under `if __name__ == "__main__":` is not started, and functions named `test_…`
are called. A block whose first line is `# app.py` is also served, and people talk through it at
`/ws`.
"""

import inspect
import re
import subprocess
import sys
import textwrap
import types
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from tests.conversation import converse

PROJECT = Path(__file__).resolve().parent.parent
PAPERS = sorted(PROJECT.glob("*.md"))
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]

# A fence, also one indented under a tab or a list: its indentation, language and body.
FENCE = re.compile(r"^([ ]*)```[ ]?(\w+)[^\n]*\n(.*?)^\1```[ ]*$", re.MULTILINE | re.DOTALL)
INCLUDED = re.compile(r'^--8<-- "([^"\n]+)"$', re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block of a page; `line` is that of its first line, from 1."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(PROJECT).as_posix()}:{self.line}"


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            page=page,
            line=text.count("\n", 0, match.start(3)) + 1,
            language=match[2],
            text=INCLUDED.sub(
                lambda included: (PROJECT / included[1]).read_text(encoding="utf-8"),
                textwrap.dedent(match[3]),
            ),
        )
        for match in FENCE.finditer(text)
    ]


def python_blocks(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language == "python"]


def name_of(page: Path) -> str:
    return page.relative_to(PROJECT).as_posix()


@pytest.mark.parametrize("page", [page for page in PAGES if python_blocks(page)], ids=name_of)
def test_the_python_of_a_page_runs(
    page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    module = types.ModuleType("page")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for block in python_blocks(page):
        # Blank lines before it make a traceback name the page's own line.
        code = compile("\n" * (block.line - 1) + block.text, str(page), "exec")
        exec(code, module.__dict__)
    for name, shown in list(vars(module).items()):
        if name.startswith("test_") and inspect.isfunction(shown):
            if inspect.iscoroutinefunction(shown):
                anyio.run(shown)
            else:
                shown()


@contextmanager
def served(block: Block, folder: Path) -> Generator[str]:
    """The block saved as app.py and run as its page says, by uvicorn; gives its WebSocket URL."""
    (folder / "app.py").write_text(block.text, encoding="utf-8")
    command = [sys.executable, "-m", "uvicorn", "app:app", "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            log: list[str] = []
            for line in server.stderr:
                log.append(line)
                if found := re.search(r"running on http://(127\.0\.0\.1:\d+)", line):
                    yield f"ws://{found[1]}/ws"
                    return
            pytest.fail(f"{block} did not start:\n{''.join(log)}")
        finally:
            server.terminate()
            _, rest = server.communicate(timeout=30)
            assert "Traceback" not in rest, rest


@pytest.mark.socket
@pytest.mark.parametrize(
    "block",
    [block for page in PAGES for block in python_blocks(page) if block.text.startswith("# app.py")],
    ids=str,
)
def test_the_application_of_a_page_carries_a_conversation(block: Block, tmp_path: Path) -> None:
    with served(block, tmp_path) as url:
        converse(url)


@pytest.mark.parametrize("page", [*PAPERS, *PAGES[1:]], ids=name_of)
def test_every_script_a_page_names_is_there(page: Path) -> None:
    named = set(re.findall(r"(?<![\w/])(?:scripts|\.ci)/\w+", page.read_text(encoding="utf-8")))
    assert {name for name in named if not (PROJECT / name).exists()} == set()


@pytest.mark.parametrize("page", PAPERS, ids=name_of)
def test_every_link_inside_the_project_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (PROJECT / link).exists()] == []
