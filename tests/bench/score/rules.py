"""programme.yaml, without its text want, as SQL: the same integers, by the best means that PostgreSQL has.

Two tables hold the candidates. `bits` keeps sets of codes as bit strings and counts what two have in common
with bit_count(a & b); `arrays` keeps them as integer arrays (extension intarray), with GIN indexes. Small
sets (stages, languages, markets) are masks in a number in both. What can be worked out when a row is stored
stands in a column (money as cells, days as numbers, the sectors with all of their groups), columns are NOT
NULL and of fixed width first, so that a scan of them is as cheap as it gets. Missing values are numbers
that pass the requirement, as `missing: pass` wants it; relations.h has them.

The rules, from the scoring page:
  overlap  S the smaller of the two sets, e its codes in the other, g those of which only the group is there:
           (10000 e + 5000 g) / |S|. With W(X) all codes of X's groups, e + g = |S and W(other)|.
  range    cells in both / cells of the viewer; here they always meet, or a requirement would have failed
  stage    10000, 6000, 2000, 0 for 0, 1, 2, more places apart; through the curve 10000, 2000, 666, 0;
           unknown is 5000, through the curve 1666
  record   10000 h / (h + 3)
"""

NO_DAY, NO_CELL = 2000000, 32767

# name and type in the file, by position; None: only in the file
CANDIDATE_COLUMNS = """
    n int, id text COLLATE "C", may_match bool, accepts int, orders int, languages bigint, avail_from int,
    avail_to int, markets bigint, n_sectors int, sectors_array int[], sectors_bits bit({sectors}),
    wide_array int[], wide_bits bit({sectors}), ticket_lo int, ticket_hi int, capacity int,
    n_offers int, offers_array int[], offers_bits bit({needs}), record smallint[]
"""
VIEWER_COLUMNS = """
    n int, accepts int, reach0 int, reach1 int, reach2 int, languages bigint, avail_from int, avail_to int,
    markets bigint, n_sectors int, sectors_array int[], sectors_bits bit({sectors}), wide_array int[],
    wide_bits bit({sectors}), raising_lo int, raising_hi int, team int, n_needs int, needs_array int[],
    needs_bits bit({needs}), sector1 int, sector2 int, sector3 int, id text COLLATE "C"
"""
# What is looked at first stands first: a row that fails is not unpacked further.
KEPT_COLUMNS = """accepts, avail_from, avail_to, ticket_lo, ticket_hi, languages, may_match, orders, markets,
    n_sectors, capacity, n_offers, n"""


def load(folder, sectors, needs):
    """The statements that fill the tables from the files of bench_score."""
    sizes = {"sectors": sectors, "needs": needs}
    return [
        "CREATE EXTENSION intarray",
        f"CREATE TABLE loaded ({CANDIDATE_COLUMNS.format(**sizes)})",
        f"CREATE TABLE viewers ({VIEWER_COLUMNS.format(**sizes)})",
        "CREATE TABLE records (n int, code int, outcomes int)",
        f"\\copy loaded FROM '{folder}/candidates.csv' CSV",
        f"\\copy records FROM '{folder}/records.csv' CSV",
        # each line of viewers.csv ends with a comma
        f"\\copy viewers FROM PROGRAM 'sed s/,$// {folder}/viewers.csv' CSV",
        f"CREATE TABLE bits AS SELECT {KEPT_COLUMNS}, sectors_bits AS sectors, wide_bits AS wide, "
        "offers_bits AS offers, id, record FROM loaded ORDER BY n",
        f"CREATE TABLE arrays AS SELECT {KEPT_COLUMNS}, sectors_array AS sectors, wide_array AS wide, "
        "offers_array AS offers, id FROM loaded ORDER BY n",
        "DROP TABLE loaded",
        "CREATE INDEX ON arrays USING gin (sectors gin__int_ops)",
        "CREATE INDEX ON arrays USING gin (offers gin__int_ops)",
        "CREATE INDEX ON bits (accepts, ticket_lo, ticket_hi)",
        "CREATE INDEX ON arrays (accepts, ticket_lo, ticket_hi)",
        "CREATE INDEX ON records (code, n)",
        "VACUUM (ANALYZE, FREEZE) bits",
        "VACUUM (ANALYZE, FREEZE) arrays",
        "VACUUM (ANALYZE, FREEZE) records",
        "VACUUM (ANALYZE, FREEZE) viewers",
    ]


# Common to both tables; {p[…]} is a value of the viewer.
QUERY = """
SELECT id, CASE WHEN a + b = 0 THEN 0 ELSE 2 * a * b / (a + b) END AS score
FROM (
  SELECT id,
    (( 40 * CASE WHEN n_offers = 0 OR {p[n_needs]} = 0 THEN 5000
                 ELSE 10000 * met / {p[n_needs]} END
     + 25 * CASE WHEN n_sectors = 0 OR {p[n_sectors]} = 0 THEN 5000
                 WHEN {p[n_sectors]} <= n_sectors THEN 5000 * (shared + viewer_near) / {p[n_sectors]}
                 ELSE 5000 * (shared + candidate_near) / n_sectors END
     + 30 * CASE WHEN ticket_hi = {no_cell} OR {p[raising_hi]} = {no_cell} THEN 5000
                 ELSE 10000 * cells / ({p[raising_hi]} - {p[raising_lo]} + 1) END
     + 10 * CASE WHEN markets = 0 OR {p[markets]} = 0 THEN 5000
                 WHEN markets & {p[markets]} <> 0 THEN 10000 ELSE 0 END
     + 15 * CASE WHEN {p[n_sectors]} = 0 THEN 5000 ELSE 10000 * h / (h + 3) END
     +  5 * CASE WHEN capacity < 0 OR {p[team]} < 0 THEN 5000
                 WHEN capacity >= {p[team]} THEN 10000 ELSE 10000 * capacity / {p[team]} END
     + 10 * CASE WHEN avail_from = -{no_day} OR {p[avail_from]} = -{no_day} THEN 5000
                 ELSE 10000 * days / ({p[avail_to]} - {p[avail_from]} + 1) END
     ) / 135)::int AS a,
    (( 45 * CASE WHEN n_sectors = 0 OR {p[n_sectors]} = 0 THEN 5000
                 WHEN n_sectors <= {p[n_sectors]} THEN 5000 * (shared + candidate_near) / n_sectors
                 ELSE 5000 * (shared + viewer_near) / {p[n_sectors]} END
     + 30 * CASE WHEN ticket_hi = {no_cell} OR {p[raising_hi]} = {no_cell} THEN 5000
                 ELSE 10000 * cells / (ticket_hi - ticket_lo + 1) END
     + 25 * CASE WHEN orders = 0 OR {p[reach0]} = 0 THEN 1666
                 WHEN orders & {p[reach0]} <> 0 THEN 10000
                 WHEN orders & {p[reach1]} <> 0 THEN 2000
                 WHEN orders & {p[reach2]} <> 0 THEN 666 ELSE 0 END
     + 15 * CASE WHEN {p[team]} < 0 THEN 5000 WHEN {p[team]} >= 10 THEN 10000 ELSE 1000 * {p[team]} END
     + 15 * CASE WHEN n_offers = 0 OR {p[n_needs]} = 0 THEN 10000
                 ELSE LEAST(10000, 2 * (10000 * met / n_offers)) END
     ) / 130)::int AS b
  FROM (
    SELECT id, n_offers, n_sectors, ticket_lo, ticket_hi, markets, capacity, orders, avail_from,
      LEAST(ticket_hi, {p[raising_hi]}) - GREATEST(ticket_lo, {p[raising_lo]}) + 1 AS cells,
      LEAST(avail_to, {p[avail_to]}) - GREATEST(avail_from, {p[avail_from]}) + 1 AS days,
      {met} AS met, {shared} AS shared, {viewer_near} AS viewer_near, {candidate_near} AS candidate_near,
      {h} AS h
    FROM {table}
    WHERE accepts & {p[accepts]} <> 0
      AND avail_from <= {p[avail_to]} AND avail_to >= {p[avail_from]}
      AND ticket_lo <= {p[raising_hi]} AND ticket_hi >= {p[raising_lo]}
      AND languages & {p[languages]} <> 0 AND may_match
    OFFSET 0
  ) compared
  OFFSET 0
) views
ORDER BY score DESC, id LIMIT 10
"""

# How each table counts codes, and where it has the track record.
TABLES = {
    "bits": {
        "table": "bits",
        "met": "bit_count(offers & {p[needs_bits]})::int",
        "shared": "bit_count(sectors & {p[sectors_bits]})::int",
        "viewer_near": "CASE WHEN {p[n_sectors]} <= n_sectors "
                       "THEN bit_count(wide & {p[sectors_bits]})::int END",
        "candidate_near": "CASE WHEN n_sectors <= {p[n_sectors]} "
                          "THEN bit_count(sectors & {p[wide_bits]})::int END",
        "h": "CASE WHEN record IS NULL THEN 0 ELSE GREATEST(record[{p[sector1]}], "
             "record[{p[sector2]}], record[{p[sector3]}])::int END",
    },
    "arrays": {
        "table": "arrays LEFT JOIN (SELECT n, max(outcomes) AS h FROM records "
                 "WHERE code = ANY ({p[sectors_array]}) GROUP BY n) best USING (n)",
        "met": "icount(offers & {p[needs_array]})",
        "shared": "icount(sectors & {p[sectors_array]})",
        "viewer_near": "CASE WHEN {p[n_sectors]} <= n_sectors "
                       "THEN icount(wide & {p[sectors_array]}) END",
        "candidate_near": "CASE WHEN n_sectors <= {p[n_sectors]} "
                          "THEN icount(sectors & {p[wide_array]}) END",
        "h": "COALESCE(h, 0)",
    },
}


def parameters(sectors, needs):
    """The viewer's columns that the query looks at: [(name, type)]."""
    columns = VIEWER_COLUMNS.format(sectors=sectors, needs=needs).split(",")
    pairs = [tuple(column.split()[:2]) for column in columns]
    return [pair for pair in pairs if pair[0] not in ("n", "id")]


def query(table, values):
    """The query over a table, `values` naming what stands for each value of the viewer."""
    parts = {name: text.format(p=values) for name, text in TABLES[table].items()}
    return QUERY.format(p=values, no_cell=NO_CELL, no_day=NO_DAY, **parts)
