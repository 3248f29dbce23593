"""The benchmarks work: every workload, small and once, with real servers and sockets."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks.report.page import told, write
from benchmarks.report.results import Results
from benchmarks.suite import WORKLOADS

PROJECT = Path(__file__).resolve().parents[2]

COUNTED = {
    **dict.fromkeys(("W1", "W2", "W3", "W6", "W7", "W9"), "copies"),
    **dict.fromkeys(("W4", "W5"), "joins"),
    "W8": "resume_count",
    "rooms": "messages_10",
    "members": "messages_20",
}

pytestmark = [
    pytest.mark.socket,
    pytest.mark.timeout(300),  # many servers start, one after the other
    pytest.mark.skipif(sys.platform != "linux", reason="the load stands on epoll and /proc"),
]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """What the suite found, run as people run it; in a process of its own, since it pins itself."""
    file = tmp_path_factory.mktemp("bench") / "figures.json"
    only = [argument for name in WORKLOADS for argument in ("--only", name)]
    command = [sys.executable, "-m", "benchmarks.run", "--quick", *only, "--json", str(file)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return Results(json.loads(file.read_text()))


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_workload_counts_something_on_everybody_it_asks(results: Results, name: str) -> None:
    assert results.missing(name) == {}
    found = results.contenders(name)
    assert list(found) == list(WORKLOADS[name].quick)
    assert [who for who, figures in found.items() if figures[COUNTED[name]] <= 0] == []


@pytest.mark.parametrize("name", [name for name in WORKLOADS if name in ("W1", "W3", "W6", "W9")])
def test_no_copy_is_lost(results: Results, name: str) -> None:
    lost = {who: figures["lost"] for who, figures in results.contenders(name).items()}
    assert lost == dict.fromkeys(lost, 0)


def test_the_files_of_the_page_are_all_made(results: Results, tmp_path: Path) -> None:
    write(results, tmp_path)
    page = (PROJECT / "docs/performance.md").read_text(encoding="utf-8")
    wanted = set(re.findall(r"assets/performance/([\w.]+)", page))
    made = {path.name for path in tmp_path.iterdir()}
    assert wanted == made


@pytest.mark.parametrize("part", ["storm", "exodus"])
def test_everybody_comes_back_from_a_small_storm(part: str, tmp_path: Path) -> None:
    """The parts judge themselves, and end with an error when somebody does not."""
    file = tmp_path / "figures.json"
    command = [
        sys.executable,
        "-m",
        "benchmarks.run",
        "--quick",
        "--only",
        part,
        "--json",
        str(file),
    ]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(file.read_text())[part]["joins_per_s"] > 0


def test_two_nodes_bring_copies_to_each_other(results: Results, tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    parts = ["--only", "cluster", "--only", "appending"]
    command = [sys.executable, "-m", "benchmarks.run", "--quick", *parts, "--json", str(file)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(file.read_text())
    for contender in ("roomkit, websockets", "roomkit, uvicorn"):
        figures = found["cluster"][contender]
        assert (figures["lost"], figures["lost_when_full"]) == (0, 0)
        assert figures["copies_per_s"] > 0 < figures["p99_ms"]
    assert all(figures["append_per_s"] > 0 for figures in found["appending"].values())

    write(results, tmp_path)
    before = (tmp_path / "W1.md").read_text()
    assert "Not measured" in (tmp_path / "nodes.md").read_text()
    write(Results(found), tmp_path)
    assert (tmp_path / "W1.md").read_text() == before
    kept = json.loads((tmp_path / "figures.json").read_text())
    assert (kept["cluster"], kept["workloads"]) == (found["cluster"], results.all["workloads"])
    assert "| appends by bare scripts, batches of 16 |" in (tmp_path / "nodes.md").read_text()


def test_whoever_is_missing_is_named_with_the_reason(results: Results) -> None:
    missing: Mapping[str, object] = {
        "title": "nobody", "contenders": {}, "absent": {"NATS": "there is no nats-server"},
        "failed": {"mosquitto": "it ended"},
    }  # fmt: skip
    said = told(Results({**results.all, "workloads": {"W1": missing}}))
    assert "* NATS is not here: there is no nats-server" in said
    assert "* mosquitto is not here: failed: it ended" in said


def test_what_was_not_measured_is_neither_met_nor_missed(results: Results) -> None:
    said = told(Results({**results.all, "workloads": {}}))
    assert "| ≤\N{NO-BREAK SPACE}1.25 | not\N{NO-BREAK SPACE}measured |  |  |" in said
