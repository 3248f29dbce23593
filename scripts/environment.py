"""Makes the virtual environment beside the project and installs what one script needs into it.

Run by environment.sh as `python scripts/environment.py WHAT`, with any Python 3.11 or newer.

What is installed is stamped with a digest of pyproject.toml, so a second run does nothing until
that file changes. An environment is marked incomplete while pip works on it; one found so (an
interrupted run), or that no longer starts, is made anew. Scripts started together wait for each
other.
"""

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
ENVIRONMENT = PROJECT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
INCOMPLETE = ENVIRONMENT / ".incomplete"

REQUIREMENTS = {
    "demo": ["--editable", ".[zestapi,serve]"],
    "test": ["--editable", ".[all]", "--group", "test"],
    "check": ["--editable", ".[all]", "--group", "check"],
    "bench": ["--editable", ".[all]", "--group", "bench"],
    "package": ["build>=1.2"],
    "docs": ["--editable", ".[all]", "--group", "docs"],
}

# Dependency groups (`pip install --group`) came with this version.
OLDEST_PIP = (25, 1)


def say(message: str) -> None:
    print(f"roomkit: {message}", file=sys.stderr, flush=True)


def starts() -> bool:
    """Whether the environment is whole and runs a Python new enough, with a pip."""
    if INCOMPLETE.exists() or not PYTHON.exists():
        return False
    probe = "import pip, sys; sys.exit(sys.version_info < (3, 11))"
    probed = subprocess.run([PYTHON, "-c", probe], check=False, capture_output=True)
    return probed.returncode == 0


def create() -> None:
    say(f"making .venv with Python {sys.version.split()[0]}")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", ENVIRONMENT], check=False)
    if made.returncode:
        sys.exit(
            "roomkit: .venv could not be made. Debian and Ubuntu keep the venv module in a package "
            "of its own: apt-get install python3-venv. Then run this again."
        )


def install(*arguments: str) -> None:
    """Run pip, naming each package as it is collected; its whole output only if it fails.

    Raises:
        SystemExit: pip failed.
    """
    command = [str(PYTHON), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    output: list[str] = []
    with subprocess.Popen(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            output.append(line)
            if line.startswith("Collecting "):
                print(f"  {line.split()[1]}", file=sys.stderr, flush=True)
            elif line.startswith("Installing collected packages"):
                print("  installing", file=sys.stderr, flush=True)
    if pip.returncode:
        sys.stderr.writelines(output)
        sys.exit(
            "roomkit: pip could not install what is needed (above); fix it and run this again."
        )


def pip_version() -> tuple[int, ...]:
    printed = subprocess.run(
        [PYTHON, "-c", "import pip; print(pip.__version__)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(int(part) for part in printed.stdout.split(".")[:2])


def prepare(what: str) -> None:
    """Leave `.venv` holding the requirements called `what`; see REQUIREMENTS."""
    stamp = ENVIRONMENT / f".prepared-{what}"
    # An environment names its own place, so a moved checkout needs a new install.
    pyproject = (PROJECT / "pyproject.toml").read_bytes()
    digest = hashlib.sha256(pyproject + str(PROJECT).encode()).hexdigest()
    if not starts():
        create()
    elif stamp.exists() and stamp.read_text() == digest:
        return
    INCOMPLETE.touch()
    if pip_version() < OLDEST_PIP:
        say("upgrading pip")
        install("--upgrade", "pip")
    say(f"installing what `{what}` needs (a minute or two the first time)")
    install(*REQUIREMENTS[what])
    INCOMPLETE.unlink()
    stamp.write_text(digest)


def main() -> None:
    with (PROJECT / ".venv.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another script that is setting up")
            fcntl.flock(lock, fcntl.LOCK_EX)
        prepare(sys.argv[1])


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
