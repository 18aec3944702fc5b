"""Calls of services and e-mails that leave the process: real HTTP and SMTP on loopback, a real maildir, real kills.

Nothing here waits for a time: it waits for a condition, and gives up only after far longer than it needs.
"""
import http.server
import json
import os
import socketserver
import threading

import support
from serve import PATIENCE, Daemon, flows, until
from support import FINE, INTERRUPTED, WORLD, WRONG, same

TOKEN = {"ERP_TOKEN": "t0k"}


class Erp:
    """A service that acts once for a key, on loopback. It counts calls, and what they did."""

    def __init__(self, answer=lambda call: (200, {"Number": call["body"].get("Id")})):
        self.calls, self.lock, self.answer = [], threading.Lock(), answer
        erp = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                call = {"path": self.path, "key": self.headers["Idempotency-Key"], "token": self.headers["X-Token"], "body": body}
                with erp.lock:
                    erp.calls.append(call)
                status, told = erp.answer(call)
                text = json.dumps(told).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(text)))
                    self.end_headers()
                    self.wfile.write(text)
                except OSError:
                    self.close_connection = True  # who asked was killed

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # a connection that ends with who was killed
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def config(self, box, **more):
        service = {"url": f"http://127.0.0.1:{self.server.server_port}/api", "headers": {"X-Token": "${ERP_TOKEN}"}, "keeps_keys": True}
        return box.write("services.json", json.dumps({"services": {"erp": service | more}}))

    def acted(self):
        """The keys that were called with, by the order they are about."""
        out = {}
        with self.lock:
            for call in self.calls:
                out.setdefault(call["body"]["Id"], set()).add(call["key"])
        return out

    def close(self):
        self.server.shutdown()
        self.server.server_close()


ORDERS = ('flow "Send order to the ERP"\n  when Order is created, after save\n  call service "erp.createOrder" with Id to Id\n'
          '  set Description to "sent"\nend\n')


def order(number):
    return {"id": f"o-{number}", "entity": "Order", "ids": [f"801{number:05}"], "kind": "create", "at": "2026-01-05T14:00:00Z",
            "set": {"Name": f"Order {number}"}}


def sent(box):
    rows = box.ensue("records", "Order", "--store", "s.db", "--format", "json").exits(FINE)
    return sum("sent" in line for line in rows.out.splitlines())


def test_killed_while_calling(box):
    """kill -9 in the middle of batches, with a service that counts calls by key: none lost, none acted on twice."""
    flows(box, ORDERS)
    erp = Erp()
    count, kills = 240, 4
    words = ("--services", erp.config(box))
    env = {"ERP_TOKEN": "t0k"}
    daemon = Daemon(box, *words, env=env)
    try:
        for first in range(0, count, 40):
            same(daemon.post([order(n) for n in range(first, first + 40)])[0], 200, "the answer")
        for kill in range(kills):
            until(lambda: len(erp.acted()) >= (kill + 1) * count // (kills + 2), "calls", daemon)
            daemon.kill()
            daemon = Daemon(box, *words, env=env)
        until(lambda: sent(box) == count, "the orders that were sent", daemon)
        acted = erp.acted()
        same(sorted(acted), [f"801{n:05}" for n in range(count)], "orders that the service acted on")
        same({len(keys) for keys in acted.values()}, {1}, "keys of each order")
        same({call["token"] for call in erp.calls}, {"t0k"}, "tokens")
        print(f"      {count} orders, {len(erp.calls)} calls, {count} keys acted on, {kills} kills")
        daemon.stop()
    finally:
        erp.close()


def test_slow_service(box):
    """Events are taken while a service makes one wait, and a stop does not wait for it."""
    flows(box, ORDERS)
    held = threading.Event()
    erp = Erp(lambda call: (held.wait(PATIENCE), (200, {}))[1])
    daemon = Daemon(box, "--services", erp.config(box), env={"ERP_TOKEN": "t0k"})
    try:
        daemon.post([order(1)])
        until(lambda: erp.calls, "the call", daemon)
        same(daemon.post([order(2)])[0], 200, "the answer beside the call")
        daemon.stop()
        same(sent(box), 0, "orders that were sent")
        held.set()
        daemon = Daemon(box, "--services", erp.config(box), env={"ERP_TOKEN": "t0k"})
        until(lambda: sent(box) == 2, "the orders that were sent", daemon)
        same({len(keys) for keys in erp.acted().values()}, {1}, "keys of each order")
        daemon.stop()
    finally:
        held.set()
        erp.close()


def test_services_file(box):
    flows(box, ORDERS)
    for text, part in (("{", "not JSON"), ('{"services":{"erp":{"url":"http://x/${GONE}"}}}', "the environment has no GONE"),
                       ('{"services":{"erp":{"adress":"http://x"}}}', 'has no "adress"')):
        box.write("bad.json", text)
        box.ensue("serve", "flows", "--store", "s.db", "--services", "bad.json").exits(WRONG, "bad.json", part)
    box.ensue("serve", "flows", "--store", "s.db", "--services", "gone.json").exits(WORLD, "gone.json")


def tell_orders(box, count):
    return box.lines("orders.ndjson", [order(n) for n in range(count)])


def run(box, *words, code=FINE):
    return box.ensue("run", "flows", "--store", "s.db", "--services", "services.json", "--output", "ndjson", *words, env=TOKEN).exits(code)


def test_run_calls(box):
    """`ensue run` calls between batches; a run that was answered goes on, and may call again."""
    flows(box, 'flow "Send twice"\n  when Order is created, after save\n  call service "erp.first" with Id to Id\n'
          '  call service "erp.second" with Id to Id\n  set Description to "sent"\nend\n')
    erp = Erp()
    try:
        erp.config(box)
        stream = tell_orders(box, 3)
        dry = run(box, "--events", stream, "--dry-run")
        same((erp.calls, [row["status"] for row in dry.json_lines()]), ([], ["waiting"] * 3), "calls of a dry run, and its runs")
        told = run(box, "--events", stream, "--batch", "2").json_lines()
        same(sent(box), 3, "orders that were sent")
        same([call["path"] for call in erp.calls].count("/api/second"), 3, "second calls")
        same([row["status"] for row in told].count("executed"), 3, "runs that came to their end")
        run(box, "--events", stream)
        same(len(erp.calls), 6, "calls after the same stream again")
    finally:
        erp.close()


def test_run_without_the_file(box):
    """What calls waits for a run that has somewhere to call."""
    flows(box, ORDERS)
    stream = tell_orders(box, 2)
    box.ensue("run", "flows", "--store", "s.db", "--events", stream).exits(FINE)
    same(sent(box), 0, "orders that were sent")
    erp = Erp()
    try:
        erp.config(box)
        run(box)
        same((sent(box), len(erp.calls)), (2, 2), "orders that were sent, and calls")
    finally:
        erp.close()


def test_run_broken_off_while_calling(box):
    """Ctrl-C during a call: the answer is taken, what is left is called by the next run, with its key."""
    flows(box, ORDERS)
    asked, let = threading.Event(), threading.Event()

    def answer(call):
        asked.set()
        let.wait(PATIENCE)
        return 200, {}
    erp = Erp(answer)
    try:
        erp.config(box)
        under_way = box.start("run", "flows", "--store", "s.db", "--services", "services.json", "--events", tell_orders(box, 3), env=TOKEN)
        asked.wait(PATIENCE)
        under_way.signal(2)
        let.set()
        under_way.wait().exits(INTERRUPTED)
        run(box)
        same(sent(box), 3, "orders that were sent")
        same({len(keys) for keys in erp.acted().values()}, {1}, "keys of each order")
        same(len(erp.acted()), 3, "orders that the service acted on")
    finally:
        let.set()
        erp.close()


def test_service_says_no(box):
    """A fault ends the run and is kept; tried again by a person, it calls with the same key."""
    flows(box, ORDERS)
    broken = [True]
    erp = Erp(lambda call: (500, {"why": "closed"}) if broken[0] else (200, {}))
    try:
        erp.config(box, keeps_keys=False)
        support.has(run(box, "--events", tell_orders(box, 1), code=WRONG).err, "`ensue runs --parked` lists", "the message")
        listed = box.ensue("runs", "--store", "s.db", "--parked", "--format", "json").exits(FINE).json()
        same([row["state"] for row in listed], ["unknown"], "parked intents")
        key = listed[0]["key"]
        box.ensue("runs", "--store", "s.db", "--retry", key).exits(FINE)
        broken[0] = False
        run(box)
        same((sent(box), {call["key"] for call in erp.calls}, len(erp.calls)), (1, {key}, 2), "orders sent, keys and calls")
    finally:
        erp.close()


# ---- E-mail ------------------------------------------------------------------------------------------------------------------

GREETING = ('template "Intro"\n  subject "Hello {Recipient.FirstName}"\n  body """\n    Hi {Recipient.FirstName}, this is {Sender.Name}.\n    """\n'
            'end\n\nflow "Greet"\n  when Lead is created\n  run as the owner\n  send email to it using template "Intro"\nend\n')
SENDER = {"entity": "User", "ids": ["005ana"], "kind": "snapshot",
          "set": {"Username": "ana@x.test", "Name": "Ana", "Email": "ana@x.test", "IsActive": True}}


def newcomer(number):
    return {"id": f"n-{number}", "entity": "Lead", "ids": [f"00Q{number:05}"], "kind": "create", "at": "2026-01-05T14:00:00Z",
            "set": {"FirstName": f"Jo{number}", "LastName": "Roe", "Company": "X", "Email": f"roe{number}@x.test", "OwnerId": "005ana"}}


class Post:
    """A mail server on loopback that keeps what it is given."""

    def __init__(self):
        self.mails = []
        post = self

        class Handler(socketserver.StreamRequestHandler):
            def say(self, text):
                self.wfile.write(text.encode() + b"\r\n")

            def handle(self):
                self.say("220 loopback")
                mail = {"to": []}
                while line := self.rfile.readline():
                    word = line.decode().strip()
                    verb = word[:4].upper()
                    if verb == "RCPT":
                        mail["to"].append(word.split(":", 1)[1])
                    if verb == "DATA":
                        self.say("354 go on")
                        text = b""
                        while not text.endswith(b"\r\n.\r\n"):
                            text += self.rfile.readline()
                        post.mails.append(mail | {"text": text.decode()})
                        mail = {"to": []}
                    if verb == "QUIT":
                        self.say("221 bye")
                        return
                    self.say("250 fine")

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def config(self, box):
        smtp = {"url": f"smtp://127.0.0.1:{self.server.server_address[1]}", "tls": "off"}
        return box.write("services.json", json.dumps({"email": {"from": "crm@x.test", "smtp": smtp}}))

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def test_mail_server(box):
    flows(box, GREETING)
    post = Post()
    try:
        daemon = Daemon(box, "--services", post.config(box))
        same(daemon.post([SENDER] + [newcomer(n) for n in range(12)])[0], 200, "the answer")
        until(lambda: len(post.mails) >= 12, "the mails", daemon)
        same(daemon.post([newcomer(n) for n in range(12)])[1]["duplicates"], 12, "duplicates")
        daemon.stop()
        same(sorted(to for mail in post.mails for to in mail["to"]), sorted(f"<roe{n}@x.test>" for n in range(12)), "who got a mail")
        text = next(mail["text"] for mail in post.mails if mail["to"] == ["<roe7@x.test>"])
        for part in ("Subject: Hello Jo7\r\n", "From: \"Ana\" <ana@x.test>\r\n", "Hi Jo7, this is Ana."):
            support.has(text, part, "the mail")
    finally:
        post.close()


def test_maildir_and_kills(box):
    """Every mail is one file, however often the daemon is killed."""
    flows(box, GREETING)
    folder = box.path("mail")
    words = ("--services", box.write("services.json", json.dumps({"email": {"from": "crm@x.test", "maildir": str(folder)}})))
    count, kills = 300, 5
    daemon = Daemon(box, *words)

    def mails():
        new = folder / "new"
        return len(os.listdir(new)) if new.is_dir() else 0
    daemon.post([SENDER])
    for first in range(0, count, 50):
        same(daemon.post([newcomer(n) for n in range(first, first + 50)])[0], 200, "the answer")
    for kill in range(kills):
        until(lambda: mails() >= (kill + 1) * count // (kills + 2), "mails", daemon)
        daemon.kill()
        daemon = Daemon(box, *words)
    until(lambda: mails() == count, "all mails", daemon)
    daemon.stop()
    to = set()
    for name in os.listdir(folder / "new"):
        text = (folder / "new" / name).read_text()
        to |= {line for line in text.splitlines() if line.startswith("To: ")}
    same((mails(), len(to), os.listdir(folder / "tmp")), (count, count, []), "mails, who got one, and what is left over")


if __name__ == "__main__":
    support.main(globals(), jobs=2)
