"""What stories look for on a page."""


def leave_only_this_machine(page, server):
    outside = [url for url in page.requests if not url.startswith((server, "data:", "blob:", server.replace("http", "ws")))]
    assert outside == []
    assert page.errors == []


def heading(page, text):
    page.get_by_role("heading", level=1, name=text).wait_for(timeout=60_000)
