"""A small application of Flask, for the tests to share its sessions with Go.

    SESSION_TYPE=redis SESSION_REDIS=redis://127.0.0.1:6379 python app.py

Everything is configured by environment variables: see stores.py. It listens on
a free port of 127.0.0.1, prints that as its first line, and ends when its
standard input does. Values travel as tagged.py has them.

A request with ?hold=NAME waits, when its handler is through and its session
not saved yet, until POST /-/release/NAME; POST /-/held/NAME returns once the
request waits. POST /-/lifetime/SECONDS changes how long sessions live.
"""

import os
import sys
import threading
from collections import defaultdict
from datetime import timedelta

from flask import Flask, flash, get_flashed_messages, jsonify, request, session
from flask_session import Session
from waitress import create_server

import stores
import tagged

app = Flask(__name__)
stores.configure(app)
with app.app_context():  # Flask-Session2 makes its table outside of one
    Session(app)


@app.get("/")
def untouched():
    return "untouched"


@app.get("/session")
def everything():
    return jsonify(sid=session.sid, session=tagged.dump(dict(session)))


@app.post("/set")
def set_values():
    for key, value in tagged.load(request.get_json()).items():
        session[key] = value
    return "set"


@app.post("/pop/<key>")
def pop(key):
    return jsonify(tagged.dump(session.pop(key, None)))


@app.post("/count/<key>")
def count(key):
    session[key] = session.get(key, 0) + 1
    return str(session[key])


@app.post("/append/<key>")
def append(key):
    session[key].append(tagged.load(request.get_json()))  # in place: Flask does not notice
    return "appended"


@app.post("/flash/<category>")
def add_flash(category):
    flash(tagged.load(request.get_json()), category)
    return "flashed"


@app.get("/flashes")
def flashes():
    return jsonify(tagged.dump(get_flashed_messages(with_categories=True)))


@app.post("/sign-in/<user>")
def sign_in(user):
    if hasattr(app.session_interface, "regenerate"):
        app.session_interface.regenerate(session)
    session["user"] = user
    return "welcome"


@app.post("/sign-out")
def sign_out():
    session.clear()
    return "bye"


@app.post("/permanent/<int:value>")
def permanent(value):
    session.permanent = bool(value)
    return "permanent" if value else "temporary"


held = defaultdict(threading.Event)
released = defaultdict(threading.Event)


@app.after_request
def hold(response):
    name = request.args.get("hold")
    if name:
        held[name].set()
        released[name].wait(30)
    return response


def control(environ, start_response):
    """Answers what steers the application, without a session."""
    _, _, verb, name = environ["PATH_INFO"].split("/")
    ok = True
    if verb == "held":
        ok = held[name].wait(30)
    elif verb == "release":
        released[name].set()
    elif verb == "lifetime":
        app.permanent_session_lifetime = timedelta(seconds=int(name))
    start_response("200 OK" if ok else "504 Gateway Timeout", [])
    return []


def application(environ, start_response):
    if environ["PATH_INFO"].startswith("/-/"):
        return control(environ, start_response)
    return app(environ, start_response)


def end_with_stdin():
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with_stdin, daemon=True).start()
    server = create_server(application, host="127.0.0.1", port=0, threads=8)
    print(server.effective_port, flush=True)
    server.run()
