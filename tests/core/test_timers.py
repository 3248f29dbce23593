"""The table of timers against a plain dict."""

from hypothesis import given
from hypothesis import strategies as st

from roomkit.core.timers import Timer, Timers

timer = st.sampled_from([Timer.GRACE, Timer.TYPING])
key = st.sampled_from(["a", "b"])
at = st.integers(0, 20)
step = st.one_of(
    st.tuples(st.just("set"), timer, key, at),
    st.tuples(st.just("set_if_unset"), timer, key, at),
    st.tuples(st.just("cancel"), timer, key),
    st.tuples(st.just("take_due"), at),
)


@given(st.lists(step, max_size=200))
def test_it_does_what_a_plain_dict_would(steps: list[tuple[object, ...]]) -> None:
    timers = Timers()
    model: dict[tuple[Timer, str], int] = {}
    for what, *arguments in steps:
        match what, arguments:
            case "set", [Timer() as name, str() as of, int() as due]:
                timers.set(name, of, due)
                model[name, of] = due
            case "set_if_unset", [Timer() as name, str() as of, int() as due]:
                timers.set_if_unset(name, of, due)
                model.setdefault((name, of), due)
            case "cancel", [Timer() as name, str() as of]:
                timers.cancel(name, of)
                model.pop((name, of), None)
            case "take_due", [int() as now]:
                expected = sorted((due, *which) for which, due in model.items() if due <= now)
                assert list(timers.take_due(now)) == [(name, of) for _, name, of in expected]
                model = {which: due for which, due in model.items() if due > now}
        assert timers.next_deadline == min(model.values(), default=None)
        assert len(timers) == len(model)
        assert all(which in timers for which in model)


def test_a_timer_set_while_others_fire_fires_in_its_turn() -> None:
    timers = Timers()
    timers.set(Timer.GRACE, "a", 1)
    fired: list[str] = []
    for _, which in timers.take_due(5):
        fired.append(which)
        if which == "a":
            timers.set(Timer.GRACE, "b", 3)
            timers.set(Timer.GRACE, "c", 9)
    assert (fired, timers.next_deadline) == (["a", "b"], 9)


def test_a_timer_moved_again_and_again_takes_no_room() -> None:
    timers = Timers()
    for due in range(10_000, 0, -1):
        timers.set(Timer.GRACE, "a", due)
        assert timers.next_deadline == due
    assert len(timers._heap) < 200


def test_tables_with_the_same_timers_are_equal() -> None:
    one, other = Timers(), Timers()
    one.set(Timer.GRACE, "a", 9)
    one.set(Timer.GRACE, "a", 5)
    other.set(Timer.GRACE, "a", 5)
    assert one == other
    other.set(Timer.GRACE, "b", 5)
    assert one != other
    assert one != {}
