#!/usr/bin/env bash
# streamlit 1.67.0 with plotly 7.1.0: importing Streamlit's Plotly element gives all figures of the process a template of placeholders.
#
# One would expect: a figure that no Streamlit page shows, saved by Figure.to_json or Figure.to_html, looks the same whether or not the
# process has imported Streamlit.
# What happens: Streamlit registers a template "streamlit" and makes it Plotly's default for the process. Its colours are markers such as
# #000001 (almost black) that only Streamlit's front end replaces. Whatever is exported afterwards without a template of its own carries
# these markers into files that nobody translates: series without a colour of their own are drawn almost black.
# What helps: name a template in every figure that leaves the app, for instance "plotly_white".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check streamlit==1.67.0 plotly==7.1.0
cat > "$folder/look.py" <<'END'
from importlib.metadata import version

import plotly.graph_objects as go
import plotly.io as pio


def first_colour():
    return go.Figure(go.Bar(x=["a"], y=[1])).to_dict()["layout"]["template"]["layout"]["colorway"][0]


print(f"streamlit {version('streamlit')}, plotly {version('plotly')}")
print(f"before the import: template {pio.templates.default}, first colour {first_colour()}")
import streamlit.elements.plotly_chart  # noqa: E402, F401

print(f"after the import: template {pio.templates.default}, first colour {first_colour()}")
END
"$folder/venv/bin/python" "$folder/look.py" > "$folder/out.txt" 2> "$folder/err.txt"
cat "$folder/out.txt"
grep -q "^streamlit 1.67.0, plotly 7.1.0$" "$folder/out.txt"
grep -q "^before the import: template plotly, first colour #636efa$" "$folder/out.txt"
grep -q "^after the import: template streamlit, first colour #000001$" "$folder/out.txt"
