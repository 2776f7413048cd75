"""The value card in SQL: what the embedded store runs when values are set."""

from botanu.store.schema import VALUED_AT

VALUES = """
SELECT value_type, workflow, amount, currency, valid_from, valid_to, source FROM unit_values
ORDER BY value_type, workflow NULLS FIRST, valid_from, recorded_at
"""
"""All values ever recorded, by type, workflow and first instant."""

NEW = """
INSERT INTO unit_values
SELECT g.value_type, g.workflow, g.amount, g.currency, g.valid_from, NULL, g.source, $now FROM given g
ANTI JOIN (FROM unit_values WHERE valid_to IS NULL OR valid_to > valid_from) v
  ON v.value_type = g.value_type AND v.workflow IS NOT DISTINCT FROM g.workflow
  AND v.valid_from = g.valid_from AND v.amount = g.amount AND v.currency = g.currency
"""
"""Records the values of the table ``given`` that are not in force already."""

UNTIL = """
UPDATE unit_values SET valid_to = next.valid_to FROM (
  SELECT rowid AS row, lead(valid_from) OVER (
    PARTITION BY value_type, workflow ORDER BY valid_from, recorded_at) AS valid_to
  FROM unit_values
) AS next WHERE next.row = unit_values.rowid
"""
"""Ends each value where the next one of its type and workflow begins."""

VALUED_BEFORE = f"""
CREATE OR REPLACE TEMP TABLE valued_before AS
SELECT run_id, value_per_unit FROM runs r
WHERE EXISTS (
  FROM unit_values v
  WHERE v.recorded_at = $now AND v.value_type = r.outcome_value_type AND (v.workflow IS NULL OR v.workflow = r.workflow)
    AND v.valid_from <= {VALUED_AT} AND (v.valid_to IS NULL OR {VALUED_AT} < v.valid_to)
)
"""
"""Notes the runs that the values recorded at ``$now`` hold for, with what they were valued at."""

VALUED_ANEW = """
SELECT count(*) FROM runs JOIN valued_before before USING (run_id)
WHERE runs.value_per_unit IS DISTINCT FROM before.value_per_unit
"""
"""Counts those of them that are valued differently now."""
