"""Mapping files: what they may say, what is refused and how, and that no SQL of theirs is run."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentledger.ingest import mapped_format, mapping, mapping_expressions
from agentledger.ingest.event_projection import projection_sql
from agentledger.ingest.mapping import MappingError
from agentledger.ingest.mapping_sql import Compiler
from agentledger.ingest.mapping_tree import ExpressionError

RECORD = {
    "a": 2, "b": "3", "t": "Text", "yes": True, "no": None, "o": {"x y": 5, "it's": 6, 'q"': 7},
    "n": [1, 2, 4], "m": [{"r": "u", "k": 1}, {"r": "v", "k": 2}, {"r": "v", "k": None}],
    "deep": [{"in": [{"v": 1}, {"v": 2}]}, {"in": []}, {"in": [{"v": 3}]}],
    "start": "2026-01-01T10:00:00Z", "end": "2026-01-01T10:00:01.500Z", "a/b~c": 8,
}  # fmt: skip


def minimal(field: str = "") -> bytes:
    return (
        'name = "m"\n[fields]\nagent_id = "who"\n'
        'occurred_at = { from = "at", unit = "iso" }\n' + field
    ).encode()


def value_of(text: str, record: Any = RECORD) -> Any:
    """The value of an expression over a record, as text."""
    compiler = Compiler(has_document=False)
    sql = compiler.text(mapping_expressions.parse(text))
    places = ", ".join("'" + place.replace("'", "''") + "'" for place in compiler.places or [""])
    with duckdb.connect() as connection:
        connection.execute("set enable_external_access = false")
        [(value,)] = connection.execute(
            f"select try({sql}) from (select record, json_extract_string(record, [{places}]) as x "
            "from (select ?::varchar as record)) as r",
            [json.dumps(record)],
        ).fetchall()
    return value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", "2"),
        ("missing ?? no ?? b", "3"),
        ("a + b * 2", "8"),
        ("-(a - b) / 4", "0.25"),
        ("o.`x y` + o.`it's` + o.`q\"`", "18"),
        ("`a/b~c`", "8"),
        ("n[1]", "2"),
        ("sum(n[])", "7"),
        ('sum(m[r == "v"].k)', "2"),
        ("count(m[].k)", "2"),
        ("count(m[k > 1 or r == 'u'])", "2"),
        ("sum(deep[].in[].v)", "6"),
        ("max(deep[].in[].v)", "3"),
        ("first(m[].r)", "u"),
        ("last(m[].r)", "v"),
        ("count(missing[])", None),
        ("count(deep[1].in[])", "0"),
        ("sum(missing[].k)", None),
        ("lower(t)", "text"),
        ("part(start, 'T', 1)", "2026-01-01"),
        ("concat(t, '/', a)", "Text/2"),
        ("concat(t, no)", None),
        ("seconds_between(start, end)", "1.5"),
        ("yes", "true"),
        ("a == 2.0", "true"),
        ("not (a > 1 and yes)", "false"),
        ("no == null", "true"),
        ("no == 1", None),
        ("if(yes, t, 'x')", "Text"),
        ("contains(t, 'ex') and starts_with(t, 'T')", "true"),
        ("a / 0 ?? 'unknown'", "unknown"),
        ("t + 1", None),
    ],
)
def test_an_expression_means_what_it_says(text: str, expected: str | None) -> None:
    """Worked out by hand; what does not fit where it stands is unknown, never an error."""
    assert value_of(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "read_csv('/etc/passwd')", "read_text('/etc/passwd')", "getenv('HOME')", "glob('*')",
        "getvariable('hmac_inner')", "current_setting('home_directory')", "query('select 1')",
        "(select 1)", "a; attach 'x' as y", "a --", "a /* b */", "1 union select 2",
        "a::varchar", "struct.*", "cast(a as varchar)", "a is null", "sum(a)", "n[]",
        "coalesce()", "if(a, b)", "a.", ".a", "a..b", "and", "a[", "a]", "'open", "a $ b",
        "$", "$.", "$[0]", "a = b", "a == b == c", "n[-1]", "lambda x: x", "x -> x", "{a}",
        "", " ", "\x00", "a\u2028b", "(" * 5000, "a" * 3000, "-" * 100 + "a", "not " * 100 + "a",
        " + ".join(["a"] * 500), "a[b[c[d[e[f[0]]]]]", "sum(a[].b[].c[].d[].e)", "1e999999",
    ],
)  # fmt: skip
def test_what_is_not_of_the_language_is_refused_with_a_reason(text: str) -> None:
    """No function that opens, no statement, no comment, no cast: nothing but the record."""
    with pytest.raises(ExpressionError) as refused:
        Compiler(has_document=False).text(mapping_expressions.parse(text))
    assert str(refused.value)


@given(st.text(max_size=200) | st.text("ab.[]()'\"`$+-*/<>=!?,0 19", max_size=60))
@settings(max_examples=400, deadline=None)
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    """Nothing else is raised, whatever is written."""
    try:
        Compiler(has_document=False).text(mapping_expressions.parse(text))
    except ExpressionError as refused:
        assert str(refused)


PIECES = st.sampled_from(
    ["a", "o.`x y`", "`'; drop table t; --`", "'it''s", "\"it's\"", "'\"'", "n[]", "m[r == 'v'].k",
     "sum(", "count(", "coalesce(", "if(", "part(", ")", ",", "+", "??", "==", "and", "not", "1",
     "2.5", "null", "true", "$.a", "[", "]", "first(", "`read_csv`", "concat("]
)  # fmt: skip
WORDS = frozenset(
    re.findall(
        r"\S+",
        """regexp_replace cast as varchar double boolean integer timestamptz case when then else end
    list_transform list_filter list_sum list_min list_max lambda v item1 item2 item3 is not null
    flatten try_cast len epoch json_extract json_extract_string split_part nullif coalesce lower
    upper trim contains starts_with and or true false x r record""",
    )
)


@given(st.lists(PIECES, min_size=1, max_size=9).map(" ".join))
@settings(max_examples=500, deadline=None)
def test_the_sql_of_an_expression_holds_no_word_of_the_mapping(text: str) -> None:
    """Outside of quoted literals there stand words of ours alone."""
    try:
        sql = Compiler(has_document=False).text(mapping_expressions.parse(text))
    except ExpressionError:
        return
    bare = re.sub("'(?:[^']|'')*'", "''", sql)
    assert set(re.findall("[A-Za-z_][A-Za-z_0-9]*", bare)) <= WORDS
    assert not re.search(r"--|/\*|;|\"", bare)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_a_mapping_or_refused(data: bytes) -> None:
    with pytest.raises(MappingError):
        mapping.parse(data, "x.toml")


@given(
    st.dictionaries(
        st.sampled_from([*mapping.FIELDS, "name", "odd"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=12),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["from", "value", "unit", "map", "otherwise", "unknown"]), inner
                )
            ),
            max_leaves=6,
        ),
        max_size=6,
    )
)
@settings(max_examples=200, deadline=None)
def test_any_table_of_fields_is_a_mapping_or_refused(fields: dict[str, Any]) -> None:
    """Whatever type stands where: a mapping, or an error of ours."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    document = {"name": "m", "fields": {"agent_id": "a", **fields}}
    try:
        data = tomlkit.dumps(document).encode()
    except (TOMLKitError, ValueError, UnicodeEncodeError):
        return
    try:
        mapped_format.compiled(mapping.parse(data, "x.toml"))
    except MappingError as refused:
        assert str(refused).startswith("x.toml")


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        ('cost_cents = "cost"', 5, "say in which unit"),
        ('latency_ms = { from = "d", unit = "hours" }', 5, "ms, s, min"),
        ('model = { from = "m", unit = "usd" }', 5, "takes no unit"),
        ("model = \"read_csv('/etc/passwd')\"", 5, "no such function"),
        ('patterns = "lower(a)"', None, "path to a list"),
        ('succes = "a"', 5, "is not known in [fields]"),
        ("success = { map = { a = true } }", 5, "either an expression"),
        ("success = { from = 'a', map = { a = [1] } }", 5, "no text, number or truth value"),
        ("success = { from = 'a', map = {} }", 5, "`map` as a table"),
        ('model = { value = "\\u0000" }', 5, "control character"),
        ('model = "tools[]"', None, "many values"),
    ],
)
def test_an_error_names_the_file_the_line_the_field_and_what_to_do(
    change: str, line: int | None, said: str
) -> None:
    """A person can mend it without looking at our code."""
    with pytest.raises(MappingError) as refused:
        mapped_format.compiled(mapping.parse(minimal(change), "mine.toml"))
    message = str(refused.value)
    assert message.startswith("mine.toml" if line is None else f"mine.toml, line {line}")
    assert re.split(r"\W", change)[0] in message
    assert said in message


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'name = "a"', "[fields]"),
        (b'name = "A b"\n[fields]', "small letters"),
        (b'name = "a"\n[fields]\nagent_id = "x"', "occurred_at"),
        (b'name = "a"\nzone = "Mars/Base"\n' + minimal()[11:], "zone"),
        (b'records = "../../etc/passwd"\n' + minimal(), "records"),
        (b'records = "runs"\n' + minimal(), "$.runs"),
        (b"where = 1\n" + minimal(), "where"),
        (b'requires = "a"\n' + minimal(), "requires"),
        (b'include = "/etc/passwd"\n' + minimal(), "is not known"),
        (b'delimiter = "--"\n' + minimal(), "delimiter"),
        (b"\xff", "UTF-8"),
        (b"a = 1\na = 2", "not TOML"),
        (b"#" * 70_000, "larger than"),
        (b"a = " + b"[" * 5000, "not TOML"),
    ],
)
def test_a_bad_mapping_says_what_is_bad(data: bytes, said: str) -> None:
    with pytest.raises(MappingError) as refused:
        mapping.parse(data, "mine.toml")
    assert said in str(refused.value)


def test_names_and_literals_of_a_hostile_mapping_stay_data() -> None:
    """Quotes, comments and statements in every place that takes a text."""
    evil = "'; drop table raw.files; --"
    quoted = json.dumps(evil)
    data = (
        f'name = "m"\nrequires = [{quoted}]\nignore = [{quoted}]\n'
        f'where = "`{evil}` == \\"it\'s\\""\n[fields]\nagent_id = {{ value = {quoted} }}\n'
        f'occurred_at = {{ from = "`{evil}`.`\'`", unit = "iso", unknown = [{quoted}] }}\n'
        f'success = {{ from = "a", map = {{ {quoted} = true }}, otherwise = {quoted} }}\n'
        f'patterns = "`{evil}`"\n'
    ).encode()
    found = mapped_format.compiled(mapping.parse(data, "evil.toml")).format
    sql = projection_sql(found, "texts", (evil,), is_clean=False)
    with duckdb.connect() as connection:
        connection.execute("create schema raw; create table raw.files (a int)")
        connection.execute("set variable hmac_inner = ''::blob; set variable hmac_outer = ''::blob")
        connection.execute(
            "create table batch_files as select 1 as file_id, 's' as source_id, 'p' as project_id, "
            "true as names_projects, false as keeps_texts"
        )
        record = json.dumps({evil: "it's"})
        connection.execute(
            "create table texts as select 1 as file_id, 1 as line_no, 0 as byte_offset, "
            "0 as ordinal, ?::varchar as record, null::varchar as flags",
            [record],
        )
        [(agent, left_out)] = connection.execute(
            f"select agent_id, is_left_out from ({sql})"
        ).fetchall()
        assert connection.execute("select count(*) from raw.files").fetchall() == [(0,)]
    assert (agent, left_out) == ("other", False)


def test_every_shipped_mapping_compiles_and_is_named_like_its_file() -> None:
    """Should list what the documentation names."""
    assert mapping.shipped() == ["aider", "mini-swe-agent", "tau2-bench"]
    for name in mapping.shipped():
        found = mapping.load(name)
        assert (found.name, found.reference) == (name, name)
        mapped_format.compiled(found)


def test_every_mapping_in_the_documentation_works() -> None:
    """Should be taken as written."""
    page = Path(__file__).resolve().parents[2] / "docs/mappings.md"
    blocks = re.findall("```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    whole = [block for block in blocks if "[fields]" in block]
    assert whole
    for block in whole:
        assert tomllib.loads(block)
        mapped_format.compiled(mapping.parse(block.encode(), "docs/mappings.md"))
