"""What names mean at which people work: mapped, registered and taken back, by mouse, by keyboard alone and
without JavaScript; it fits everybody.
"""

import pytest
from playwright.sync_api import Locator, Page, StorageState, expect

from tests.browser.stage import Stage
from tests.browser.test_keyboard import tab_to
from tests.browser.test_looks import expect_fit_for_everybody
from tests.browser.viewers import Viewers
from tests.web.workplaces import institution_of, listed, waiting

PATH = "/dashboard/admin/workplaces"

ELECTIONS, SHORT = "TUME YA UCHAGUZI YA ZANZIBAR", "Tume ya Uchaguzi"
HOSPITAL = "Hospitali Kuu ya Pwani"
HEALTH = "WIZARA YA AFYA"


@pytest.fixture
def names(stage: Stage) -> dict[str, int]:
    """Two names that wait, with their people, by name."""
    made = {SHORT: waiting(stage.conn, SHORT, 12), HOSPITAL: waiting(stage.conn, HOSPITAL, 586)}
    for id_ in made.values():
        listed(stage.conn, id_, 34)
    return made


@pytest.fixture
def page(
    viewers: Viewers, signed_in: StorageState, names: dict[str, int], request: pytest.FixtureRequest
) -> Page:
    """Provide an officer's window, on the page."""
    opened = viewers.open(storage_state=signed_in, **getattr(request, "param", {}))
    opened.goto(PATH)
    return opened


@pytest.fixture
def manager(
    viewers: Viewers, administrator: StorageState, names: dict[str, int], request: pytest.FixtureRequest
) -> Page:
    """Provide an administrator's window, on the page."""
    opened = viewers.open(storage_state=administrator, **getattr(request, "param", {}))
    opened.goto(PATH)
    return opened


def card(page: Page, name: str) -> Locator:
    """Return the card of a name that waits."""
    return page.get_by_role("article", name=name, exact=True)


def told(page: Page) -> Locator:
    """Return what was done, in words."""
    return page.locator("main").get_by_role("status")


def test_a_suggestion_is_mapped_by_mouse_and_taken_back(
    page: Page, stage: Stage, names: dict[str, int]
) -> None:
    expect(page.get_by_role("radio", checked=True)).to_have_count(0)
    card(page, SHORT).get_by_role("button", name=f"Map {SHORT} to the selected institution").click()
    assert institution_of(stage.conn, names[SHORT]) == [(None, 12)]
    card(page, SHORT).get_by_role("radio", name=ELECTIONS).check()
    card(page, SHORT).get_by_role("button", name="to the selected institution").click()
    expect(told(page)).to_have_text(f"“{SHORT}” is mapped to {ELECTIONS}. 12 people have this workplace.")
    expect(card(page, SHORT)).to_have_count(0)
    assert institution_of(stage.conn, names[SHORT]) == [(ELECTIONS, 12)]
    page.get_by_role("button", name=f"Remove mapping {SHORT}").click()
    expect(told(page)).to_contain_text("is no longer mapped: 12 people have no institution")
    expect(card(page, SHORT)).to_be_visible()
    assert institution_of(stage.conn, names[SHORT]) == [(None, 12)]


def test_a_search_shows_institutions_as_one_types(page: Page, stage: Stage, names: dict[str, int]) -> None:
    hospital = card(page, HOSPITAL)
    hospital.get_by_role("searchbox").press_sequentially("afya wiz")
    expect(hospital.get_by_text("1 institution found")).to_be_visible()
    expect(hospital.get_by_role("searchbox")).to_be_focused()
    hospital.get_by_role("radio", name=HEALTH).check()
    hospital.get_by_role("button", name="to the selected institution").click()
    expect(told(page)).to_contain_text(f"is mapped to {HEALTH}. 586 people")
    assert institution_of(stage.conn, names[HOSPITAL]) == [(HEALTH, 586)]


def test_a_name_is_registered_and_what_was_typed_stays_when_refused(
    manager: Page, stage: Stage, names: dict[str, int], viewers: Viewers
) -> None:
    viewers.expect_trouble("status of 409")
    hospital = card(manager, HOSPITAL)
    hospital.get_by_text("Register as a new institution").click()
    hospital.get_by_role("textbox", name="Vote code if it has one").fill("001")
    hospital.get_by_role("button", name="Register").click()
    expect(manager.get_by_role("alert")).to_have_text(
        "Another institution has this vote code. Nothing was changed."
    )
    expect(hospital.get_by_role("textbox", name="Vote code if it has one")).to_have_value("001")
    hospital.get_by_role("textbox", name="Vote code if it has one").fill("050")
    hospital.get_by_role("button", name="Register").click()
    expect(told(manager)).to_contain_text("586 people have this workplace")
    assert institution_of(stage.conn, names[HOSPITAL]) == [(HOSPITAL, 586)]


def test_an_officer_maps_names_and_registers_none(page: Page) -> None:
    hospital = card(page, HOSPITAL)
    expect(hospital.get_by_role("searchbox")).to_be_visible()
    expect(hospital.get_by_text("Register as a new institution")).to_have_count(0)


def test_the_whole_story_by_keyboard(page: Page, stage: Stage, names: dict[str, int]) -> None:
    hospital = card(page, HOSPITAL)
    tab_to(page, hospital.get_by_role("searchbox"))
    page.keyboard.type("001")
    radio = hospital.get_by_role("radio", name=HEALTH)
    expect(radio).to_be_visible()
    tab_to(page, radio)
    page.keyboard.press("Space")
    expect(radio).to_be_checked()
    tab_to(page, hospital.get_by_role("button", name="to the selected institution"))
    page.keyboard.press("Enter")
    expect(told(page)).to_contain_text(f"is mapped to {HEALTH}")
    tab_to(page, page.get_by_role("button", name=f"Remove mapping {HOSPITAL}"))
    page.keyboard.press("Enter")
    expect(told(page)).to_contain_text("586 people have no institution")
    assert institution_of(stage.conn, names[HOSPITAL]) == [(None, 586)]


@pytest.mark.parametrize("manager", [{"java_script_enabled": False}], indirect=True)
def test_it_works_without_javascript(manager: Page, stage: Stage, names: dict[str, int]) -> None:
    hospital = card(manager, HOSPITAL)
    hospital.get_by_role("searchbox").fill("afya")
    hospital.get_by_role("button", name="Find").click()
    expect(hospital.get_by_text("1 institution found")).to_be_visible()
    expect(hospital.get_by_role("searchbox")).to_have_value("afya")
    hospital.get_by_role("radio", name=HEALTH).check()
    hospital.get_by_role("button", name="to the selected institution").click()
    expect(told(manager)).to_contain_text(f"is mapped to {HEALTH}")
    card(manager, SHORT).get_by_text("Register as a new institution").click()
    card(manager, SHORT).get_by_role("button", name="Register").click()
    expect(manager.get_by_text("No waiting names")).to_be_visible()
    assert institution_of(stage.conn, names[SHORT]) == [(SHORT, 12)]


def test_every_state_fits_everybody(manager: Page, stage: Stage, names: dict[str, int]) -> None:
    long = (
        "Kitengo cha Uratibu wa Shughuli za Serikali na Uhamasishaji wa Jamii Kaskazini, Kusini na Magharibi"
    )
    odd = [waiting(stage.conn, name, 1) for name in (long, "-", "A" * 120)]
    waiting(stage.conn, "Bodi ya Mikopo", 30)
    for n in range(10):
        waiting(stage.conn, f"Skuli ya {n}", 2)
    manager.goto(PATH)
    card(manager, HOSPITAL).get_by_text("Register as a new institution").click()
    card(manager, HOSPITAL).get_by_role("searchbox").fill("ya")
    expect(card(manager, HOSPITAL).get_by_text("enter more words to find fewer")).to_be_visible()
    expect_fit_for_everybody(manager)
    manager.goto(f"{PATH}?page=2")
    expect_fit_for_everybody(manager)
    card(manager, long).get_by_text("Register as a new institution").click()
    card(manager, long).get_by_role("button", name="Register").click()
    manager.goto(f"{PATH}?name=uchaguzi")
    card(manager, SHORT).get_by_role("radio", name=ELECTIONS).check()
    card(manager, SHORT).get_by_role("button", name="to the selected institution").click()
    expect(told(manager)).to_be_visible()
    expect_fit_for_everybody(manager)
    assert odd


def test_nothing_waits_fits_everybody(viewers: Viewers, signed_in: StorageState, stage: Stage) -> None:
    opened = viewers.open(storage_state=signed_in)
    opened.goto(PATH)
    expect(opened.get_by_text("No waiting names")).to_be_visible()
    expect_fit_for_everybody(opened)


def test_a_run_fills_the_page(viewers: Viewers, signed_in: StorageState, stage: Stage) -> None:
    stage.wait_for_end(stage.enqueue("037"))
    opened = viewers.open(storage_state=signed_in)
    opened.goto("/")
    opened.get_by_role("link", name="Workplaces").click()
    first = opened.get_by_role("article").first
    expect(first.get_by_role("heading")).to_have_text("Hospitali Kuu ya Pwani Mchangani", ignore_case=True)
    expect(
        first.get_by_text("listed by TUME YA UTUMISHI SERIKALINI, vote code 037, since run 1")
    ).to_be_visible()
