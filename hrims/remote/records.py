"""Types of an employee as HRIMS sends it.

Only the fields that are saved have types: any other field is accepted, with any type. ``field_filter`` takes
the names of these fields from here.
"""

import msgspec


class Part(msgspec.Struct, rename="camel", gc=False):
    """A part of an employee. Every field may be null or absent."""


class PersonalInfo(Part):
    zan_id_number: str | None = None
    payroll_number: str | None = None
    zssf_number: str | None = None
    first_name: str | None = None
    middle_name: str | None = None
    last_name: str | None = None
    gender_name: str | None = None
    birth_date: str | None = None
    place_of_birth: str | None = None
    district_name: str | None = None
    birth_region_name: str | None = None
    region_name: str | None = None
    birth_country_name: str | None = None
    primary_phone: str | None = None
    work_phone: str | None = None
    house_number: str | None = None
    street: str | None = None
    city: str | None = None
    employment_date: str | None = None
    employment_confirmation_date: str | None = None
    is_employee_confirmed: bool | None = None


class Employment(Part):
    is_current: bool | None = None
    title_prefix_name: str | None = None
    title_name: str | None = None
    grade_name: str | None = None
    entity_name: str | None = None
    parent_entity_name: str | None = None
    sub_entity_name: str | None = None
    division_name: str | None = None
    appointment_type_name: str | None = None
    employee_status_name: str | None = None
    employment_status_name: str | None = None
    from_date: str | None = None


class Salary(Part):
    is_current: bool | None = None
    salary_scale_name: str | None = None


class Education(Part):
    is_employment_highest: bool | None = None
    education_level: str | None = None
    level_name: str | None = None


class Contract(Part):
    is_active: bool | None = None
    contract_type_name: str | None = None
    to_date: str | None = None


class Person(Part):
    """One employee as HRIMS sends it."""

    personal_info: PersonalInfo | None = None
    employment_histories: list[Employment | None] | None = None
    salary_information: list[Salary | None] | None = None
    education_histories: list[Education | None] | None = None
    contract_details: list[Contract | None] | None = None


class Unreadable(msgspec.Struct, frozen=True):
    """A record that cannot be decoded as an employee.

    ``reason`` is a message, ``field`` a path such as ``personalInfo.firstName``. ``info`` and ``workplace``
    identify the employee if they can be read.
    """

    reason: str
    field: str | None = None
    info: PersonalInfo | None = None
    workplace: str | None = None

    def __repr__(self) -> str:
        """Return the reason and the field, without the employee: personal data must not reach a log."""
        return f"Unreadable({self.reason!r}, {self.field!r})"
