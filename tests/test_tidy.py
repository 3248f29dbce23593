"""The repository keeps its own house rules: size, names, docstrings, reasons, scripts."""

import ast
import io
import os
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
PACKAGES = [PROJECT / "src/roomkit", *sorted((PROJECT / "adapters").glob("roomkit_*"))]
LIBRARY = sorted(path for package in PACKAGES for path in package.rglob("*.py"))
TESTS = sorted((PROJECT / "tests").rglob("*.py"))
PYTHON = [
    *LIBRARY,
    *TESTS,
    *sorted(
        path
        for folder in ("benchmarks", "docs", "examples", "scripts")
        for path in (PROJECT / folder).rglob("*.py")
    ),
]
WRITTEN_BY_HAND = {".py", ".md", ".toml", ".yml", ".js", ".css", ".html", ".sh", ".txt", ".svg", ""}
GENERATED = {".git", ".venv", "site", "dist", "build", "__pycache__"}

# Folders of tests that prove something across the tree, and where that something lives.
CROSS_CUTTING = {
    "adapters": "adapters",
    "benchmarks": "benchmarks",
    "browser": "examples/websocket-chat",
    "cluster": "src/roomkit/stores",
    "crash": "src/roomkit/stores",
    "examples": "examples",
    "network": "src/roomkit/client",
    "property": "src/roomkit/core",
    "scripts": "src/roomkit/core",
    "soak": "adapters",
}
ABOUT_THE_REPOSITORY = {"documentation", "exports", "tidy"}


def name_of(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def each(paths: list[Path]) -> pytest.MarkDecorator:
    """Run a test once per file, named by its place in the project."""
    return pytest.mark.parametrize("path", paths, ids=name_of)


def written_files() -> list[Path]:
    """Every text file somebody wrote; nothing installed, built or cached."""
    found: list[Path] = []
    for folder, subfolders, names in os.walk(PROJECT):
        subfolders[:] = [
            name
            for name in subfolders
            if name not in GENERATED and (name == ".ci" or not name.startswith("."))
        ]
        found += [Path(folder, name) for name in names if Path(name).suffix in WRITTEN_BY_HAND]
    return sorted(found)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def comments(source: str) -> Iterator[tuple[int, str]]:
    """The (line, text) of each comment, and of nothing that only looks like one."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


@each(LIBRARY)
def test_a_file_is_at_most_350_lines(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= 350


@each(LIBRARY)
def test_a_function_is_at_most_60_lines(path: Path) -> None:
    lengths = {
        function.name: (function.end_lineno or 0) - function.lineno + 1
        for function in functions(ast.parse(path.read_bytes()))
    }
    assert {name: lines for name, lines in lengths.items() if lines > 60} == {}


@each(PYTHON)
def test_a_module_says_what_lives_in_it(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_bytes()))


@each(LIBRARY)
def test_a_name_says_what_the_thing_is(path: Path) -> None:
    parts = path.relative_to(PROJECT).with_suffix("").parts
    words = {word for part in parts for word in part.lower().split("_")}
    assert words & {"base2", "common", "helper", "helpers", "manager", "misc", "util", "utils"} == (
        set()
    )


@pytest.mark.parametrize("package", PACKAGES, ids=name_of)
def test_a_package_ships_its_types(package: Path) -> None:
    assert (package / "py.typed").is_file()


@each(PYTHON)
def test_a_silenced_check_has_its_reason(path: Path) -> None:
    """`# type: ignore[code]  # reason`, and the same for noqa, pyright and pragma comments."""
    silencing = re.compile(r"#\s*(type:\s*ignore|noqa|pyright:\s*ignore|pragma:)", re.IGNORECASE)
    with_reason = re.compile(
        r"#[^#]*(\[[\w, -]+\]|:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*|pragma: no cover)\s+(#|-)\s*\w+"
    )
    unexplained = [
        (line, text)
        for line, text in comments(path.read_text(encoding="utf-8"))
        if silencing.match(text) and not with_reason.match(text)
    ]
    assert unexplained == []


@each(PYTHON)
def test_nothing_is_left_for_later(path: Path) -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    source = path.read_text(encoding="utf-8")
    assert [(line, text) for line, text in comments(source) if marks.search(text)] == []


@each(TESTS)
def test_a_test_waits_for_a_thing_and_never_for_a_time(path: Path) -> None:
    """A sleep may pace a loop that looks for something; anywhere else it is a guess."""
    tree = ast.parse(path.read_bytes())
    pacing = {
        id(node)
        for loop in ast.walk(tree)
        if isinstance(loop, ast.While | ast.For | ast.AsyncFor)
        for node in ast.walk(loop)
    }
    guesses = [
        (node.lineno, ast.unparse(node))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and id(node) not in pacing
        and re.fullmatch(r"(time|anyio|asyncio|trio)\.sleep\((?!0\)).*\)", ast.unparse(node))
    ]
    assert guesses == []


@each(TESTS)
def test_a_skipped_test_says_why(path: Path) -> None:
    silent: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Call):
            keywords = {keyword.arg for keyword in node.keywords}
            called = ast.unparse(node.func)
            by_mark = called in ("pytest.mark.skip", "pytest.mark.skipif")
            if (by_mark and "reason" not in keywords) or (
                called == "pytest.skip" and not (node.args or "reason" in keywords)
            ):
                silent.append((node.lineno, ast.unparse(node)))
    assert silent == []


@each(sorted((PROJECT / "tests").rglob("test_*.py")))
def test_a_test_file_mirrors_what_it_tests(path: Path) -> None:
    area = path.relative_to(PROJECT / "tests").parts[0]
    if area == path.name:
        subject = path.stem.removeprefix("test_")
        known = ABOUT_THE_REPOSITORY | {item.stem for item in (PROJECT / "src/roomkit").iterdir()}
        assert subject in known
    else:
        assert (PROJECT / CROSS_CUTTING.get(area, f"src/roomkit/{area}")).is_dir()


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    """No absolute path of somebody's disk, and no address of a package index."""
    roots = "|".join(("home", "Users", "root", "work", "mnt", "opt"))
    hosts = "|".join(("pypi", "files.pythonhosted", "registry.npmjs", "npmjs"))
    foreign = re.compile(
        rf"(?<![\w.:/-])/(?:{roots})/\w|(?<![\w.-])/tmp/\w|\b(?:{hosts})\.(?:org|com)\b"
    )
    found = [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in written_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if foreign.search(line)
    ]
    assert found == []


def commands() -> list[Path]:
    return sorted(path for path in (PROJECT / "scripts").iterdir() if path.suffix == "")


def test_every_script_can_be_run_and_is_explained() -> None:
    explained = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    scripts = [path for path in commands() if path.is_file()]
    assert {path.name for path in scripts} >= {"check", "demo", "docs", "test"}
    assert [path.name for path in scripts if not os.access(path, os.X_OK)] == []
    assert [path.name for path in scripts if f"`scripts/{path.name}" not in explained] == []
    assert os.access(PROJECT / ".ci/run", os.X_OK)


@pytest.mark.parametrize(
    "name",
    ["CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "SECURITY.md", "pyproject.toml"],
)
def test_the_papers_are_in_order(name: str) -> None:
    assert (PROJECT / name).stat().st_size > 0
