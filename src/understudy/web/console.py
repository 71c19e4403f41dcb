"""`/console/`: the files of the web console, built from `console/` when the package is; it knows nothing of what they do."""

from __future__ import annotations

from importlib.resources import files
from pathlib import PurePosixPath

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from understudy.errors import NotFound

router = APIRouter(prefix="/console", include_in_schema=False)

PAGE = files("understudy.web").joinpath("console_page")
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types svelte-trusted-html"
)
NOT_BUILT = (
    "the console was not built into this package: with pip install it again without UNDERSTUDY_SKIP_CONSOLE; "
    "in a checkout run `./dev setup`"
)


def is_built() -> bool:
    """Whether the console's files are there."""
    return PAGE.joinpath("index.html").is_file()


@router.get("")
async def to_page() -> Response:
    """The address without its slash."""
    return RedirectResponse("/console/", status_code=308)


@router.get("/")
async def page() -> Response:
    """The page; what it shows is behind `#` in the address and known to the browser alone."""
    return _file("index.html", kept_s=0)


@router.get("/{name}")
async def page_file(name: str) -> Response:
    """The page's icon and the like."""
    return _file(name, kept_s=0)


@router.get("/assets/{name}")
async def asset(name: str) -> Response:
    """Scripts and styles; their names change with what is in them, so a browser may keep them."""
    return _file(f"assets/{name}", kept_s=31_536_000)


def _file(name: str, *, kept_s: int) -> Response:
    found = PAGE.joinpath(*PurePosixPath(name).parts)
    kind = _TYPES.get(PurePosixPath(name).suffix)
    if ".." in name or kind is None or not found.is_file():
        raise NotFound(NOT_BUILT if not is_built() else f"the console has no file {name!r}")
    headers = {
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": f"max-age={kept_s}, immutable" if kept_s else "no-cache",
    }
    return Response(found.read_bytes(), media_type=f"{kind}; charset=utf-8", headers=headers)
