"""What the user says of prices in SQL: what the embedded store runs when it is recorded or withdrawn.

Nothing is ever changed but ``withdrawn_at``, once. Of several terms of one subject and instant the last one counts.
"""

import duckdb

_SUBJECT = "kind, provider, model, meter, above, tenant_id, service_tier, valid_from"

TERMS = """
SELECT * EXCLUDE (withdrawn_at) FROM price_terms WHERE withdrawn_at IS NULL ORDER BY recorded_at, rowid
"""
"""All that was not withdrawn, in the order it was recorded."""

_GONE = """
UPDATE price_terms SET withdrawn_at = $now
WHERE withdrawn_at IS NULL AND term_id IN (SELECT term_id FROM given_gone) AND ($origin IS NULL OR origin = $origin)
"""
"""Withdraws what the table ``given_gone`` names, of one origin or of all."""

_HELD = f"""
SELECT *, lead(recorded_at) OVER same AS corrected_at FROM price_terms WHERE withdrawn_at IS NULL
WINDOW same AS (PARTITION BY {_SUBJECT} ORDER BY recorded_at, rowid)
"""

LISTED = f"""
SELECT h.term_id, h.kind, h.provider, h.model, h.meter, h.amount, h.per, h.above, h.currency, h.percent,
  h.as_provider, h.as_model, h.tenant_id, h.service_tier, h.valid_from, p.valid_to, p.hours, h.source, h.origin
FROM ({_HELD}) AS h LEFT JOIN prices p ON p.price_id = h.term_id WHERE h.corrected_at IS NULL
ORDER BY h.kind, h.provider, h.model, h.meter, h.tenant_id NULLS FIRST, h.service_tier NULLS FIRST,
  h.valid_from NULLS FIRST, h.above
"""
"""All that is in force at some instant, with when a price ends."""

_NEW = f"""
INSERT INTO price_terms BY NAME
SELECT g.*, $now AS recorded_at FROM given_terms g
ANTI JOIN (SELECT term_id FROM ({_HELD}) WHERE corrected_at IS NULL) held USING (term_id)
"""
"""Records the terms of the table ``given_terms`` that are not in force already."""

_NEW_PRICES = "INSERT INTO prices BY NAME SELECT * FROM given_prices ANTI JOIN prices USING (price_id)"

_ENDED = f"""
UPDATE prices SET valid_to = ends.valid_to FROM (
  SELECT t.term_id AS price_id,
    CASE WHEN bool_and(t.withdrawn_at IS NOT NULL) THEN max(t.withdrawn_at)
      ELSE coalesce(min(h.corrected_at), min(h.next_from)) END AS valid_to
  FROM price_terms t
  LEFT JOIN (
    SELECT *, (
      SELECT min(later.valid_from) FROM price_terms later
      WHERE later.withdrawn_at IS NULL AND later.kind = 'price'
        AND (later.provider, later.model, later.meter) = (held.provider, held.model, held.meter)
        AND later.tenant_id IS NOT DISTINCT FROM held.tenant_id
        AND later.service_tier IS NOT DISTINCT FROM held.service_tier
        AND later.valid_from > coalesce(held.valid_from, '-infinity'::TIMESTAMPTZ)
    ) AS next_from
    FROM ({_HELD}) AS held
    QUALIFY row_number() OVER (PARTITION BY term_id ORDER BY recorded_at DESC, rowid DESC) = 1
  ) AS h ON h.term_id = t.term_id
  WHERE t.kind = 'price' GROUP BY t.term_id
) AS ends
WHERE ends.price_id = prices.price_id AND ends.valid_to IS DISTINCT FROM prices.valid_to
"""
"""Ends each price of the user's where a later one begins, where it was corrected, or where it was withdrawn."""


def record(connection: duckdb.DuckDBPyConnection, now: object, origin: str) -> int:
    """Withdraw ``given_gone``, record what is new of ``given_terms`` and ``given_prices``; return how many are new."""
    connection.execute(_GONE, {"now": now, "origin": origin})
    (new,) = connection.execute(_NEW, {"now": now}).fetchall()[0]
    connection.execute(_NEW_PRICES)
    connection.execute(_ENDED)
    return int(new)


def withdraw(connection: duckdb.DuckDBPyConnection, now: object) -> int:
    """Withdraw ``given_gone``, wherever it is from; return how many rows that were."""
    (gone,) = connection.execute(_GONE, {"now": now, "origin": None}).fetchall()[0]
    connection.execute(_ENDED)
    return int(gone)
