"""Long output is printed as it comes."""

import csv
import io
import json
from collections.abc import Iterator

import pytest

from matchbox_tui.cli.output import TABLE_ROWS, print_csv, print_json_array, print_table


def test_a_long_table_has_every_row_once_and_grows_wider(
    capsys: pytest.CaptureFixture[str],
) -> None:
    count = 2 * TABLE_ROWS + 1

    def rows() -> Iterator[tuple[int, str]]:
        for number in range(count):
            if number == TABLE_ROWS + 1:
                assert len(capsys.readouterr().out.splitlines()) == TABLE_ROWS + 1
            yield number, "wide" * 9 if number == TABLE_ROWS + 5 else "a"

    print_table(("number", "word"), rows())
    lines = capsys.readouterr().out.splitlines()
    assert [int(line.split()[0]) for line in lines] == list(range(TABLE_ROWS, count))
    assert lines[5] == f"{TABLE_ROWS + 5:>6}  {'wide' * 9}"


def test_a_table_of_exactly_one_part_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("n",), [(number,) for number in range(TABLE_ROWS)])
    assert len(capsys.readouterr().out.splitlines()) == TABLE_ROWS + 1


def test_json_and_csv_in_parts(capsys: pytest.CaptureFixture[str]) -> None:
    parts = [[(1, "a,b")], [(2, 'c"\n'), (3, "")]]
    print_json_array([list(row) for row in part] for part in parts)
    assert json.loads(capsys.readouterr().out) == [[1, "a,b"], [2, 'c"\n'], [3, ""]]
    print_csv(("n", "t"), parts)
    assert capsys.readouterr().out == 'n,t\n1,"a,b"\n2,"c""\n"\n3,\n'


def test_a_name_with_a_carriage_return_stays_in_its_row(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_csv(("n", "t"), [[(1, "a\rb"), (2, "c\r\nd")]])
    read = csv.reader(io.StringIO(capsys.readouterr().out, newline=""))
    assert list(read) == [["n", "t"], ["1", "a\rb"], ["2", "c\r\nd"]]


def test_nothing_is_an_empty_array(capsys: pytest.CaptureFixture[str]) -> None:
    print_json_array([])
    assert capsys.readouterr().out == "[]\n"
