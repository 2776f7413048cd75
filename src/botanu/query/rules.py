"""The rules that find the causes of gaps.

They are asked in order, the more specific first, and each cell that differs goes to the first rule that explains it. A
rule looks at all cells of one model at once, as one fault may show in several meters and on several days.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

from botanu.query.case import Case, Found, differs
from botanu.query.causes import INPUT_CLASSES, TIER_FACTORS, Cause
from botanu.query.cells import Account, Cell, Tolerance, total
from botanu.query.notes import calls, evidence, listed, more_of_each, number, shift, unit_prices

_MULTIPLE_MOST = 9
_SHIFT_DAYS_MOST = 7
_LEFT_OVER = Decimal("0.01")
# The share of a shift that may be left over: usage that was missing on one of the days besides.
_COARSE = Decimal("0.02")
# Of an amount that rounding may have changed by more than this share, no factor can be told.


Rule = Callable[[Case], Iterator[Found]]


def explain(account: Account, tolerance: Tolerance) -> list[Found]:
    """Give each cell of *account* that differs its cause."""
    rest = account.cells
    found: list[Found] = []
    for rule in RULES:
        differing = [cell for cell in rest if differs(cell, tolerance)]
        found += rule(Case(account, differing, rest, tuple(found), tolerance))
        explained = {id(cell) for each in found for cell in each.cells}
        rest = [cell for cell in rest if id(cell) not in explained]
    return found


def unknown_model(case: Case) -> Iterator[Found]:
    """A model that is billed, of which we booked nothing and saw no call on any day of the invoice."""
    if case.open and case.account.model is not None and not case.account.seen:
        yield Found(Cause.UNKNOWN_MODEL, case.open, "")


def day_boundary(case: Case) -> Iterator[Found]:
    """Days in a row, a week at most, of which some lack what others have too much, in every meter that differs.

    The shortest such row counts: of two days where calls around one midnight were billed on its other side. Quantities
    decide; where the invoice has none, amounts do.
    """
    days: dict[date, list[Cell]] = {}
    for cell in sorted(case.not_equal(), key=lambda cell: cell.day):
        days.setdefault(cell.day, []).append(cell)
    is_open, taken = {id(cell) for cell in case.open}, set[date]()
    for start in days:
        row = [start]
        while row[-1] in days and row[-1] not in taken and len(row) <= _SHIFT_DAYS_MOST:
            cells = [cell for day in row for cell in days[day]]
            if len(row) > 1 and any(id(cell) in is_open for cell in cells) and _each_cancels_out(case, cells):
                taken.update(row)
                yield Found(Cause.DAY_BOUNDARY, cells, shift(case.account, row[0], row[-1]))
                break
            row.append(row[-1] + timedelta(days=1))


def _each_cancels_out(case: Case, cells: Sequence[Cell]) -> bool:
    """Return whether each meter of *cells* is the same on both sides over all days."""
    meters = {cell.meter for cell in cells}
    return all(_cancels_out(case, [cell for cell in cells if cell.meter == meter]) for meter in meters)


def _cancels_out(case: Case, cells: Sequence[Cell]) -> bool:
    """Return whether what some of *cells* have too much is, to a hundredth, what the others lack."""
    by_amount = case.by_amount()
    more = [(cell.more_amount if by_amount else cell.more_quantity) or Decimal() for cell in cells]
    allowance = total(cell.allowance for cell in cells) if by_amount else Decimal()
    one_sided = min(more) >= 0 or max(more) <= 0
    return not one_sided and abs(total(more)) <= _LEFT_OVER * total(map(abs, more)) + allowance


def cache_class(case: Case) -> Iterator[Found]:
    """Classes of input of one day that differ, while all input of that day is the same in total.

    Where the invoice has no quantities, they are taken from its amounts, at the unit prices that we booked.
    """
    differing = case.not_equal()
    for day, cells in case.by_day():
        classes = [cell for cell in differing if cell.day == day and cell.meter in INPUT_CLASSES]
        if not any(cell.meter in INPUT_CLASSES for cell in cells):
            continue
        if case.by_amount():
            if len(classes) > 1 and _same_tokens(case, classes):
                yield Found(Cause.CACHE_CLASS, classes, f"{day}: at the prices booked, the same input in total.")
        elif len(classes) > 1 and _cancels_out(case, classes):
            yield Found(Cause.CACHE_CLASS, classes, f"{day}: {more_of_each(classes)}, and the same in total.")


def _same_tokens(case: Case, cells: Sequence[Cell]) -> bool:
    """Return whether the amounts of *cells* stand for the same quantity in total, at the unit prices that we booked."""
    theirs = ours = allowance = Decimal()
    for cell in cells:
        alike = [other for other in case.account.cells if other.meter == cell.meter]
        booked = total(other.booked_amount or Decimal() for other in alike)
        if not booked:
            return False
        per_amount = total(line.quantity for other in alike for line in other.booked) / booked
        theirs += (cell.invoiced_amount or Decimal()) * per_amount
        ours += (cell.booked_amount or Decimal()) * per_amount
        allowance += cell.allowance * per_amount
    return case.tolerance.allows(theirs, ours, allowance)


def unpriced(case: Case) -> Iterator[Found]:
    """The same quantity, or an unknown one, with more money billed than booked, and calls of ours without an amount.

    The amount of all meters together waits for the causes of the day's quantities, if those differ.
    """
    for day, cells in case.by_day():
        counted_apart = any(case.quantity_off(cell) for cell in cells)
        same = [cell for cell in cells if not case.quantity_off(cell) and not (counted_apart and cell.meter is None)]
        without = {id(cell): sum(ours.unpriced_calls for ours in cell.booked) for cell in same}
        if short := [cell for cell in same if (cell.more_amount or 0) > 0 and without[id(cell)]]:
            most = max(without[id(cell)] for cell in short)
            note = calls(most, "has usage without a price", "have usage without a price")
            yield Found(Cause.UNPRICED, short, f"{day}: {note}.")


def tier_said(case: Case) -> Iterator[Found]:
    """The same quantity of a meter, of which the invoice says another part than we do to be in a tier such as batch."""
    for day, cells in case.by_day():
        others = [(cell, tiers) for cell in cells if (tiers := cell.tiers_off(case.tolerance))]
        if others:
            told = [
                f"{number(theirs)} {cell.meter} in {tier} billed, {number(ours)} booked"
                for cell, tiers in others
                for tier, (theirs, ours) in tiers.items()
            ]
            yield Found(Cause.SERVICE_TIER, [cell for cell, _ in others], f"{day}: {listed(told)}.")


def duplicates(case: Case) -> Iterator[Found]:
    """More booked than billed: the same whole multiple in each meter of the day, or with responses told of twice."""
    for day, cells in case.by_day():
        more = [cell for cell in cells if _too_much_booked(case, cell)]
        repeated = case.account.evidence(day).repeated_calls
        multiple = _whole_multiple(case, [cell for cell in case.account.cells if cell.day == day])
        if more and (repeated or multiple):
            notes = [f"exactly {multiple} times the usage billed is booked"] if multiple else []
            same_id = ("has the response id of another one", "have the response id of another one")
            notes += [calls(repeated, *same_id)] if repeated else []
            yield Found(Cause.DUPLICATES, more, f"{day}: {listed(notes)}.")


def _too_much_booked(case: Case, cell: Cell) -> bool:
    if cell.more_quantity is not None:
        return case.quantity_off(cell) and cell.more_quantity < 0
    return case.amount_off(cell) and (cell.more_amount or 0) < 0


def _whole_multiple(case: Case, cells: Sequence[Cell]) -> int | None:
    """Return how many times the usage that is billed is booked, if that is a whole number for all *cells* alike."""
    known = [(cell.invoiced_quantity, cell.booked_quantity) for cell in cells]
    pairs = [(theirs, ours) for theirs, ours in known if theirs is not None and ours is not None and (theirs or ours)]
    if not pairs or not pairs[0][0]:
        return None
    multiple = round(pairs[0][1] / pairs[0][0])
    alike = all(case.tolerance.allows(theirs * multiple, ours) for theirs, ours in pairs)
    return multiple if alike and 1 < multiple <= _MULTIPLE_MOST else None


def missing_or_extra(case: Case) -> Iterator[Found]:
    """Another quantity that nothing more specific explains: more billed than booked, or less."""
    for day, cells in case.by_day():
        off = [cell for cell in cells if case.quantity_off(cell)]
        for cause, sign in ((Cause.MISSING_SPANS, 1), (Cause.EXTRA_SPANS, -1)):
            if members := [cell for cell in off if (cell.more_quantity or 0) * sign > 0]:
                yield Found(cause, members, f"{day}: {more_of_each(members)}{evidence(case.account, day)}.")


def same_day(case: Case) -> Iterator[Found]:
    """An amount for all meters of a day together, where the quantities of that day have one cause: it is that."""
    for cell in [cell for cell in case.open if cell.meter is None]:
        causes = {found.cause for found in case.found for other in found.cells if other.day == cell.day}
        if len(causes) == 1:
            yield Found(causes.pop(), [cell], "")


def tier_factor(case: Case) -> Iterator[Found]:
    """The same quantity, and in all meters of a day an amount that is what a tier costs of ours; the cache may differ.

    The factors are those of ``TIER_FACTORS``. What is read from a cache may cost the same in all tiers.
    """
    for day, cells in case.by_day():
        costly = [
            cell for cell in case.account.cells if cell.day == day and cell.booked_amount and cell.invoiced_amount
        ]
        for factor, tiers in TIER_FACTORS.items():
            off = [cell for cell in cells if case.costs(cell, factor) and _fine(cell)]
            if off and not any(case.quantity_off(cell) or not _fits(case, cell, factor) for cell in costly):
                yield Found(Cause.SERVICE_TIER, off, f"{day}: {factor:f} times the amount booked, as for {tiers}.")
                break


def _fits(case: Case, cell: Cell, factor: Decimal) -> bool:
    is_cache = cell.meter in INPUT_CLASSES[1:]
    return case.costs(cell, factor) or (is_cache and not case.amount_off(cell))


def _fine(cell: Cell) -> bool:
    """Return whether the amounts of *cell* are told finely enough to tell a factor."""
    return bool(cell.booked_amount) and cell.allowance <= _COARSE * (cell.booked_amount or 0)


def price(case: Case) -> Iterator[Found]:
    """The same quantity, and another amount; where no quantity is known, the same factor of ours on several days."""
    if not case.by_amount():
        for day, cells in case.by_day():
            notes = [unit_prices(cell) for cell in cells if cell.meter is not None]
            yield Found(Cause.PRICE, cells, f"{listed(notes)}." if notes else f"{day}: another total.")
        return
    open_cells = [cell for cell in case.open if cell.booked_amount and cell.invoiced_amount and _fine(cell)]
    for meter in {cell.meter for cell in open_cells}:
        alike = [cell for cell in open_cells if cell.meter == meter]
        booked = total(cell.booked_amount or Decimal() for cell in alike)
        factor = total(cell.invoiced_amount or Decimal() for cell in alike) / booked
        if len(alike) > 1 and all(case.costs(cell, factor) for cell in alike):
            yield Found(Cause.PRICE, alike, f"{factor:.4g} times the amount booked on each of {len(alike)} days.")


def more_or_less_money(case: Case) -> Iterator[Found]:
    """An amount without a quantity that nothing more specific explains: more money is taken for more usage."""
    for day, cells in case.by_day():
        for cell in cells:
            cause = Cause.MISSING_SPANS if (cell.more_amount or 0) > 0 else Cause.EXTRA_SPANS
            yield Found(cause, [cell], f"{day}: the invoice says no quantity{evidence(case.account, day)}.")


RULES: Sequence[Rule] = (
    unknown_model,
    day_boundary,
    cache_class,
    unpriced,
    tier_said,
    duplicates,
    missing_or_extra,
    same_day,
    tier_factor,
    price,
    more_or_less_money,
)
"""The rules, in the order they are asked."""
