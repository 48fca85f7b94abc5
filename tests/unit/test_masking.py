"""Who sees which field of an employee, and what stands in place of the others."""

from datetime import date

import pytest

from hrims.access.permissions import ROLES, TOKEN_SCOPES, Permission, permissions_of
from hrims.employees.fields import CLASSES, COLUMNS, Classification
from hrims.employees.masking import API_NAMES, EVERYTHING_HIDDEN, HIDDEN, Mask, build_mask, mask_number

PUBLIC, INTERNAL, CONFIDENTIAL, RESTRICTED = Classification

ROW = {
    "id": 7,
    "zan_id": "580330001",
    "payroll_number": "963001",
    "name": "Asha Juma Makame",
    "date_of_birth": date(1990, 9, 17),
    "current_workplace": "Wizara ya Afya",
    "institution": "WIZARA YA AFYA",
    "left_at": None,
}


@pytest.mark.parametrize(
    ("role", "hidden"),
    [
        ("viewer", {CONFIDENTIAL, RESTRICTED}),
        ("officer", {CONFIDENTIAL, RESTRICTED}),
        ("supervisor", set()),
        ("administrator", set()),
        ("auditor", {INTERNAL, CONFIDENTIAL, RESTRICTED}),
    ],
)
def test_the_classes_that_are_hidden_from_a_role(role: str, hidden: set[Classification]) -> None:
    assert build_mask(ROLES[role]) == Mask(frozenset(hidden))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("scope", TOKEN_SCOPES)
def test_a_token_sees_what_its_user_sees(role: str, scope: str) -> None:
    assert build_mask(permissions_of(role, scope)) == build_mask(ROLES[role])


def test_a_user_without_permissions_sees_only_public_fields() -> None:
    assert build_mask([]) == EVERYTHING_HIDDEN
    visible = {column for column in COLUMNS if not EVERYTHING_HIDDEN.hides(column)}
    assert visible == {"ministry", "current_workplace"}


def test_each_class_of_the_issue() -> None:
    assert {CLASSES[column] for column in ("zan_id", "zssf_number", "payroll_number")} == {RESTRICTED}
    private = ("date_of_birth", "phone_number", "contact_address")
    assert {CLASSES[column] for column in private} == {CONFIDENTIAL}
    assert CLASSES["name"] is INTERNAL


def test_a_row_of_a_page() -> None:
    masked = build_mask(ROLES["officer"]).row(ROW)
    assert masked == ROW | {"zan_id": "58•••••01", "payroll_number": "••••••", "date_of_birth": HIDDEN}
    assert build_mask(ROLES["auditor"]).row(ROW) == masked | {"name": HIDDEN}
    assert build_mask(ROLES["supervisor"]).row(ROW) == ROW


def test_a_row_of_the_api() -> None:
    row = {
        "zanId": "580330001",
        "payrollNumber": "9630012345",
        "name": "Asha",
        "workplace": "Wizara",
        "changes": {"phone_number": [None, "0770000000"], "zan_id": ["580330001", None], "cadre": ["a", "b"]},
    }
    assert build_mask(ROLES["officer"]).rows([row]) == [
        {
            "zanId": "58•••••01",
            "payrollNumber": "96••••••45",
            "name": "Asha",
            "workplace": "Wizara",
            "changes": {"phone_number": [None, HIDDEN], "zan_id": ["58•••••01", None], "cadre": ["a", "b"]},
        }
    ]
    assert build_mask(ROLES["auditor"]).row(row)["changes"]["cadre"] == [HIDDEN, HIDDEN]


def test_each_name_of_the_api_is_masked_like_its_column() -> None:
    for column, name in API_NAMES.items():
        assert EVERYTHING_HIDDEN.row({name: "123456789"}) == {
            name: EVERYTHING_HIDDEN.value(column, "123456789")
        }
    assert (API_NAMES["zan_id"], API_NAMES["recent_title_date"]) == ("zanId", "recentTitleDate")


def test_a_column_without_a_class_is_hidden() -> None:
    assert build_mask(ROLES["officer"]).changes({"forgotten": ["a", 1]}) == {"forgotten": [HIDDEN, HIDDEN]}
    assert build_mask(frozenset(Permission)).value("forgotten", 1) == 1


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("", ""),
        ("1234567", "•••••••"),
        ("12345678", "12••••78"),
        ("580330001", "58•••••01"),
        ("1234567890", "12••••••90"),
        ("123456789012345", "12••••••45"),
        ("ZSSF/0012", "•••••••12"),
    ],
)
def test_a_number_shows_its_ends(number: str, masked: str) -> None:
    assert mask_number(number) == masked
