#!/usr/bin/env bash
# beartype 0.23.1: a checked call draws numbers from Python's global random generator, so seeded programs draw other numbers.
#
# One would expect: a type checker only looks. After random.seed(1), a program draws the same numbers with and without @beartype.
# What happens: to check a list in constant time, beartype picks one of its items by random.getrandbits, the generator of the process, and
# so each checked call with a list argument moves that generator on. Results that depend on a seed change as soon as the checks are
# switched on, for instance only in tests. A number moves nothing.
# What helps: draw from a generator of one's own (random.Random(seed)), or switch the checks off where draws are compared.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check beartype==0.23.1
cat > "$folder/draws.py" <<'END'
import random
from importlib.metadata import version

from beartype import beartype


def total(prices: list[int]) -> int:
    return sum(prices)


def double(price: int) -> int:
    return 2 * price


def drawn_after(function, argument):
    function(argument)  # the first call also generates the check
    random.seed(1)
    function(argument)
    return random.random()


print(f"beartype {version('beartype')}")
plain, checked = drawn_after(total, [1, 2, 3]), drawn_after(beartype(total), [1, 2, 3])
print(f"a list: plain {plain:.6f}, checked {checked:.6f}, same: {plain == checked}")
plain, checked = drawn_after(double, 3), drawn_after(beartype(double), 3)
print(f"a number: plain {plain:.6f}, checked {checked:.6f}, same: {plain == checked}")
END
"$folder/venv/bin/python" "$folder/draws.py" > "$folder/out.txt"
cat "$folder/out.txt"
grep -q "^beartype 0.23.1$" "$folder/out.txt"
grep -q "^a list: .* same: False$" "$folder/out.txt"
grep -q "^a number: .* same: True$" "$folder/out.txt"
