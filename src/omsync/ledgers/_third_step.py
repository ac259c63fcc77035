"""The third step of the ledger's tables: what is known of listings in parts, and deltas beside them.

A delta holds what was told of a batch of listings, a part what is known of some thousand that follow each
other. Both are sheets, as ``omsync.ledgers._sheets`` has them.
"""

from __future__ import annotations

__all__ = ["THIRD"]

# What is short, or is read alone, comes first, since SQLite walks through all that stands before a column.
_TABLES = """
CREATE TABLE listing_parts (
    part           INTEGER PRIMARY KEY,
    merchant       TEXT NOT NULL,
    cart           TEXT NOT NULL,
    first_sku      TEXT NOT NULL,
    first_location TEXT NOT NULL,
    size           INTEGER NOT NULL,
    texts          TEXT NOT NULL,
    stamps         TEXT NOT NULL,
    accepted       BLOB NOT NULL,
    keys           TEXT NOT NULL,
    listings       TEXT NOT NULL
);
CREATE UNIQUE INDEX listing_parts_in_order
    ON listing_parts (merchant, cart, first_sku, first_location, size);
CREATE TABLE listing_deltas (
    delta    INTEGER PRIMARY KEY,
    merchant TEXT NOT NULL,
    cart     TEXT NOT NULL,
    size     INTEGER NOT NULL,
    texts    TEXT NOT NULL,
    stamps   TEXT NOT NULL,
    listings TEXT NOT NULL
);
CREATE INDEX listing_deltas_in_order ON listing_deltas (merchant, cart, delta, size);
"""
# Each row becomes a delta of its own; they are folded later.
_ROWS = """
INSERT INTO listing_deltas (merchant, cart, size, texts, stamps, listings)
    SELECT merchant, cart, 1,
           json_array(NULL, desired_at, desired_run, sent_at, sent_run, accepted_at, accepted_run,
               observed_at, observed_run, desired_since, observed_since),
           '[[1,2,3,4,5,6,7,8,9,10]]',
           json_array(json_array(listing_sku, location_id, desired, sent, accepted, observed, 0))
    FROM listing_figures
    ORDER BY merchant, cart, listing_sku, location_id;
DROP VIEW listing_states;
DROP TABLE listing_figures;
"""


def _text(place: str) -> str:
    """Give the SQL for a text of a row's stamp; ``place`` is SQL too."""
    number = f"json_extract(stamps, '$[' || json_extract(line.value, '$[6]') || '][' || {place} || ']')"
    return f"json_extract(texts, '$[' || {number} || ']')"


# What no delta tells of is as its part has it. The rest is merged by the same law as in Python: the last
# figure that is not NULL stands, and it is so since the first time that is told with it in the last stretch
# of equal ones. A listing of which no figure is known has a row too.
_VIEW = f"""
CREATE VIEW listing_states AS
WITH
told_of (merchant, cart, listing_sku, location_id) AS (
    SELECT DISTINCT merchant, cart, json_extract(line.value, '$[0]'), json_extract(line.value, '$[1]')
    FROM listing_deltas, json_each(listings) AS line
),
sheets AS (
    SELECT merchant, cart, 0 AS sheet, texts, stamps, listings FROM listing_parts
    WHERE (merchant, cart) IN (SELECT merchant, cart FROM listing_deltas)
    UNION ALL
    SELECT merchant, cart, delta, texts, stamps, listings FROM listing_deltas
),
figures (figure, place, since_place) AS (
    VALUES ('desired', 0, 8), ('sent', 1, NULL), ('accepted', 2, NULL), ('observed', 3, 9)
),
told AS (
    SELECT merchant, cart, figure, sheet, line.key AS line,
           json_extract(line.value, '$[0]') AS listing_sku,
           json_extract(line.value, '$[1]') AS location_id,
           json_extract(line.value, '$[' || (place + 2) || ']') AS units,
           {_text("(2 * place)")} AS at,
           {_text("(2 * place + 1)")} AS run,
           {_text("since_place")} AS since
    FROM sheets CROSS JOIN json_each(listings) AS line CROSS JOIN figures
    WHERE (merchant, cart, json_extract(line.value, '$[0]'), json_extract(line.value, '$[1]')) IN told_of
),
moves AS (
    SELECT *,
           units IS NOT (lag(units) OVER earlier) AS is_new,
           lead(sheet) OVER earlier IS NULL AS is_last
    FROM told
    WINDOW earlier AS (
        PARTITION BY merchant, cart, listing_sku, location_id, figure, units IS NULL ORDER BY sheet, line
    )
),
stretches AS (
    SELECT *, sum(is_new) OVER (
        PARTITION BY merchant, cart, listing_sku, location_id, figure, units IS NULL ORDER BY sheet, line
    ) AS stretch
    FROM moves
),
dated AS (
    SELECT *, first_value(since) OVER (
        PARTITION BY merchant, cart, listing_sku, location_id, figure, units IS NULL, stretch
        ORDER BY since IS NULL, sheet, line
    ) AS began
    FROM stretches
)
SELECT merchant, cart,
       json_extract(line.value, '$[0]') AS listing_sku,
       nullif(json_extract(line.value, '$[1]'), '') AS location_id,
       json_extract(line.value, '$[2]') AS desired, {_text("0")} AS desired_at,
       json_extract(line.value, '$[3]') AS sent, {_text("2")} AS sent_at,
       json_extract(line.value, '$[4]') AS accepted, {_text("4")} AS accepted_at,
       json_extract(line.value, '$[5]') AS observed, {_text("6")} AS observed_at,
       {_text("1")} AS desired_run, {_text("3")} AS sent_run,
       {_text("5")} AS accepted_run, {_text("7")} AS observed_run,
       {_text("8")} AS desired_since, {_text("9")} AS observed_since
FROM listing_parts, json_each(listings) AS line
WHERE CASE
    WHEN (merchant, cart, json_extract(line.value, '$[0]'), json_extract(line.value, '$[1]')) IN told_of
    THEN FALSE ELSE TRUE
END
UNION ALL
SELECT merchant, cart, listing_sku, nullif(location_id, ''),
       max(units) FILTER (WHERE figure = 'desired'),
       max(at) FILTER (WHERE figure = 'desired' AND units IS NOT NULL),
       max(units) FILTER (WHERE figure = 'sent'),
       max(at) FILTER (WHERE figure = 'sent' AND units IS NOT NULL),
       max(units) FILTER (WHERE figure = 'accepted'),
       max(at) FILTER (WHERE figure = 'accepted' AND units IS NOT NULL),
       max(units) FILTER (WHERE figure = 'observed'),
       max(at) FILTER (WHERE figure = 'observed' AND units IS NOT NULL),
       max(run) FILTER (WHERE figure = 'desired' AND units IS NOT NULL),
       max(run) FILTER (WHERE figure = 'sent' AND units IS NOT NULL),
       max(run) FILTER (WHERE figure = 'accepted' AND units IS NOT NULL),
       max(run) FILTER (WHERE figure = 'observed' AND units IS NOT NULL),
       max(began) FILTER (WHERE figure = 'desired' AND units IS NOT NULL),
       max(began) FILTER (WHERE figure = 'observed' AND units IS NOT NULL)
FROM dated
WHERE is_last
GROUP BY merchant, cart, listing_sku, location_id
"""  # noqa: S608  figures and texts are never in it
THIRD = _TABLES + _ROWS + _VIEW
