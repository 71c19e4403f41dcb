"""Every screen of the console has its pictures, in both themes; `./dev pictures` makes them anew.

Which screens there are is read from console/src/places.ts, so a further one needs no line here.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from browsing import expect, in_the_console
from scene import ADMIN, PASSWORD, Scene, scene
from small_png import size_of, small_png

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "how-to" / "pictures"
PLACES = ROOT / "console" / "src" / "places.ts"
README = ROOT / "README.md"
BEGINS, ENDS = "<!-- pictures, made by ./dev pictures -->", "<!-- end of pictures -->"
CALLED = {
    "sign-in": "Sign in",
    "hold": "A draft that waits, with its findings and evidence",
    "conversation": "A conversation that a person has taken over",
}
"""Where the name of a screen does not say it."""
THEMES = ("light", "dark")
SIZE = (1280, 800)
BYTES_MAX = 1_500_000
MAKING = bool(os.environ.get("MAKE_PICTURES"))
READ_PIXELS = """async (png) => {
  const bitmap = await createImageBitmap(await (await fetch("data:image/png;base64," + png)).blob());
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  const bytes = canvas.getContext("2d").getImageData(0, 0, bitmap.width, bitmap.height).data;
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}"""


def wide_screens() -> list[str]:
    """The screens beside queue and review, as the table of the console names them."""
    table = re.search(r"export const WIDE\b[^=]*= \{(.*?)\};", PLACES.read_text(encoding="utf-8"), re.DOTALL)
    assert table is not None, "places.ts has no table WIDE"
    return re.findall(r"^  (\w+): \{", table[1], re.MULTILINE)


def screens() -> list[str]:
    return ["sign-in", "queue", "hold", "conversation", *wide_screens()]


def shown_in_readme() -> str:
    """The pictures as the README shows them, in the colours of whoever reads it."""
    lines = []
    for screen in screens():
        light, dark = (f"{FOLDER.relative_to(ROOT).as_posix()}/{screen}-{theme}.png" for theme in THEMES)
        lines.append(
            f'<picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">'
            f'<img alt="{CALLED.get(screen, screen.capitalize())}" src="{light}" width="49%"></picture>'
        )
    return "\n".join([BEGINS, *lines, ENDS])


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("scene")) as found:
        yield found


def place_of(screen: str, played: Scene) -> str:
    """Where in the console a screen is."""
    if screen == "queue":
        return "#/"
    return f"#/{screen}" + {"hold": f"/{played.hold}", "conversation": f"/{played.conversation}"}.get(screen, "")


def picture(page: Any) -> bytes:
    """What is on the page, small."""
    page.mouse.move(SIZE[0] - 1, SIZE[1] - 1)
    page.wait_for_timeout(700)  # until nothing moves any more
    blank = page.context.new_page()
    raw = base64.b64decode(
        blank.evaluate(READ_PIXELS, base64.b64encode(page.screenshot(animations="disabled")).decode())
    )
    blank.close()
    return small_png(np.frombuffer(raw, dtype=np.uint8).reshape(SIZE[1], SIZE[0], 4)[:, :, :3])


@pytest.mark.skipif(not MAKING, reason="pictures are made by `./dev pictures`")
@pytest.mark.parametrize("theme", THEMES)
@in_the_console[-1]
def test_pictures_are_made(theme: str, played: Scene, open_tab: Any) -> None:
    FOLDER.mkdir(exist_ok=True)
    tab = open_tab(viewport={"width": SIZE[0], "height": SIZE[1]}, color_scheme=theme)
    page = tab.page
    page.goto(f"{played.url}/console/")
    expect(page.get_by_label("Name")).to_be_focused()
    (FOLDER / f"sign-in-{theme}.png").write_bytes(picture(page))
    tab.forgive(401)  # nobody was signed in
    page.keyboard.type(ADMIN)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    for screen in screens()[1:]:
        page.goto(f"{played.url}/console/{place_of(screen, played)}")
        page.reload()
        expect(page.locator("main h1, main h2").first).to_be_visible()
        expect(page.locator("main").get_by_text("Loading", exact=False)).to_have_count(0)
        (FOLDER / f"{screen}-{theme}.png").write_bytes(picture(page))
    tab.forgive("net::ERR_ABORTED")  # each page is left while what it would need further is still being fetched


@pytest.mark.skipif(not MAKING, reason="pictures are made by `./dev pictures`")
def test_readme_is_made_to_show_them() -> None:
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGINS)
    README.write_text(f"{before}{shown_in_readme()}{rest.partition(ENDS)[2]}", encoding="utf-8")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("screen", screens())
def test_screen_has_its_picture(screen: str, theme: str) -> None:
    path = FOLDER / f"{screen}-{theme}.png"
    assert path.is_file(), f"there is no picture of {screen}: run `./dev pictures`, look at it, and commit it"
    assert size_of(path.read_bytes()) == SIZE


def test_pictures_are_of_screens_and_small() -> None:
    there = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
    assert set(there) == {f"{screen}-{theme}.png" for screen in screens() for theme in THEMES}
    assert sum(there.values()) < BYTES_MAX


def test_readme_shows_every_screen() -> None:
    assert shown_in_readme() in README.read_text(encoding="utf-8"), "run `./dev pictures`"
