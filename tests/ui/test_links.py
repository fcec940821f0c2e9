"""What a link carries, and who wins when link and session differ."""

from streamlit.testing.v1 import AppTest


def page():
    import streamlit as st

    from robustprune.ui import links

    if "elsewhere" in st.query_params:
        return
    links.choice("fruit", ["apple", "pear", "plum"], "pear")
    st.selectbox("Fruit", ["apple", "pear", "plum"], key="fruit", format_func=str.upper)
    links.choices("bowl", ["apple", "pear", "plum"], ["plum"], 2)
    st.multiselect("Bowl", ["apple", "pear", "plum"], key="bowl", format_func=str.upper)
    links.number("weight", 0.0, 9.0, 5.0)
    st.slider("Weight", 0.0, 9.0, key="weight")


def opened(**parameters):
    app = AppTest.from_function(page)
    for key, value in parameters.items():
        app.query_params[key] = value
    return app.run()


def chosen(app):
    return app.selectbox(key="fruit").value, app.multiselect(key="bowl").value


def link(app, key):
    value = app.query_params[key]
    return value[0] if isinstance(value, list) else value


def test_a_link_is_followed_and_what_is_no_option_falls_back():
    assert chosen(opened(fruit="plum", bowl="pear,apple")) == ("plum", ["pear", "apple"])
    assert chosen(opened(fruit="stone", bowl="stone,,")) == ("pear", ["plum"])
    assert chosen(opened(bowl="apple,apple,pear,plum")) == ("pear", ["apple", "pear"])


def test_what_is_chosen_stands_in_the_link():
    app = opened()
    app.selectbox(key="fruit").set_value("apple").run()
    app.multiselect(key="bowl").set_value(["pear", "plum"]).run()
    assert (link(app, "fruit"), link(app, "bowl")) == ("apple", "pear,plum")
    assert chosen(app) == ("apple", ["pear", "plum"])


def test_a_link_that_is_followed_later_beats_what_was_chosen_before():
    app = opened(fruit="plum")
    app.selectbox(key="fruit").set_value("apple").run()
    app.query_params["fruit"] = "pear"
    app.query_params["bowl"] = "apple"
    app.run()
    assert chosen(app) == ("pear", ["apple"])
    app.selectbox(key="fruit").set_value("plum").run()
    assert chosen(app) == ("plum", ["apple"])


def test_a_change_of_pages_that_empties_the_link_keeps_what_was_chosen():
    app = opened()
    app.selectbox(key="fruit").set_value("apple").run()
    app.query_params.clear()
    app.run()
    assert chosen(app)[0] == "apple"
    assert link(app, "fruit") == "apple"


def test_a_link_that_is_opened_again_after_its_page_was_left_is_followed():
    app = opened(fruit="plum")
    app.query_params["elsewhere"] = "yes"
    app.run()
    del app.query_params["elsewhere"]
    app.query_params["fruit"] = "plum"
    app.run()
    assert chosen(app)[0] == "plum"


def test_a_number_in_the_link_is_followed_and_what_is_none_falls_back():
    assert opened(weight="2.5").slider(key="weight").value == 2.5
    assert [opened(weight=wrong).slider(key="weight").value for wrong in ("nan", "99", "much", "")] == [5.0] * 4


def test_an_address_that_lags_behind_a_held_key_is_not_followed():
    app = opened()
    for value in (4.9, 4.8, 4.7):
        before = app.query_params["weight"]
        app.slider(key="weight").set_value(value).run()
        app.query_params["weight"] = before
    app.run()
    assert app.slider(key="weight").value == 4.7


def test_a_number_that_is_followed_later_is_believed(monkeypatch):
    from robustprune.ui import links

    monkeypatch.setattr(links, "ECHO_SECONDS", 0.0)
    app = opened()
    app.slider(key="weight").set_value(4.0).run()
    app.query_params["weight"] = "5"
    app.run()
    assert app.slider(key="weight").value == 5.0
