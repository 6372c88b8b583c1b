"""How a song feels by its lines."""

import pytest

pytest.importorskip("vaderSentiment", reason="needs segue[lyrics]")

from models.lyrics.sentiment import sentiment


def test_a_happy_line_is_above_zero_and_a_sad_one_below() -> None:
    felt = sentiment()
    happy, sad = "what a wonderful happy day, I love the sun", "I cry in pain, my broken heart is sad and alone"
    assert felt(happy) > 0.3
    assert felt(sad) < -0.3
    assert felt(f"{happy}\n{sad}") == pytest.approx((felt(happy) + felt(sad)) / 2)
    assert felt("the river by the road") == felt("") == felt("\n \n") == 0.0
