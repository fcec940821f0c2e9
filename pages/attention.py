"""Does the sparse model still look where the dense one looks? (Li et al. 2023, Fig. 2)"""

from collections.abc import Sequence

import streamlit as st

from robustprune import lab
from robustprune.analysis.attention import PAPER_ORIGINAL, PAPER_SENTENCE, AttentionMaps, mean_distance
from robustprune.jobs import Job
from robustprune.spec import AttackSpec, check_text, digest
from robustprune.ui import attention_charts, bertviz, jobs, links, shell
from robustprune.ui.i18n import t, t_or

MEAN = "mean"
VIEWS = ("maps", "twins", "lines", "grid_of_lines")
DENSE, SPARSE = "dense", "sparse"
MAP_WIDTH = 295
LONGEST_SHOWN = 64
IFRAME_HEIGHT = {"lines": 60, "grid_of_lines": 110}  # pixels besides what depends on the number of tokens or blocks

shell.require_entrypoint()

st.title(t("attention.title"))
st.markdown(t("attention.question"))
run = shell.need_run()


def asked_texts() -> tuple[str, str | None]:
    """The sentence, and for the view of twins the sentence that it was made of."""
    text = check_text(st.text_input(t("attention.text"), PAPER_SENTENCE, key="text", bind="query-params", max_chars=1000, help=t("attention.text_help")))
    if view != "twins":
        return text, None
    usual = PAPER_ORIGINAL if text == PAPER_SENTENCE else ""
    original = st.text_input(t("attention.original"), usual, key=f"original-{digest('original', text)}", max_chars=1000, help=t("attention.original_help"))
    attacked = found_by_attacks()
    if attacked:
        st.selectbox(t("attention.from_attack"), list(attacked), index=None, key="from_attack", on_change=take_attack, args=(attacked,))
    return text, check_text(original) if original.strip() else None


def found_by_attacks() -> dict[str, str]:
    """Sentences that flipped the sparse model, as they were before, by what they are now: from the stored attacks on demo texts."""
    pairs = (shell.attack_pair(run, text, label, AttackSpec()) for text, label in lab.showcase(run.spec.model))
    return {pair[1].perturbed: pair[1].text for pair in pairs if pair and pair[1].outcome == "flipped"}


def take_attack(attacked: dict[str, str]) -> None:
    """Takes a sentence and its original from an attack."""
    chosen = st.session_state["from_attack"]
    if chosen:
        st.session_state["text"] = chosen
        st.session_state[f"original-{digest('original', chosen)}"] = attacked[chosen]


def models_of() -> dict[str, str]:
    """The models by the words above their maps: dense, sparse, and on demand the retrained baseline of the paper's figure."""
    names = {t("run.dense"): run.spec.model, shell.run_name(run): run.ref}
    baselines = lab.shipped_baselines(lab.find_model(run.spec.model).dataset)
    for name, kind in list(baselines.items())[:1]:
        shown = t_or(f"compare.row.{kind}", kind)
        if st.toggle(t("attention.third", name=shown), value=True, key="third", bind="query-params", help=t("attention.third_help")):
            names[shown] = name
    return names


def controls(shape: AttentionMaps) -> tuple[int, int | None, bool]:
    """Block and head, from 0 (None: the mean of all heads), and whether the marks around the sentence are hidden."""
    blocks = [str(number + 1) for number in range(shape.blocks)]
    heads = [MEAN, *(str(number + 1) for number in range(shape.heads))]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        block = st.segmented_control(t("attention.block"), blocks, default=blocks[-1], key="block", bind="query-params", required=True)
        head = st.selectbox(t("attention.head"), heads, key="head", bind="query-params", width=160, help=t("attention.head_help"))
        hide = st.toggle(t("attention.hide"), value=True, key="hide", bind="query-params", help=t("attention.hide_help"))
    return int(block) - 1, None if head == MEAN else int(head) - 1, hide


def clicked() -> None:
    """Opens the block and the head that were clicked in the grid."""
    points = st.session_state["grid"].selection.points
    if points:
        st.session_state["block"], st.session_state["head"] = str(points[0]["y"]), str(points[0]["x"])


def in_a_row(names: Sequence[str], figures: Sequence) -> None:
    """Maps beside each other, as many as there is room for."""
    with st.container(horizontal=True):
        for name, figure in zip(names, figures, strict=True):
            with st.container(width=MAP_WIDTH):
                st.markdown(f"**{name}**")
                st.plotly_chart(figure, alt=t("attention.alt", name=name), key=f"map-{name}")


def show_maps(found: dict[str, AttentionMaps]) -> None:
    """Every model's map, and the difference between the first two."""
    dense, sparse = list(found.values())[:2]
    block, head, hide = controls(dense)
    figures = attention_charts.token_maps(list(found.values()), block, head, hide)
    in_a_row([*found, t("attention.difference")], [*figures, attention_charts.token_difference(dense, sparse, block, head, hide)])
    show_grid(found, block, head)


def show_grid(found: dict[str, AttentionMaps], block: int, head: int | None) -> None:
    """How far the models' attention is from the dense model's, in words and head by head."""
    (_, dense), (name, sparse), *others = found.items()
    distances = mean_distance(dense, sparse)
    worst = divmod(int(distances.argmax()), dense.heads)
    st.markdown(t("attention.finding", mean=f"{distances.mean():.1%}", block=worst[0] + 1, head=worst[1] + 1, most=f"{distances.max():.1%}"))
    for other, maps in others:
        st.markdown(t("attention.finding_third", name=other, mean=f"{mean_distance(dense, maps).mean():.1%}", run=name, ours=f"{distances.mean():.1%}"))
    st.subheader(t("attention.grid"))
    names = {key: t(f"attention.{key}") for key in ("block", "head", "distance")}
    figure = attention_charts.head_distances(distances, names, (block, head))
    st.plotly_chart(figure, alt=t("attention.grid_alt"), key="grid", on_select=clicked, selection_mode="points")
    st.caption(t("attention.grid_note"))


def show_twins(pairs: dict[str, tuple[AttentionMaps, AttentionMaps]]) -> None:
    """Original and adversarial sentence in rows, models in columns, all on one scale."""
    block, head, hide = controls(next(iter(pairs.values()))[0])
    figures = attention_charts.token_maps([maps for pair in pairs.values() for maps in pair], block, head, hide)
    for row, which in enumerate(("original", "adversarial")):
        in_a_row([f"{name}, {t(f'attention.{which}_row').lower()}" for name in pairs], figures[row::2])
    moved = {name: mean_row_distance(first, second) for name, (first, second) in pairs.items()}
    known = {name: value for name, value in moved.items() if value is not None}
    if len(known) == len(moved):
        st.markdown(t("attention.twins_finding", list=", ".join(f"{name} {value:.1%}" for name, value in known.items())))


def mean_row_distance(first: AttentionMaps, second: AttentionMaps) -> float | None:
    """How far attention moved when words were swapped; None where the sentences do not match token for token."""
    return float(mean_distance(first, second).mean()) if len(first.tokens) == len(second.tokens) else None


def show_lines(found: dict[str, AttentionMaps]) -> None:
    """BertViz's head view of every model, one block."""
    first = next(iter(found.values()))
    blocks = [str(number + 1) for number in range(first.blocks)]
    block = st.segmented_control(t("attention.block"), blocks, default=blocks[-1], key="block", bind="query-params", required=True)
    st.caption(t("attention.lines_note"))
    for column, (name, maps) in zip(st.columns(len(found)), found.items(), strict=True):
        with column:
            st.markdown(f"**{name}**")
            page = bertviz.head_view(maps, int(block) - 1, dark=is_dark())
            st.iframe(page, height=IFRAME_HEIGHT["lines"] + 23 * len(maps.tokens), alt=t("attention.lines_alt", name=name))


def show_grid_of_lines(found: dict[str, AttentionMaps]) -> None:
    """BertViz's model view of one model."""
    name = st.segmented_control(t("attention.model"), list(found), default=next(iter(found)), key="lines_of", required=True)
    maps = found[name]
    if len(maps.tokens) > bertviz.MOST_MODEL_TOKENS:
        st.warning(t("attention.too_long", tokens=len(maps.tokens), most=bertviz.MOST_MODEL_TOKENS), icon=":material/warning:")
        return
    st.caption(t("attention.grid_of_lines_note"))
    st.iframe(bertviz.model_view(maps, dark=is_dark()), height=IFRAME_HEIGHT["grid_of_lines"] + 70 * maps.blocks, alt=t("attention.lines_alt", name=name))


def is_dark() -> bool:
    """Whether the browser shows the dark theme."""
    return st.context.theme.type == "dark"


def compute(models: Sequence[str], texts: Sequence[str], job: Job) -> None:
    """Computes the maps of all models for all texts; the lab keeps them."""
    for model in models:
        for text in texts:
            lab.attention(model, text, job.progress, job.cancel)


links.choice("view", VIEWS, "maps")
view = st.segmented_control(t("attention.view"), VIEWS, key="view", required=True, format_func=lambda name: t(f"attention.view_{name}"))
text, original = asked_texts()
models = models_of()
texts = [original, text] if original else [text]
too_long = max(len(one.split()) for one in texts)
found = {name: tuple(lab.find_attention(model, one) for one in texts) for name, model in models.items()}
known = all(maps is not None for pair in found.values() for maps in pair)
key = digest("attention-job", list(models.values()), texts)
if view == "twins" and original is None:
    st.info(t("attention.no_original"), icon=":material/compare:")
elif too_long > LONGEST_SHOWN:
    st.warning(t("attention.too_long", tokens=too_long, most=LONGEST_SHOWN), icon=":material/warning:")
elif not known:
    if jobs.manager().get(key) is None:
        st.info(t("attention.nothing_yet"), icon=":material/grid_on:")
    jobs.start_button(t("attention.start"), key, lambda job: compute(list(models.values()), texts, job), primary=True)
    jobs.panel(key)
elif (tokens := max(len(maps.tokens) for pair in found.values() for maps in pair)) > LONGEST_SHOWN:
    st.warning(t("attention.too_long", tokens=tokens, most=LONGEST_SHOWN), icon=":material/warning:")
elif view == "twins":
    show_twins(found)
else:
    {"maps": show_maps, "lines": show_lines, "grid_of_lines": show_grid_of_lines}[view]({name: pair[-1] for name, pair in found.items()})
