"""The pictures in docs/images are those of today's screens, of today's model, and small."""

from __future__ import annotations

import pytest

from gptoss_tui.models.bundled import demo_checkpoint
from tests.docs.pictures import recording
from tests.docs.pictures.cells import Grid
from tests.docs.pictures.gallery import COMMAND, IMAGES, PICTURES, Picture, png_line, screen_text, shoot_all

RENEW = f"docs/images is not what the program draws now. To make the pictures anew: {COMMAND}"
MOST_BYTES = 1_500_000


@pytest.fixture(scope="module")
def screens() -> dict[str, Grid]:
    """What the program draws now."""
    return shoot_all(recording.load())


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_shows_what_the_program_draws_now(picture: Picture, screens: dict[str, Grid]) -> None:
    drawn = screen_text(screens[picture.name])
    kept = picture.text.read_text(encoding="utf-8")
    rows, _, last = kept.removesuffix("\n").rpartition("\n")
    # Rows first: how they differ tells more than that two digests do.
    assert rows.split("\n")[:-1] == drawn.split("\n")[:-2], RENEW
    assert f"{rows}\n" == drawn, f"The same text in other colours. {RENEW}"
    assert f"{last}\n" == png_line(picture), f"{picture.png.name} and {picture.text.name} are of two times. {RENEW}"


def test_the_conversation_was_recorded_with_the_bundled_model() -> None:
    assert recording.load().model == recording.model_digest(demo_checkpoint()), RENEW


def test_there_is_no_picture_that_nothing_makes_and_all_are_small() -> None:
    made = {path for picture in PICTURES for path in (picture.png, picture.text)}
    assert set(IMAGES.iterdir()) == made, RENEW
    assert sum(path.stat().st_size for path in made) < MOST_BYTES
