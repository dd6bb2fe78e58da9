"""What is said when a run of the cluster has ended."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from components import finish

FAILED = {"state": "FAILED", "pipelineJobResourceName": "run 7", "error": {"message": "compress@lstm-k8: disk full"}}


def test_a_failure_is_one_line(capsys):
    finish.main(["--status", json.dumps(FAILED)])
    assert capsys.readouterr().out == "run 7 ended with FAILED: compress@lstm-k8: disk full\n"


def test_what_is_no_status_is_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        finish.main(["--status", "[]"])
    assert "JSON of a PipelineTaskFinalStatus, got []" in capsys.readouterr().err


def test_a_webhook_gets_the_line(monkeypatch):
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        monkeypatch.setenv(finish.WEBHOOK, f"http://127.0.0.1:{server.server_port}/hook")
        finish.main(["--status", json.dumps({"state": "SUCCEEDED"})])
        thread.join()
    assert got == [{"text": "the run ended with SUCCEEDED"}]


def test_a_webhook_that_does_not_answer_fails_nothing(monkeypatch, capsys):
    monkeypatch.setenv(finish.WEBHOOK, "http://127.0.0.1:1/hook")
    finish.main(["--status", json.dumps(FAILED)])
    assert "ERNN_WEBHOOK did not take it" in capsys.readouterr().err
