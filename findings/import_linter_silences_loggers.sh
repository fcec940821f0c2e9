#!/usr/bin/env bash
# import-linter 2.17: its check, called from Python, switches off the loggers that the calling process already has.
#
# One would expect: importlinter.cli.lint_imports checks the imports, returns 0 or 1, and leaves the logging of its caller alone.
# What happens: it configures logging by logging.config.dictConfig without "disable_existing_loggers": False. Every logger that exists by
# then and that its configuration does not name is disabled, so warnings of the calling program are lost without a word. In a test suite
# this shows far away: tests that run later in the same process find no log records in pytest's caplog.
# What helps: run the check in a process of its own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check import-linter==2.17 grimp==3.20 click==8.5.0
mkdir -p "$folder/project/shop"
cd "$folder/project"
printf '"""A package of two modules."""\n' > shop/__init__.py
printf 'PRICE = 3\n' > shop/prices.py
printf 'from shop import prices\n\nTOTAL = 2 * prices.PRICE\n' > shop/till.py
cat > .importlinter <<'END'
[importlinter]
root_package = shop

[importlinter:contract:order]
name = The till stands above the prices
type = layers
layers =
    shop.till
    shop.prices
END
cat > caller.py <<'END'
import logging
from importlib.metadata import version

from importlinter.cli import lint_imports

logging.basicConfig(format="%(name)s: %(message)s")
log = logging.getLogger("caller")
log.warning("before the check")
status = lint_imports(no_cache=True)
log.warning("after the check")
print(f"import-linter {version('import-linter')}: status {status}, the caller's logger is disabled: {log.disabled}")
END
"$folder/venv/bin/python" caller.py > out.txt 2> err.txt
cat err.txt
tail -n 1 out.txt
grep -q "^caller: before the check$" err.txt
if grep -q "^caller: after the check$" err.txt; then
    echo "Changed: the caller's warning after the check is heard."
    exit 1
fi
tail -n 1 out.txt | grep -q "^import-linter 2.17: status 0, the caller's logger is disabled: True$"
