"""Judges runs from the truth alone. Input: a scenario's results. Output: what was claimed but is not so,
in words that name the seed, the behaviours and the people. Pure.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from tests.resilience.scenarios.wrong_servers.people import Person
from tests.resilience.scenarios.wrong_servers.runner import Played, Result, Row

COMPLETE = {"complete", "complete_after_repair"}

WITHOUT_KEY, BROKEN = {"no_zan_id", "bad_zan_id"}, "remote_breaks"

SHOWN = 5
"""People that a fault names."""


def faults(played: Played) -> list[str]:
    """Return one text for each run about which something is wrong; empty when nothing is."""
    found = []
    before: Result | None = None
    for number, result in enumerate(played.results, 1):
        wrong = list(_faults_of(result, before, is_provable=played.scenario.is_provable))
        if wrong:
            found.append("\n    ".join([f"{told(played)}, run {number}: {claim(result)}", *wrong]))
        before = result
    return found


def told(played: Played) -> str:
    """Return the seed and the behaviours."""
    scenario = played.scenario
    return f"seed {scenario.seed} [{'; '.join(scenario.labels)}]"


def claim(result: Result) -> str:
    """Return what the run read and what the product says of it."""
    run, server = result.run, "honest server" if result.phase.is_honest else "wrong server"
    rows = sum(not row.has_left for row in result.rows.values())
    return (
        f"{server}, {result.listed} records by {result.phase.page_size}, {result.requests} requests, "
        f"{rows} saved: {run.outcome or run.state}: {run.message}"
    )


def _faults_of(result: Result, before: Result | None, *, is_provable: bool) -> Iterator[str]:
    run = result.run
    if not result.has_ended:
        yield f"never ended: {result.requests} requests, {result.bound} allowed"
        return
    if run.outcome in COMPLETE:
        yield from missing_people(result)
    elif not (run.missing or run.trouble):
        yield "does not say why it is not complete"
    if is_provable and run.outcome not in COMPLETE:
        yield "everybody could be proved, but the run is not complete"
    yield from wrong_leavers(result, before)
    yield from swings(result, before)


def missing_people(result: Result) -> Iterator[str]:
    """Say who is missing from a run that claims to be complete."""
    run, rejects, broken = result.run, result.rejects, result.rejects[BROKEN]
    never_sent = result.throughout - result.sent
    if len(never_sent) > broken:
        yield f"{len(never_sent)} people were never sent: {_named(never_sent)}"
    if (run.people or 0) + run.rejected < len(result.throughout):
        yield f"claims {run.people} people and {run.rejected} rejects of {len(result.throughout)} listed"
    lost = [person for person in result.throughout if not _is_saved(person, result.rows)]
    keyless = [person for person in lost if not person.zan_id]
    clashing = _clashing(result.throughout)
    unsaved_clashes = [person for person in lost if person.zan_id in clashing]
    plain = [person for person in lost if person.zan_id and person.zan_id not in clashing]
    keyless_rejects = sum(rejects[code] for code in WITHOUT_KEY)
    clash_rejects = sum(rejects.values()) - keyless_rejects - broken
    if len(plain) > broken:
        yield f"{len(plain)} people are neither saved nor rejected: {_named(plain)}"
    if len(keyless) > keyless_rejects:
        yield f"{len(keyless)} people without a ZanID, {keyless_rejects} rejects of that kind"
    if len(unsaved_clashes) > clash_rejects:
        yield f"{len(unsaved_clashes)} people share a ZanID, and are neither saved nor rejected: " + _named(
            unsaved_clashes
        )


def wrong_leavers(result: Result, before: Result | None) -> Iterator[str]:
    """Say who has left, is to leave, or was missed, although the list has had them throughout the run."""
    listed = {person.zan_id for person in result.throughout}
    rows = [row for zan_id, row in result.rows.items() if zan_id in listed]
    earlier = before.rows if before else {}
    left = [row for row in rows if row.has_left]
    proposed = [row for row in rows if row.is_proposed]
    missed = [row for row in rows if row.missed_runs > _missed_before(earlier, row)]
    if left:
        yield f"{len(left)} people who are still listed have left: {_zan_ids(left)}"
    if proposed:
        yield f"{len(proposed)} people who are still listed are proposed as leavers: {_zan_ids(proposed)}"
    if missed:
        yield f"{len(missed)} people who are still listed count as missed: {_zan_ids(missed)}"


def _missed_before(rows: dict[str, Row], row: Row) -> int:
    return rows[row.zan_id].missed_runs if row.zan_id in rows else 0


def swings(result: Result, before: Result | None) -> Iterator[str]:
    """Say whose row changed, although no record of the list ever does."""
    earlier = before.rows if before else {}
    stored = {(person.zan_id, *person.kept) for person in result.throughout}
    changed = [
        row
        for zan_id, row in result.rows.items()
        if row.changes > (earlier[zan_id].changes if zan_id in earlier else 0)
        # If the one on the row has left the list, another with the same ZanID may take the row.
        and (zan_id not in earlier or earlier[zan_id][:4] in stored)
    ]
    if changed:
        yield f"{len(changed)} rows have changed, although no record did: {_zan_ids(changed)}"


def _is_saved(person: Person, rows: dict[str, Row]) -> bool:
    row = rows.get(person.zan_id) if person.zan_id else None
    return row is not None and (row.name, row.born, row.payroll) == person.kept


def _clashing(people: Iterable[Person]) -> set[str]:
    return {
        zan_id
        for zan_id, count in Counter(person.zan_id for person in people).items()
        if zan_id and count > 1
    }


def _named(people: Iterable[Person]) -> str:
    shown = sorted(f"{person.name} ({person.zan_id or 'no ZanID'})" for person in people)
    return ", ".join(shown[:SHOWN]) + (" and others" if len(shown) > SHOWN else "")


def _zan_ids(rows: Iterable[Row]) -> str:
    shown = sorted(row.zan_id for row in rows)
    return ", ".join(shown[:SHOWN]) + (" and others" if len(shown) > SHOWN else "")
