"""The JavaScript client as a package: small modules, no dependencies, types for all of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
CLIENT = PROJECT / "src/roomkit/client/javascript"
MODULES = sorted(CLIENT.glob("*.js"))
TYPES = (CLIENT / "roomkit.d.ts").read_text(encoding="utf-8")
PACKAGE = json.loads((CLIENT / "package.json").read_text(encoding="utf-8"))

COMPILER = shutil.which("tsc")

# What a chat and its rooms call on each other.
INSIDE = {"Chat": {"leave"}, "Room": {"happened", "seen", "end"}}


def name_of(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_a_module_is_at_most_300_lines_and_says_what_it_is(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    assert text.startswith("/**")


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_a_module_imports_its_neighbours_and_nobody_else(module: Path) -> None:
    imported = re.findall(r'(?:from|import\()\s*"([^"]+)"', module.read_text(encoding="utf-8"))
    assert {name for name in imported if not (CLIENT / name).is_file()} == set()
    assert all(name.startswith("./") for name in imported)


def test_the_package_needs_nothing_and_has_the_version_of_the_server() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (PACKAGE["type"], PACKAGE["version"]) == ("module", project["version"])
    assert not [key for key in PACKAGE if key.endswith("ependencies")]


@pytest.mark.parametrize("name", ["Chat", "Room"])
def test_the_types_name_every_member_and_no_other(name: str) -> None:
    code = (CLIENT / f"{name.lower()}.js").read_text(encoding="utf-8")
    written = re.findall(r"^  (?:async |get )?(\w+)\(.*\{$", code, re.MULTILINE)
    (declared,) = re.findall(rf"^export class {name} .*?^}}$", TYPES, re.MULTILINE | re.DOTALL)
    members = set(re.findall(r"^  (?:readonly )?(\w+)[(:]", declared, re.MULTILINE))
    assert members - {"addEventListener"} == set(written) - INSIDE[name] - {"constructor"}


def test_the_types_compile_and_refuse_what_is_wrong(tmp_path: Path) -> None:
    if COMPILER is None:
        pytest.skip("no tsc on the PATH: install the npm package typescript")
    shutil.copytree(CLIENT, tmp_path / "node_modules/roomkit-client")
    shutil.copy(Path(__file__).with_name("uses_types.ts"), tmp_path)
    options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022"]
    libraries = ["--lib", "es2022,dom,dom.iterable"]
    ended = subprocess.run(
        [COMPILER, *options, *libraries, "uses_types.ts"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.stdout, ended.returncode) == ("", 0)


def test_npm_packs_the_modules_and_their_types() -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm here to pack the client with: install Node.js")
    command = [npm, "pack", "--dry-run", "--json", "--offline"]
    packed = json.loads(subprocess.check_output(command, cwd=CLIENT, text=True))
    expected = {*map(name_of, MODULES), "roomkit.d.ts", "package.json", "README.md"}
    assert {file["path"] for file in packed[0]["files"]} == expected
