"""What a person is told of messages that were put back: each kind with its number and its ids."""

from cli.stack.restoring import MOST_TOLD, Report, told


def test_each_kind_is_told_with_its_ids_and_many_are_cut_short():
    many = [str(place) for place in range(1000, 1000 + MOST_TOLD + 5)]
    lines = list(told(Report(7, 9, ["21", "22"], ["31"], many, 4)))
    assert lines[0] == "Put back: 7 items of the registry, 9 of the messages."
    assert {"  21", "  22", "  31", "  1000", "  and 5 more: --json has all of them"} <= set(lines)
    assert f"  {many[-1]}" not in lines
    assert any(line.startswith("4 webhooks") for line in lines)


def test_nothing_is_told_of_nobody():
    assert [line for line in told(Report(0, 0, [], [], [], 0)) if line.startswith("  ")] == []
