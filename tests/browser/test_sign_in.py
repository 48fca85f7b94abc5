"""Signing in and out."""

from playwright.sync_api import expect

from tests.browser.viewers import Viewers, sign_in


def test_a_wrong_password_is_refused_in_words_and_the_right_one_leads_to_the_page(viewers: Viewers) -> None:
    viewers.expect_trouble("status of 401")
    page = viewers.open()
    page.goto("/dashboard/admin/fetch-data")
    sign_in(page, password="a dry monsoon")
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    expect(page.get_by_label("Name")).to_have_value("asha")
    expect(page.get_by_label("Password")).to_be_focused()
    sign_in(page)
    expect(page.get_by_role("heading", name="Fetch data")).to_be_visible()


def test_signing_out_ends_the_session(viewers: Viewers) -> None:
    page = viewers.open()
    page.goto("/")
    sign_in(page)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/dashboard/admin/fetch-data")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
