"""Each package says what it offers, offers what it says, and asks for no more than it needs."""

import importlib
import pkgutil
import subprocess
import sys
from inspect import isclass, isfunction
from types import ModuleType

import pytest

import roomkit

ADAPTERS = {
    "roomkit_starlette": ("starlette", "starlette"),
    "roomkit_zestapi": ("zestapi", "zestapi"),
    "roomkit_websockets": ("websockets", "websockets"),
}


def packages() -> list[str]:
    inside = [
        module.name
        for module in pkgutil.walk_packages(roomkit.__path__, "roomkit.")
        if module.ispkg and not any(part.startswith("_") for part in module.name.split("."))
    ]
    return ["roomkit", *inside, *ADAPTERS]


def run(program: str) -> str:
    """What a Python program prints, in an interpreter that has imported nothing yet."""
    finished = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return finished.stdout.strip()


@pytest.mark.parametrize("name", packages())
def test_a_package_offers_what_it_says(name: str) -> None:
    package = importlib.import_module(name)
    offered: list[str] = package.__all__
    assert len(set(offered)) == len(offered)
    assert [entry for entry in offered if not hasattr(package, entry)] == []
    modules = [entry for entry in offered if isinstance(getattr(package, entry), ModuleType)]
    assert [entry for entry in offered if entry.startswith("_")] == modules == []


@pytest.mark.parametrize("name", packages())
def test_every_offered_class_and_function_is_documented(name: str) -> None:
    package = importlib.import_module(name)
    offered = {entry: getattr(package, entry) for entry in package.__all__}
    silent = [
        entry
        for entry, value in offered.items()
        if (isclass(value) or isfunction(value)) and not value.__doc__
    ]
    assert silent == []


def test_importing_roomkit_brings_no_framework_and_no_test_library() -> None:
    heavy = ["fastapi", "hypothesis", "pytest", "starlette", "uvicorn", "websockets", "zestapi"]
    program = f"import sys, roomkit; print([name for name in {heavy} if name in sys.modules])"
    assert run(program) == "[]"


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_an_adapter_without_its_framework_names_the_extra_to_install(adapter: str) -> None:
    framework, extra = ADAPTERS[adapter]
    program = f"""
import sys
sys.modules["{framework}"] = None
try:
    import {adapter}
except ImportError as error:
    print(error)
"""
    told = run(program)
    assert "pip install" in told
    assert f"roomkit-chat[{extra}]" in told
