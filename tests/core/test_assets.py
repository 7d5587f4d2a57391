"""The assets of former versions are served beside the present ones."""

from __future__ import annotations

from werkzeug.test import Client

from examapp.web import assets


def _nothing(_environ, start_response):
    start_response("404 Not Found", [])
    return [b""]


def test_a_page_from_before_an_upgrade_still_gets_what_it_needs(tmp_path):
    version, folder = assets.collect(tmp_path)
    old = tmp_path / "static" / "0123456789ab"
    (old / "js").mkdir(parents=True)
    (old / "js" / "app.js").write_text("old()", "utf-8")
    (tmp_path / "static" / ".new-x").mkdir()
    client = Client(assets.serve(_nothing, version, folder))
    kept = client.get("/static/0123456789ab/js/app.js", buffered=True)
    assert kept.get_data() == b"old()"
    assert "immutable" in kept.headers["Cache-Control"]
    assert client.get(f"/static/{version}/js/app.js", buffered=True).status_code == 200
    assert client.get("/static/.new-x/js/app.js", buffered=True).status_code == 404
    assert client.get("/static/000000000000/js/app.js", buffered=True).status_code == 404


def test_only_the_last_versions_are_kept_at_hand(tmp_path):
    version, folder = assets.collect(tmp_path)
    for number in range(9):
        (tmp_path / "static" / f"old{number}").mkdir()
        (tmp_path / "static" / f"old{number}" / "a.js").write_text("", "utf-8")
    client = Client(assets.serve(_nothing, version, folder))
    found = [client.get(f"/static/old{number}/a.js", buffered=True).status_code for number in range(9)]
    assert found.count(200) == 5
    assert client.get(f"/static/{version}/js/app.js", buffered=True).status_code == 200
