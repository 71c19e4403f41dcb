"""The environment that LangGraph runs in: made once beside the checkout's own, so that nothing of it enters our lock.

What both sides use (the HTTP server, the PostgreSQL driver) has our versions there too.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

PINNED = (
    "langgraph==1.2.22",
    "langgraph-checkpoint==4.3.2",
    "langgraph-checkpoint-sqlite==3.1.2",
    "langgraph-checkpoint-postgres==3.2.0",
    "langchain-core==1.7.2",
    "aiosqlite==0.22.1",
    "ormsgpack==1.13.1",
    "orjson==3.13.0",
    "psycopg-pool==3.3.3",
)
LIKE_OURS = ("fastapi", "httptools", "psycopg", "psycopg-binary", "starlette", "uvicorn", "uvloop")


def langgraph_python(folder: Path) -> Path:
    """Make the environment in `folder` unless it is there; returns its Python."""
    wanted = [*PINNED, *(f"{name}=={version(name)}" for name in LIKE_OURS)]
    home = folder / "langgraph-venv"
    stamp = home / ("made-" + hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:16])
    python = home / "bin" / "python"
    if not stamp.exists():
        print("making LangGraph's environment (once)", file=sys.stderr)
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, str(home)], check=True)
        subprocess.run(["uv", "pip", "install", "--quiet", "--python", str(python), *wanted], check=True)
        stamp.touch()
    return python
