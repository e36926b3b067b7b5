"""Which data the commands of the learned scorers take, and what they refuse."""

from pathlib import Path

import pytest
import typer

from fitmotion_models.cli_scorers import persons_of, uiprmd_source


def test_a_half_copy_further_down_is_not_taken_for_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FITMOTION_DATA", str(tmp_path))
    deep = tmp_path / "elsewhere" / "segmentedPositions"
    deep.mkdir(parents=True)
    (deep / "m01_s01_e01_positions.txt").write_text("")
    with pytest.raises(ValueError, match="no uiprmd"):
        uiprmd_source(None)
    archive = tmp_path / "uiprmd-s01-s08.tar.xz"
    archive.write_bytes(b"")
    assert uiprmd_source(None) == archive == uiprmd_source(tmp_path)
    assert uiprmd_source(deep) == deep


def test_persons_with_spaces_commas_or_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert persons_of(["s01"], ["s02", "s10"]) == ["s01", "s02", "s10"] == persons_of(["s01,s02", "s10"], [])
    assert persons_of(None, []) is None
    with pytest.raises(typer.Exit):
        persons_of(["s01"], ["bob"])
    assert "'bob' is no person of UI-PRMD" in capsys.readouterr().err
