"""The desk listens where that is safe, and says what it takes elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli.main import cli
from grader.desk.serving import Where, check_where
from grader.errors import UsageError


@pytest.mark.parametrize(
    ("where", "names", "complaint"),
    [
        (Where("0.0.0.0"), ("tina",), "--tls-certificate and --tls-key"),
        (Where("desk.example"), ("tina",), "--tls-certificate and --tls-key"),
        (Where("::"), ("tina",), "--tls-certificate"),
        (Where("127.0.0.1.evil.example"), ("tina",), "--tls-certificate"),
        (Where("127.0.0.1", certificate=Path("c")), ("tina",), "give both"),
        (Where("192.168.0.4", certificate=Path("c"), key=Path("k")), (), "--ta NAME"),
        (Where("192.168.0.4", without_tls=True), (), "--ta NAME"),
    ],
)
def test_beyond_this_machine_it_takes_tls_and_names(where: Where, names: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        check_where(where, names)


@pytest.mark.parametrize(
    ("where", "names"),
    [
        (Where(), ()), (Where("localhost"), ()), (Where("127.9.9.9"), ()), (Where("::1"), ()),
        (Where("0.0.0.0", certificate=Path("c"), key=Path("k")), ("tina",)),
        (Where("0.0.0.0", without_tls=True), ("tina", "uwe")),
    ],
)  # fmt: skip
def test_where_it_is_safe_it_listens(where: Where, names: tuple[str, ...]) -> None:
    check_where(where, names)


def test_a_folder_without_a_gradebook_is_one_clear_line(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["desk", str(tmp_path), "--course", str(tmp_path)])
    assert done.exit_code != 0
    assert "there is no gradebook.sqlite" in done.output
    assert "Traceback" not in done.output
