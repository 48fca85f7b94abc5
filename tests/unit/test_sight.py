"""Whether a worker may judge the silence of others: not after it could not look for a long while itself."""

from hrims.jobs.rescue.watch import Sight

SILENT = 20.0


def test_who_begins_judges_at_once() -> None:
    assert Sight().is_clear(1000.0, SILENT)


def test_who_looks_every_now_and_then_judges() -> None:
    sight = Sight()
    assert all(sight.is_clear(at, SILENT) for at in (0.0, 5.0, 15.0, 20.0))


def test_who_could_not_look_gives_everybody_the_time_for_a_sign_of_life() -> None:
    sight = Sight()
    sight.is_clear(0.0, SILENT)
    assert [sight.is_clear(at, SILENT) for at in (30.0, 35.0, 42.0, 49.9, 50.0)] == [
        False, False, False, False, True,
    ]  # fmt: skip


def test_who_begins_while_the_database_is_away_gives_them_the_time_too() -> None:
    sight = Sight()
    sight.begin(0.0)
    assert [sight.is_clear(at, SILENT) for at in (15.0, 20.0, 27.0, 34.0, 35.0)] == [
        False, False, False, False, True,
    ]  # fmt: skip
