"""A mutant is blamed on its own clauses, and on no others that it may look like.

Every mutant is judged by the plan, in each edition that it is for. For those of the table the clauses that must fail
and those that may fail beside them are written out. A plan cannot show all that explore mode shows, so the clauses that
it must name are written out where they are fewer.

A run in explore mode takes seconds. So the mutants that differ most are explored, each in one edition, the editions
taking turns. WHOLE=1 in the environment explores every mutant of the table in each of its editions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from conformance.contract.clauses import edition_names, load_edition
from conformance.engine.plan import plan_of
from conformance.engine.workload import Explore, Planned
from conformance.reporting.verdict import Status
from conformance.selfcheck.chosen import OLDEST_AND_NEWEST, WHOLE
from conformance.selfcheck.mutants import MUTANTS, must_catch
from conformance.selfcheck.referee import EVERY_VOTE, failed_clauses, verdict_on
from conformance.target.target import embedded_target

DRAWS = 5
BY_NAME = {mutant.name: mutant for mutant in MUTANTS}
PLAN, EXPLORE = "plan", "explore"
UNSHOWN = {"refuses_the_word_null", "refuses_emoji_beside_2_stars"}
"""No value of the plan shows these mutants: NULL is a boundary of a class of which the plan sends another value."""
EXAMPLE = "documentation.example"


@dataclass(frozen=True, slots=True)
class Expected:
    """What a mutant may be blamed on.

    must: the clauses that must fail; None for those that the mutant is registered with.
    may: the clauses that may fail beside them, in both modes and editions.
    may_in: further ones that may fail, by edition.
    in_plan: the clauses that must fail in a plan, where they are fewer than in explore mode; None for the same.
    may_in_plan: further ones that may fail in a plan, because it sends too little to tell two causes apart.
    explored: False if only WHOLE=1 explores the mutant.
    planned: False if a plan sends nothing that could tell what is at fault.
    """

    mutant: str
    must: tuple[str, ...] | None = None
    may: tuple[str, ...] = ()
    may_in: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    in_plan: tuple[str, ...] | None = None
    may_in_plan: tuple[str, ...] = ()
    explored: bool = True
    planned: bool = True

    def sets(self, edition: str, mode: str) -> tuple[set[str], set[str]]:
        """Return the clauses that must fail and those that may fail beside them."""
        must = must_catch(BY_NAME[self.mutant], edition)
        if self.must is not None:
            must = set(self.must)
        may = {*self.may, *self.may_in.get(edition, ())}
        if mode == PLAN:
            may |= {*self.may_in_plan} | must
            must = must if self.in_plan is None else set(self.in_plan)
        return must, may


CODES = ("error.chat-type", "error.chat-id", "error.wrong-parameter")
CODES_2026 = (
    "error.unknown-session",
    "error.empty-session-id",
    "error.empty-vote-params",
    "session-id.required",
    "session-id.positive",
)
STARS_IN_PLAN = ("rating.accepts-1-to-5",)

EXPECTED = (
    # Neither optional filled has a code of its own in 2024-10, so an acceptance violates that clause as well.
    Expected("takes_an_empty_rating_as_given", may_in={"2024-10": ("error.wrong-parameter",)}),
    Expected("refuses_the_same_call_twice_in_a_row"),
    Expected("refuses_a_vote_that_stands_there_already"),
    Expected("refuses_ratings_as_text"),
    Expected("refuses_session_ids_as_text", explored=False),
    # The rating of both examples is 5.
    Expected("refuses_rating_5", may=(EXAMPLE,), in_plan=STARS_IN_PLAN),
    Expected("refuses_rating_3", in_plan=STARS_IN_PLAN, explored=False),
    Expected("answers_the_first_read_back_for_ever", may=("effect.revote",)),
    Expected("reads_back_the_vote_before_the_last", may=("effect.revote",)),
    Expected("runs_the_first_item_of_a_batch_only"),
    Expected("puts_a_byte_order_mark_before_everything"),
    Expected("writes_json_in_latin_1", explored=False),
    Expected("writes_a_comment_after_the_json", explored=False),
    Expected("answers_1", explored=False),
    Expected("answers_the_letter_y"),
    Expected("answers_the_bare_true_everywhere"),
    # The example has both.
    Expected("takes_only_one_of_both", may=(EXAMPLE,)),
    Expected(
        "wants_a_rating_with_each_comment", must=("optional.comment-alone",), may=("comment.any-text",), explored=False
    ),
    Expected("refuses_ratings_in_forms", explored=False),
    Expected("refuses_get", explored=False),
    # The plan sends one comment in multipart, which it sends in no other encoding.
    Expected("cuts_fields_of_multipart", may=("effect.saved",), in_plan=()),
    Expected("keeps_the_plus_signs_of_a_query", may=("effect.saved",), explored=False),
    Expected("ignores_json_with_a_charset", explored=False),
    Expected("refuses_emoji_beside_2_stars", in_plan=()),
    Expected("refuses_the_second_caller", explored=False),
    Expected("does_not_know_tokens_in_bodies", explored=False),
    # A vote that was accepted is sent again later, and refused: it does not replace the vote between.
    Expected("locks_a_session_for_good_after_a_bad_rating", may=("effect.revote",)),
    # In each batch a bad item stands before the vote, and the other items of a batch shall be unaffected.
    # The first vote of a plan follows the bad calls of the preflight, and its repetition follows a bad call too.
    Expected("refuses_the_vote_after_a_bad_call", may=("transport.batch",), planned=False),
    # The only vote that a plan sends in a list has a comment that no other vote has.
    Expected("refuses_the_items_of_a_list", may_in_plan=("comment.any-text",)),
    Expected("codes_denial_otherwise_in_a_batch", explored=False),
    Expected("crashes_on_6_in_a_batch", may=("error.never-5xx",), explored=False),
    Expected("adds_a_star_in_a_batch", may_in_plan=("effect.saved",), explored=False),
    Expected("wants_session_id_first", explored=False),
    Expected("wants_the_comment_last", explored=False),
    Expected("leaves_the_code_out_of_xml", explored=False),
    Expected("refuses_votes_with_the_suffix_json", explored=False),
    Expected("takes_any_secret_by_get", explored=False),
    Expected("answers_false_without_the_scope", explored=False),
    Expected("leaves_time_out_after_forms", explored=False),
    Expected("refuses_forms_with_500", explored=False),
    # Each clause that names one code is violated by another spelling of it.
    Expected("writes_codes_in_lower_case", may_in={"2024-10": CODES, "2026-03": CODES_2026}, explored=False),
)


TABLE = {expected.mutant: expected for expected in EXPECTED}
PLANNED = [(mutant.name, edition) for mutant in MUTANTS for edition in OLDEST_AND_NEWEST if edition in mutant.editions]
EXPLORED = [
    (expected.mutant, edition)
    for place, expected in enumerate(EXPECTED)
    for editions in (BY_NAME[expected.mutant].editions,)
    for edition in editions
    if WHOLE or (expected.explored and edition == editions[place % len(editions)])
]


def _is_blamed(mutant: str, edition: str, mode: str, failed: set[str]) -> None:
    must, may = TABLE[mutant].sets(edition, mode)
    assert (sorted(must - failed), sorted(failed - must - may)) == ([], []), "(not blamed, wrongly blamed)"


@pytest.mark.parametrize(("mutant", "edition"), PLANNED, ids=["-".join(case) for case in PLANNED])
def test_the_plan_catches_a_mutant_and_blames_its_own_clauses_alone(mutant: str, edition: str) -> None:
    failed = set(
        failed_clauses(mutant, edition, Planned(plan_of(embedded_target(), load_edition(edition), votes=EVERY_VOTE)))
    )
    assert bool(failed) is (mutant not in UNSHOWN)
    if mutant in TABLE and TABLE[mutant].planned:
        _is_blamed(mutant, edition, PLAN, failed)


@pytest.mark.parametrize(("mutant", "edition"), EXPLORED, ids=["-".join(case) for case in EXPLORED])
def test_explore_mode_blames_a_mutant_on_its_own_clauses_alone(mutant: str, edition: str) -> None:
    failed = set(failed_clauses(mutant, edition, Explore(DRAWS)))
    assert failed
    _is_blamed(mutant, edition, EXPLORE, failed)


@pytest.mark.quick
def test_a_clause_whose_calls_another_clause_explains_says_so() -> None:
    plan = Planned(plan_of(embedded_target(), load_edition("2026-03")))
    verdict = verdict_on("refuses_the_second_vote", "2026-03", plan)
    notes = {entry.clause.id: entry.note for entry in verdict.with_status(Status.NOT_EXERCISED)}
    assert notes["optional.rating-alone"] == "its wrong answers (1) have a cause that another clause is about"


@pytest.mark.quick
def test_every_clause_of_the_table_exists() -> None:
    known = {clause for name in edition_names() for clause in load_edition(name).clauses}
    named = [(*(expected.must or ()), *expected.may, *expected.may_in_plan) for expected in EXPECTED]
    assert {clause for clauses in named for clause in clauses} <= known
