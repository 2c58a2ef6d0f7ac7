"""What a step needs on a shard: found from the tree, told in a sentence, the numbers and the rounds counted."""

import pytest

from mhat import rules
from mhat.language import rule
from mhat.language.shards import Need, on_a_shard, sight_of
from mhat.modifiers import clipped


def made(body: str, arguments: str = "x, g, t, m=0, *, lr=0.1"):
    lines = "\n".join(f"    {line}" for line in body.split("; "))
    return rule(f"def mine({arguments}):\n{lines}")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("adam", "nothing: every shard steps alone"),
        ("lamb", "`norm` of the whole tensor: 2 numbers from every shard"),
        ("adanorm", "`norm` of the whole tensor: one number from every shard"),
        ("prodigy", "`sum` over all tensors: 2 numbers from every machine"),
        ("fadam", "`mean` of the whole tensor: 3 numbers from every shard, in 2 rounds"),
        ("muon", "the whole matrix in one place: `orthogonal`"),
    ],
)
def test_library_is_told_in_a_sentence(name: str, sentence: str) -> None:
    assert on_a_shard(rules.named(name)) == sentence


def test_both_kinds_of_sums_are_told() -> None:
    both = made("m = m + g / norm(g); return x - lr * m / norm(g, over='all')")
    assert on_a_shard(both) == (
        "`norm` of the whole tensor: one number from every shard; "
        "`norm` over all tensors: one number from every machine"
    )
    assert sight_of(both).need == Need.EVERYTHING


def test_a_matrix_rule_that_also_looks_at_all_tensors_says_both() -> None:
    assert on_a_shard(clipped(rules.muon)) == (
        "the whole matrix in one place: `orthogonal`; `norm` over all tensors: one number from every machine"
    )


def test_the_same_sum_twice_is_one_number_and_of_another_value_another() -> None:
    assert sight_of(made("a = norm(m); b = norm(m); return x - lr * (a + b) * g")).numbers == (1, 0)
    assert sight_of(made("a = norm(m); m = m + g; b = norm(m); return x - lr * (a + b) * g")).numbers == (2, 0)


def test_a_sum_of_what_a_sum_gave_waits_for_it() -> None:
    assert sight_of(made("a = mean(g); b = mean((g - a)**2); return x - lr * b * g")).rounds == 2
    assert sight_of(made("a = mean(g); b = mean(g**2); return x - lr * (a + b) * g")).rounds == 1


def test_a_start_that_sums_is_seen() -> None:
    assert sight_of(made("return x - lr * m * g", "x, g, m='norm(x)', *, lr=0.1")).need == Need.TENSOR


def test_sizes_and_places_need_no_message() -> None:
    sized = sight_of(made("return x - lr * g / size(g) * k / n", "x, g, k, n, *, lr=0.1"))
    assert (sized.need, sized.sizes, sized.place) == (Need.NOTHING, ("size",), ("k", "n"))


@pytest.mark.parametrize("name", rules.names())
def test_what_is_needed_follows_from_the_level(name: str) -> None:
    sight = sight_of(rules.named(name))
    expected = {
        "per coordinate": {Need.NOTHING},
        "per tensor": {Need.NOTHING, Need.TENSOR, Need.EVERYTHING},
        "per matrix": {Need.MATRIX},
    }
    assert sight.need in expected[str(rules.named(name).level)]
    assert (sum(sight.numbers) > 0) == bool(sight.tensor or sight.everything) == (sight.rounds > 0)
