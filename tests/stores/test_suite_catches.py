"""Every law of `StoreSuite` can be broken and is then reported: each has a store that breaks it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from inspect import iscoroutinefunction

import anyio
import pytest
from hypothesis import Phase, settings

from roomkit.stores import MemoryStore
from roomkit.testing.store_suite import StoreFactory, StoreSuite
from tests.stores import broken_log as log
from tests.stores import broken_rest as rest

BREAKAGES: dict[str, tuple[type[MemoryStore], ...]] = {
    # Appends
    "seqs_are_dense_from_one": (log.SkipsASeq,),
    "every_link_is_chained_from_the_one_before": (log.HashesTheFactAlone,),
    "the_first_prev_is_random": (log.BeginsEveryLogAlike,),
    "time_never_goes_back": (log.TrustsTheClock,),
    "facts_are_kept_byte_for_byte": (log.TakesFactsForText,),
    "only_the_last_fact_of_a_control_append_is_marked": (log.MarksTheWholeAppend,),
    "outcomes_come_in_the_order_of_the_appends": (log.AnswersBackwards,),
    "a_large_append_is_stored_whole": (log.DropsWhatIsLarge,),
    "rooms_whose_names_are_alike_do_not_mix": (log.FoldsRoomNames,),
    "two_nodes_appending_at_once_share_one_log": (log.LosesTheRace,),
    # Nonces and fences
    "a_repeated_nonce_repeats_the_outcome_and_writes_nothing": (log.ForgetsNonces,),
    "a_repeated_nonce_is_answered_whatever_is_trimmed": (log.ForgetsNoncesWithTheLog,),
    "a_nonce_is_remembered_for_a_day": (log.ForgetsNoncesInAnHour,),
    "a_lower_nonce_is_refused": (log.TakesOlderNonces,),
    "nonces_belong_to_one_room_and_one_node": (log.CountsNodesTogether, log.CountsRoomsTogether),
    "a_refusal_is_not_recorded": (log.RecordsRefusals,),
    "a_wrong_fence_is_refused_and_writes_nothing": (log.IgnoresTheFence, log.StoresWhatItRefuses),
    "a_control_fact_moves_the_fence_even_within_one_call": (
        log.NeverMovesTheFence,
        log.ChecksFencesOnceACall,
    ),
    "before_the_first_control_fact_only_the_empty_fence_is_right": (log.TakesAnyFirstFence,),
    "the_fence_outlives_the_log": (log.ForgetsTheFenceWithTheLog,),
    "what_was_judged_after_an_entry_that_is_lost_is_refused": (log.ForgetsWhatWasSeen,),
    "what_was_judged_in_the_same_call_is_there": (log.ChecksWhatWasSeenOnceACall,),
    "an_append_is_stored_whole_or_not_at_all": (log.StoresWhatItRefuses,),
    # Keys
    "a_known_key_is_answered_with_its_entry": (log.ForgetsKeys,),
    "a_key_repeated_in_one_append_is_known_at_once": (log.RecordsKeysAfterwards,),
    "known_and_new_facts_may_be_mixed": (log.LeavesOutKnownFacts,),
    "a_known_key_does_not_excuse_a_wrong_fence": (log.ChecksKeysBeforeTheFence,),
    "keys_belong_to_one_room": (log.SharesKeysBetweenRooms,),
    "a_key_outlives_its_entry": (log.ForgetsKeysWithTheLog,),
    "a_key_is_known_as_long_as_the_limit_says": (log.ForgetsKeysInAMinute,),
    "a_key_is_forgotten_in_the_end": (log.NeverForgetsKeys,),
    # Reading
    "read_gives_the_entries_after_a_seq": (rest.ReadsTheSeqItself,),
    "what_was_trimmed_is_not_read": (rest.HidesWhatItTrimmed,),
    "every_handle_reads_at_once_what_one_appended": (rest.ReadsOnlyItsOwn,),
    "a_handle_opened_later_finds_everything": (rest.ForgetsWhenClosed,),
    "a_room_nobody_appended_to_is_empty": (rest.CountsEmptyRoomsFromOne,),
    "looking_creates_nothing": (rest.MakesRoomsWhenFollowed,),
    "tips_name_the_rooms_that_have_a_log": (rest.TipsOfAnyRoom,),
    "rooms_are_listed_in_code_point_order": (rest.ListsRoomsByCase,),
    # Saving
    "the_snapshot_and_the_entries_after_it_are_the_whole_room": (rest.LoadsTheSnapshotsEntryToo,),
    "load_brings_the_newest_messages": (rest.LoadsTheOldestMessages,),
    "a_position_that_is_not_in_the_log_is_refused": (rest.TrustsThePosition,),
    "a_snapshot_that_is_not_newer_is_refused": (rest.SavesOverNewerSnapshots,),
    "a_newer_format_is_never_saved_over": (rest.SavesOverNewerFormats,),
    "a_refused_save_trims_nothing": (rest.TrimsBeforeItRefuses,),
    "messages_above_the_kept_snapshot_are_replaced": (rest.NeverReplacesMessages,),
    "older_messages_are_replaced_one_by_one": (rest.IgnoresOlderMessages,),
    "saving_trims_the_log_by_count": (rest.NeverTrims, rest.TrimsPastTheSnapshot),
    "saving_trims_the_log_by_age": (rest.TrimsByCountAlone,),
    "a_log_trimmed_to_its_snapshot_goes_on": (rest.TrimsTheSnapshotsEntry,),
    # Pages
    "a_page_before_a_seq_has_the_newest_below_it": (rest.PagesOneFurther,),
    "a_page_after_a_seq_has_the_oldest_above_it": (rest.PagesOneFurther,),
    "a_page_around_a_seq_has_both_sides": (rest.PagesOneFurther,),
    "no_page_goes_past_the_snapshot": (rest.PagesPastTheSnapshot,),
    "walking_back_and_forth_meets_every_message_once": (rest.HidesOlderMessages,),
    # The feed
    "a_follower_is_told_of_appends": (rest.TellsNobody, rest.InventsEntries),
    "a_handle_is_not_told_of_its_own_appends": (rest.TellsItselfToo,),
    "a_handle_is_told_only_of_rooms_it_follows": (rest.NeverUnfollows, rest.FollowsEverything),
    "a_signal_reaches_followers_and_no_log": (
        rest.TellsNobody,
        rest.CutsSignals,
        rest.LogsSignals,
    ),
    "a_handle_is_not_told_of_its_own_signals": (rest.TellsItselfToo,),
    "a_feed_nobody_reads_holds_nobody_up": (rest.WaitsForReaders,),
    # Leases and the secret
    "a_node_without_a_lease_is_lapsed": (rest.BelievesInEveryNode,),
    "a_lease_ends_unless_it_is_renewed": (rest.LeasesForEver,),
    "a_lease_can_be_made_shorter": (rest.NeverShortensALease,),
    "the_secret_is_one_for_all_handles": (rest.HasASecretPerHandle,),
    "the_secret_is_random": (rest.HasAWellKnownSecret,),
    "every_handle_puts_a_room_in_the_same_lane": (rest.ChoosesLanesInTurn,),
    "what_an_ack_means_has_a_name": (rest.DoesNotSayWhatAnAckMeans,),
    # All of it at once
    "any_history_agrees_with_the_model": (
        log.TrustsTheClock,
        log.ForgetsKeysWithTheLog,
        rest.IgnoresOlderMessages,
    ),
}


class Suite(StoreSuite):
    """The suite over stores of one kind, a law at a time."""

    def __init__(self, kind: type[MemoryStore]) -> None:
        self.kind = kind
        self.seconds = 0.0

    @asynccontextmanager
    async def stores(self) -> AsyncGenerator[StoreFactory]:
        first = self.kind(limits=self.limits)
        first._shared.clock = lambda: self.seconds
        yield first.another

    async def advance(self, ms: int) -> None:
        self.seconds += ms / 1_000

    def prove(self, law: str) -> None:
        test = getattr(self, f"test_{law}")
        if iscoroutinefunction(test):
            anyio.run(test)
        else:
            test("asyncio")


class Impatient(Suite):
    """A broken store is waited for in vain."""

    patience_s = 0.3


settings.register_profile(
    "first failure", deadline=None, derandomize=True, database=None, phases=[Phase.generate]
)


@pytest.fixture
def first_failure() -> Iterator[None]:
    """Hypothesis stops at the first history that fails, and spends no time on making it short."""
    usual = settings.get_current_profile_name()
    settings.load_profile("first failure")
    yield
    settings.load_profile(usual)


def test_every_law_has_a_store_that_breaks_it() -> None:
    tests = {name for name in dir(StoreSuite) if name.startswith("test_")}
    assert {f"test_{law}" for law in BREAKAGES} == tests


@pytest.mark.parametrize(
    ("law", "broken"),
    [(law, broken) for law, all_broken in BREAKAGES.items() for broken in all_broken],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
@pytest.mark.usefixtures("first_failure")
def test_a_broken_law_is_reported(law: str, broken: type[MemoryStore]) -> None:
    with pytest.raises(AssertionError):
        Impatient(broken).prove(law)


@pytest.mark.parametrize("law", BREAKAGES)
def test_a_store_that_keeps_the_law_is_not(law: str) -> None:
    Suite(MemoryStore).prove(law)
