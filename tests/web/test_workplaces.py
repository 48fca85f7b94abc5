"""/dashboard/admin/workplaces: the page, its fragment and its buttons."""

import re

from hrims.access.actor import system
from hrims.db import Connection
from hrims.institutions.workplaces import actions
from tests.web.browsers import Browser
from tests.web.workplaces import HEALTH, HOSPITAL, institution, institution_of, listed, waiting

PATH = "/dashboard/admin/workplaces"


def text(browser: Browser, path: str = PATH) -> str:
    """Return the words of a page, each space single."""
    words = re.sub(r"<[^>]*>", " ", browser.get(path).get_data(as_text=True))
    return re.sub(r"\s+", " ", words)


def test_it_works(officer: Browser, conn: Connection) -> None:
    health, id_ = institution(conn), waiting(conn, "Wizara ya Afya na Ustawi", people=1200)
    listed(conn, id_, health)
    waiting(conn, HOSPITAL, people=1)
    page = text(officer)
    assert "Waiting names 2 Waiting people 1,201" in page
    assert page.index("Ustawi 1,200 people") < page.index(f"{HOSPITAL} 1 person")
    assert "1,200 listed by WIZARA YA AFYA, vote code 001, since run 7" in page
    assert re.search(r"WIZARA YA AFYA vote code 001, TIN 156255890, \d+ % similar", page)
    assert "checked" not in officer.get(PATH).get_data(as_text=True)


def test_nothing_waits(officer: Browser) -> None:
    assert "No waiting names: every" in text(officer)


def test_a_button_maps(officer: Browser, conn: Connection) -> None:
    health, id_ = institution(conn), waiting(conn)
    answer = officer.press(f"{PATH}/{id_}/map?page=2&name=pwani", institution=str(health))
    assert (answer.status_code, answer.location) == (303, f"{PATH}?done={id_}&name=pwani&page=2")
    assert institution_of(conn, id_) == [(HEALTH, 3)]
    page = text(officer, answer.location)
    assert f"“{HOSPITAL}” is mapped to {HEALTH}. 3 people have this workplace." in page
    assert re.search(rf"{HOSPITAL} {HEALTH} 3 asha \d+ \w+ \d+, \d\d:\d\d EAT Remove mapping", page)
    assert conn.execute("SELECT actor, via FROM audit_log WHERE action = 'workplace.map'").fetchall() == [
        ("asha", "page")
    ]


def test_a_persons_time_line_tells_who_moved_them(officer: Browser, conn: Connection) -> None:
    health, id_ = institution(conn), waiting(conn, people=1)
    officer.press(f"{PATH}/{id_}/map", institution=str(health))
    [(person,)] = conn.execute("SELECT id FROM employees").fetchall()
    assert re.search(
        rf"Institution — → {HEALTH}.*asha|asha.*Institution.*{HEALTH}",
        text(officer, f"/dashboard/admin/people/{person}"),
    )
    told = conn.execute("SELECT field, old, new, job_id, requested_by FROM changes_v").fetchall()
    assert told == [("institution", None, HEALTH, None, "asha")]


def test_a_button_registers(administrator: Browser, conn: Connection) -> None:
    id_ = waiting(conn)
    answer = administrator.press(f"{PATH}/{id_}/register", name=HOSPITAL, vote_code="050", tin="")
    assert answer.status_code == 303
    assert institution_of(conn, id_) == [(HOSPITAL, 3)]


def test_a_button_takes_back(officer: Browser, conn: Connection) -> None:
    health, id_ = institution(conn), waiting(conn)
    actions.map_workplace(conn, system("omar"), id_, health)
    assert officer.press(f"{PATH}/{id_}/unmap", institution="4711").status_code == 409
    assert officer.press(f"{PATH}/{id_}/unmap", institution="x").status_code == 400
    assert institution_of(conn, id_) == [(HEALTH, 3)]
    answer = officer.press(f"{PATH}/{id_}/unmap", institution=str(health))
    assert institution_of(conn, id_) == [(None, 3)]
    assert f"“{HOSPITAL}” is no longer mapped: 3 people have no institution." in text(
        officer, answer.location
    )


def test_an_alias_of_which_the_register_gained_the_name_is_pointed_out(
    officer: Browser, conn: Connection
) -> None:
    health, id_ = institution(conn), waiting(conn)
    actions.map_workplace(conn, system("omar"), id_, health)
    assert "with this name" not in text(officer)
    institution(conn, HOSPITAL.upper(), "050", "123456789")
    assert (
        "The register has an institution with this name. If you remove the mapping, its people move there."
        in text(officer)
    )
    answer = officer.press(f"{PATH}/{id_}/unmap", institution=str(health))
    assert f"“{HOSPITAL}” is mapped to {HOSPITAL.upper()}." in text(officer, answer.location)


def test_refusals_are_said_on_the_page_and_nothing_typed_is_lost(
    administrator: Browser, conn: Connection
) -> None:
    health, id_ = institution(conn), waiting(conn)
    answer = administrator.press(f"{PATH}/{id_}/map?find=wizara&workplace={id_}")
    assert answer.status_code == 400
    assert "Choose an institution first. Nothing was changed." in answer.text
    assert "1 institution found" in answer.text
    answer = administrator.press(f"{PATH}/{id_}/register", name="MAABARA", vote_code="001", tin="123456789")
    assert answer.status_code == 409
    assert "Another institution has this vote code. Nothing was changed." in answer.text
    for typed in ("MAABARA", "001", "123456789"):
        assert f'value="{typed}"' in answer.text
    assert "<details open>" in answer.text
    assert administrator.press(f"{PATH}/4711/map", institution=str(health)).status_code == 404
    assert administrator.press(f"{PATH}/x/map", institution=str(health)).status_code == 400
    assert administrator.press(f"{PATH}/{id_}/map", institution="4711").status_code == 404
    assert institution_of(conn, id_) == [(None, 3)]


def test_a_search_finds_institutions_without_script(officer: Browser, conn: Connection) -> None:
    institution(conn)
    institution(conn, "TUME YA UTUMISHI", "037", "129673100")
    id_, other = waiting(conn), waiting(conn, "Bodi")
    page = text(officer, f"{PATH}?workplace={id_}&find=utumishi")
    assert "1 institution found TUME YA UTUMISHI vote code 037" in page
    assert page.count("No similar name on the register") == 1, other
    assert "No institution matches all these words" in text(officer, f"{PATH}?workplace={id_}&find=benki")


def test_the_fragment_is_what_the_page_includes(officer: Browser, conn: Connection) -> None:
    for n in range(25):
        institution(conn, f"SKULI YA {n}", f"9{n:02d}", f"1000000{n:02d}")
    id_ = waiting(conn, "Skuli ya Pwani")
    answer = officer.get(f"{PATH}/{id_}/choices?find=skuli").text
    assert "<html" not in answer
    assert "The 20 most similar of 25 institutions; enter more words to find fewer" in answer
    assert answer.count('type="radio"') == 20
    assert officer.get(f"{PATH}/{id_}/choices").text.count('type="radio"') == 3
    assert officer.get(f"{PATH}/4711/choices?find=skuli").status_code == 404
    assert officer.get(f"{PATH}/x/choices").status_code == 400


def test_names_are_shown_by_the_page_and_an_odd_address_shows_one_too(
    officer: Browser, conn: Connection
) -> None:
    for n in range(21):
        waiting(conn, f"Skuli {n:02d}", people=1)
    first, third = text(officer), text(officer, f"{PATH}?page=3")
    assert "Skuli 09" in first
    assert "Skuli 10" not in first
    assert "Previous Page 3 of 3" in third
    assert "Skuli 20" in third
    for odd in ("page=99", "name=%01&find=%02&workplace=99999999999999999999", "workplace=x&done=-1"):
        assert "Skuli" in text(officer, f"{PATH}?{odd}")
    for wrong in ("page=x&mapped=1", "page=1&mapped=-1", "page=²"):
        answer = officer.get(f"{PATH}?{wrong}")
        assert (answer.status_code, "must be a whole number from 1 to 100,000." in answer.text) == (400, True)
    assert "No waiting names match." in text(officer, f"{PATH}?name=benki")


def test_what_is_no_name_has_no_buttons(officer: Browser, conn: Connection) -> None:
    waiting(conn, "-")
    assert "This text is not a name, so it cannot be mapped." in text(officer)
    assert "to the selected institution" not in text(officer)


def test_an_auditor_looks_and_has_no_buttons(auditor: Browser, conn: Connection) -> None:
    health, id_, other = institution(conn), waiting(conn), waiting(conn, "Wizara ya Afya na Ustawi")
    actions.map_workplace(conn, system("omar"), id_, health)
    page = text(auditor)
    assert re.search(r"Similar names on the register: WIZARA YA AFYA \(\d+ %\)", page)
    for button in ("to the selected institution", "Register", "Remove mapping", "Find institution"):
        assert button not in page
    assert auditor.press(f"{PATH}/{other}/map", institution=str(health)).status_code == 403
    assert auditor.press(f"{PATH}/{id_}/unmap").status_code == 403
    assert institution_of(conn, other) == [(None, 3)]


def test_names_are_text_and_no_markup(officer: Browser, conn: Connection) -> None:
    waiting(conn, "<script>alert(1)</script>")
    assert "<script>alert" not in officer.get(PATH).text
