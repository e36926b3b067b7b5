"""Definitions of messages: the text that other programs read back."""

import pytest

from fitmotion_models.exchange.ros_schema import UnknownDefinitionError, fields_of, full_definition, split_type_name

from .conftest import ITEM, REPORT, REPORT_WHOLE, SEPARATOR, definition_of


def test_contained_types_follow_each_once() -> None:
    assert full_definition("a_msgs/msg/Report", definition_of) == REPORT_WHOLE


def test_other_libraries_read_the_definition() -> None:
    typesys = pytest.importorskip("rosbags.typesys")
    types = typesys.get_types_from_msg(REPORT_WHOLE, "a_msgs/msg/Report")
    assert set(types) == {
        "a_msgs/msg/Report",
        "a_msgs/msg/Item",
        "std_msgs/msg/Header",
        "builtin_interfaces/msg/Time",
    }
    names = [name for name, _ in types["a_msgs/msg/Report"][1]]
    assert names == ["header", "name", "position", "items", "few", "word"]


def test_fields_are_what_decides_the_bytes() -> None:
    fields = fields_of(REPORT_WHOLE)
    assert [name for kind, name in fields if kind != "MSG:"] == [
        *("header", "name", "position", "items", "few", "word"),
        *("value", "flags", "at", "sec", "nanosec", "stamp", "frame_id"),
    ]
    assert fields == fields_of(REPORT_WHOLE.replace("# metres", "# other words"))
    assert fields != fields_of(REPORT_WHOLE.replace("float32[3]", "float32[4]"))
    assert fields != fields_of(REPORT_WHOLE.replace("MSG: a_msgs/Item", "MSG: b_msgs/Item"))


@pytest.mark.parametrize("text", [f"# {REPORT_WHOLE[2:30]}", "", "uint8 ONLY=1\n"])
def test_definitions_without_fields(text: str) -> None:
    assert fields_of(text) == ()
    assert full_definition("a_msgs/Empty", lambda package, name: text) == text


def test_names_of_types() -> None:
    assert split_type_name("a_msgs/msg/Report") == split_type_name("a_msgs/Report") == ("a_msgs", "Report")
    with pytest.raises(UnknownDefinitionError, match="expected package/msg/Name"):
        split_type_name("a_msgs/srv/Do")


def test_a_type_that_holds_others_of_its_own_package() -> None:
    whole = full_definition("a_msgs/Item", definition_of)
    assert whole.startswith(ITEM) and whole.count(SEPARATOR) == 1
    assert REPORT not in whole
