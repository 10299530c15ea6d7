"""A map by order id: as a plain dict has it, in id order, in tables that stay small."""

import random
import sys

import pytest

from matchbox_tui.api.id_map import IdMap


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("ids", [40, 3000, 2**62])
def test_it_holds_what_a_dict_holds_in_order(seed: int, ids: int) -> None:
    rng = random.Random(seed)
    found, plain = IdMap[int](), dict[int, int]()
    for step in range(2000):
        key = rng.choice(list(plain)) if plain and rng.random() < 0.5 else rng.randint(-ids, ids)
        if key in plain and rng.random() < 0.7:
            del found[key]
            del plain[key]
        else:
            found[key] = step
            plain[key] = step
        assert len(found) == len(plain)
        assert (key in found, found.get(key)) == (key in plain, plain.get(key))
        if step % 20 == 0:
            low, high = sorted((rng.randint(-ids, ids), rng.randint(-ids, ids)))
            low = rng.choice([low, key])
            assert list(found.after(low)) == [plain[k] for k in sorted(plain) if k > low]
            expected = [plain[k] for k in sorted(plain) if low < k <= high]
            assert list(found.after(low, high)) == expected
    for key in list(plain):
        del found[key]
    assert (len(found), list(found.after(-ids - 1))) == (0, [])
    with pytest.raises(KeyError):
        del found[1]


def test_where_new_ones_come_and_old_ones_go_no_table_is_big() -> None:
    """A table of all of them is made anew again and again, each time of megabytes."""
    found = IdMap[bool]()
    biggest = 0
    for key in range(50_000):
        found[key] = True
        if key >= 10_000:
            del found[key - 10_000]
    for block in found._blocks.values():
        biggest = max(biggest, sys.getsizeof(block))
    assert len(found) == 10_000
    assert 0 < biggest < 20_000
    # Nor does what is empty stay.
    assert len(found._blocks) < 50
