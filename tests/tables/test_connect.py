"""SQL over traces decodes what a query names, once."""

import pytest

import gotrace
from gotrace.tables.connect import Library, needs
from gotrace.tables.trace import Trace


@pytest.fixture
def decoded(monkeypatch):
    """Which tables and columns each pass decoded."""
    passes = []
    begin = Trace._begin

    def note(self, schemas, *rest):
        passes.append({name: schema.names for name, schema in schemas.items()})
        return begin(self, schemas, *rest)

    monkeypatch.setattr(Trace, "_begin", note)
    return passes


def test_a_query_decodes_only_what_it_names_and_once(real, decoded):
    trace = gotrace.open(real("io-go1.27"))
    with gotrace.connect(trace) as connection:
        query = "select kind, count(*) from events where goroutine = 1 group by kind order by kind"
        rows = connection.sql(query).fetchall()
        assert [set(names) for names in decoded[0].values()] == [{"kind", "goroutine"}]
        assert connection.sql(query).fetchall() == rows
        assert len(decoded) == 1
        expected = trace.table("events").to_pylist()
        assert sum(n for _, n in rows) == sum(1 for row in expected if row["goroutine"] == 1)


def test_counting_and_joining(real):
    trace = gotrace.open(real("io-go1.27"))
    with gotrace.connect(trace) as connection:
        assert connection.execute("select count(*) from events").fetchone() == (
            trace.table("events").num_rows,
        )
        missing = connection.execute(
            "select count(*) from events e anti join stacks s using (stack_id)"
            " where e.stack_id is not null"
        )
        assert missing.fetchone() == (0,)
        connection.execute("create table kept as select * from logs")


def test_several_files_have_a_source_column(real):
    paths = [real("io-go1.25"), real("io-go1.27"), real("io-go1.27")]
    with gotrace.connect(*paths) as connection:
        rows = connection.sql("select source, count(*) from events group by 1").fetchall()
        assert len(rows) == 3
        assert {str(paths[0]), str(paths[1]), f"{paths[1]} (2)"} == {source for source, _ in rows}
    with pytest.raises(ValueError, match="at least one"):
        gotrace.connect()


def test_needs_of_a_query():
    join = "select site from events join stacks using (stack_id) where kind = 'log'"
    assert {name: set(columns) for name, columns in needs(join).items()} == {
        "events": {"kind", "stack_id"},
        "stacks": {"stack_id", "site"},
    }
    common = "with g as (from goroutine_transitions) select count(*) from g where life > 0"
    assert needs(common) == {"goroutine_transitions": ["life"]}
    assert len(needs("from metrics")["metrics"]) == len(gotrace.schema("metrics"))
    for untold in ("select nonsense from events", "create table x as from logs", "selec"):
        assert needs(untold) == {}


def test_fetch_decodes_all_tables_of_a_query_in_one_pass(real, decoded):
    query = "select site, count(*) from events join stacks using (stack_id) group by 1"
    library = Library([real("io-go1.27")])
    library.fetch(needs(query))
    with library.connect() as connection:
        assert connection.sql(query).fetchall()
    assert len(decoded) == 1


def test_what_does_not_fit_in_the_cache_is_decoded_again(real, decoded):
    with gotrace.connect(real("io-go1.27"), cache_bytes=1000) as connection:
        first = connection.execute("select count(*), max(seq) from events").fetchone()
        assert connection.execute("select count(*), max(seq) from events").fetchone() == first
    assert len(decoded) == 2


def test_numbers_of_go(real):
    """A goroutine that blocked forever has ended, to Go."""
    query = "select count(ended_at_ns) from goroutines"
    path = real("blocking-go1.27")
    with gotrace.connect(path, compat="go") as connection:
        ended = connection.execute(query).fetchone()
    table = gotrace.open(path).table("goroutines", compat="go")
    assert ended == (table.num_rows - table["ended_at_ns"].null_count,)
    with gotrace.connect(path) as connection:
        assert connection.execute(query).fetchone() < ended
    with pytest.raises(ValueError, match="compat"):
        gotrace.connect(path, compat="rust")
