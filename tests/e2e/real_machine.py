#!/usr/bin/env python3
"""The programs on a real network that is bad, and on real disks that are full. Needs root: it makes
network namespaces, or mounts small file systems, and removes them at its end.

    real_machine.py networks|disks GW SERVER SAMPLE_DATA [--quick]

Ends with 0 when everything that was recorded is at the server, each once, `verify` finds no fault
and another phone of the worker shows the same; else it says what broke. Prints what it did.
"""
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter

GRID, WORKER, CATEGORY = "440811100001001", "WG001", "01001"
CANNOT_REACH, FILE_TROUBLE = 4, 6  # gw's exit codes
HEAL_SECONDS = 300


class Broken(Exception):
    pass


def run(command, timeout=HEAL_SECONDS, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, **options)


def must(command, **options):
    done = run(command, **options)
    if done.returncode != 0:
        raise Broken(f"{' '.join(command)}: {done.returncode} {done.stdout}{done.stderr}")
    return done.stdout


def within(seconds, what, condition):
    latest = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > latest:
            raise Broken(f"not within {seconds} s: {what}")
        time.sleep(0.2)


class County:
    def __init__(self, programs, folder, address, prefix=()):
        self.gw, self.program, sample = programs
        self.folder, self.prefix = folder, list(prefix)
        self.server = None
        must([self.program, "init", "--county", "440811", "--public", address, folder])
        self.config = os.path.join(folder, "gridwhistle.toml")
        with open(self.config, encoding="utf-8") as file:
            text = file.read()
        text = text.replace("0.0.0.0:7443", address).replace("every_hours = 24", "every_hours = 0")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text)
        must([self.program, "--config", self.config, "import", sample])

    def serve(self):
        self.log = open(os.path.join(self.folder, "..", "server.log"), "ab")
        self.server = subprocess.Popen(self.prefix + [self.program, "--config", self.config, "serve"],
                                       stdout=self.log, stderr=self.log)
        began = self.log.tell()

        def is_serving():
            with open(self.log.name, "rb") as told:
                told.seek(began)
                return b" serving " in told.read()

        # `status` answers without a server, too.
        within(60, "the server answers", is_serving)

    def end(self, kill=False):
        if self.server is not None:
            self.server.kill() if kill else self.server.terminate()
            self.server.wait(timeout=60)
            self.server = None
            self.log.close()

    def operate(self, *words):
        return run([self.program, "--config", self.config, "--json", *words])

    def asked(self, *words):
        done = self.operate(*words)
        if done.returncode != 0:
            raise Broken(f"{words}: {done.stdout}{done.stderr}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def titles(self):
        return Counter(record["fields"]["title"] for record in self.asked("export", "--purpose", "test")
                       if record["kind"] == "Whistle")


class Phone:
    """A phone without a screen, and what its commits gave their word for."""

    def __init__(self, county, home, prefix=()):
        self.county, self.home, self.prefix = county, home, list(prefix)
        self.promised, self.refused = [], []

    def command(self, *words):
        return self.prefix + [self.county.gw, "--home", self.home, "--json", *words]

    def enrol(self):
        code = self.county.asked("enrol", WORKER)[0]["code"]
        must(self.command("enrol", code))
        must(self.command("sync"))

    def whistle(self, title):
        text = os.urandom(750).hex()  # what a slow line is slow for
        done = run(self.command("whistle", "--grid", GRID, "--title", title, "--text", text,
                                "--category", CATEGORY))
        (self.promised if done.returncode == 0 else self.refused).append(title)
        return done.returncode

    def sync_once(self):
        return run(self.command("sync"))

    def sync_until_done(self):
        latest = time.monotonic() + HEAL_SECONDS
        while True:
            done = self.sync_once()
            if done.returncode == 0:
                return
            if time.monotonic() > latest:
                raise Broken(f"a sync does not get through: {done.stdout}{done.stderr}")

    def titles(self):
        rows = json.loads(must(self.command("list", "Whistle", "--limit", "10000")))
        return Counter(row["fields"]["title"] for row in rows)


def check_once(county, phones, reader):
    """Every promise is kept once, no refusal is there, and the file is sound."""
    for phone in phones:
        phone.sync_until_done()
    expected = Counter(title for phone in phones for title in phone.promised)
    arrived = county.titles()
    if arrived != expected:
        raise Broken(f"lost: {expected - arrived}, doubled or made up: {arrived - expected}")
    reader.sync_until_done()
    if reader.titles() != expected:
        raise Broken("another phone of the worker does not show the same")
    faults = county.operate("verify")
    if faults.returncode != 0:
        raise Broken(f"verify: {faults.stdout}{faults.stderr}")
    return sum(expected.values())


# Real networks: phones, a router and the server in namespaces of their own.

class Networks:
    PHONE, SERVER, PORT = "10.99.1.2", "10.99.2.2", 7443

    def __init__(self):
        mark = f"gw{os.getpid()}"
        self.phones, self.router, self.server = (f"{mark}-{name}" for name in ("p", "r", "s"))
        self.spaces = []

    def __enter__(self):
        try:
            for space in (self.phones, self.router, self.server):
                must(["ip", "netns", "add", space])
                self.spaces.append(space)
                self.inside(space, "ip link set lo up")
            self.join(self.phones, "p0", f"{self.PHONE}/24", "r0", "10.99.1.1/24")
            self.join(self.server, "s0", f"{self.SERVER}/24", "r1", "10.99.2.1/24")
            self.inside(self.phones, "ip route add default via 10.99.1.1")
            self.inside(self.server, "ip route add default via 10.99.2.1")
            self.inside(self.router, "sysctl -q -w net.ipv4.ip_forward=1")
            self.heal()
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        for space in self.spaces:
            run(["ip", "netns", "del", space])

    @staticmethod
    def within(space):
        return ["ip", "netns", "exec", space]

    def inside(self, space, command):
        return must(self.within(space) + command.split())

    def join(self, space, name, address, of_router, address_of_router):
        self.inside(self.router, f"ip link add {of_router} type veth peer name {name} netns {space}")
        for where, link, its in ((space, name, address), (self.router, of_router, address_of_router)):
            self.inside(where, f"ip address add {its} dev {link}")
            self.inside(where, f"ip link set {link} up")

    # What may be wrong with it.

    def rules(self, *rules):
        text = "\n".join(f"add rule inet bad forward {rule}" for rule in rules)
        must(self.within(self.router) + ["nft", "-f", "-"], input=(
            "add table inet bad\nflush table inet bad\n"
            "add chain inet bad forward { type filter hook forward priority 0; }\n" + text + "\n"))

    def struck(self):
        """Packets that the rules have dropped."""
        listed = json.loads(self.inside(self.router, "nft -j list ruleset"))["nftables"]
        return sum(part["counter"]["packets"] for rule in listed if "rule" in rule
                   for part in rule["rule"]["expr"] if "counter" in part)

    def pace(self, rate):
        for space, link in ((self.phones, "p0"), (self.router, "r0")):
            run(self.within(space) + ["tc", "qdisc", "del", "dev", link, "root"])
            if rate is not None:
                self.inside(space, f"tc qdisc add dev {link} root tbf rate {rate} burst 2kb latency 3s")

    def link(self, state):
        self.inside(self.router, f"ip link set r0 {state}")

    def forget_connections(self):
        """As a router does that has lost its table: whoever is connected hears nothing any more."""
        lines = self.inside(self.phones, f"ss -tnH state established dst {self.SERVER}").splitlines()
        ports = sorted({line.split()[-2].rsplit(":", 1)[1] for line in lines})
        if not ports:
            raise Broken("nobody is connected")
        listed = "{ " + ", ".join(ports) + " }"
        self.rules(f"ip saddr {self.PHONE} tcp sport {listed} counter drop",
                   f"ip daddr {self.PHONE} tcp dport {listed} counter drop")
        return len(ports)

    def heal(self):
        self.rules()
        self.pace(None)
        self.link("up")


def networks(programs, folder, quick):
    down_seconds, count = (5, 10) if quick else (60, 40)
    with Networks() as net, contextlib.ExitStack() as ends:
        county = County(programs, os.path.join(folder, "county"), f"{net.SERVER}:{net.PORT}",
                        net.within(net.server))
        ends.callback(county.end)
        county.serve()
        phone, reader, live = (Phone(county, os.path.join(folder, name), net.within(net.phones))
                               for name in ("phone", "reader", "live"))
        for one in (phone, reader, live):
            one.enrol()

        struck = Counter()

        def scene(name, bad, while_syncing=None):
            for number in range(count):
                if phone.whistle(f"{name} {number}") != 0:
                    raise Broken("a phone records without a network")
            bad()
            began = time.monotonic()
            if while_syncing is not None:
                sync = subprocess.Popen(phone.command("sync"), stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
                time.sleep(1.5)  # amid it
                while_syncing()
                sync.wait(timeout=HEAL_SECONDS)
            phone.sync_until_done()
            struck[name] += net.struck()
            print(f"{name}: {count} whistles in {time.monotonic() - began:.1f} s, "
                  f"{struck[name]} packets dropped", flush=True)
            net.heal()

        def pause_link():
            net.link("down")
            time.sleep(down_seconds)
            net.link("up")
            net.inside(net.router, "ip address replace 10.99.1.1/24 dev r0")

        def one_way():
            net.rules(f"ip saddr {net.SERVER} counter drop")  # the phone is heard, and hears nothing
            time.sleep(down_seconds)
            struck["one way"] += net.struck()
            net.rules()

        lossy = "numgen random mod 100 < 15 counter drop"
        scene("2G", lambda: net.pace("24kbit"))
        scene("drops", lambda: net.rules(lossy))
        scene("2G with drops", lambda: (net.pace("48kbit"), net.rules("numgen random mod 100 < 5 counter drop")))
        scene("link down", lambda: net.pace("16kbit"), pause_link)
        scene("one way", lambda: net.pace("16kbit"), one_way)

        for name in ("drops", "2G with drops", "one way"):
            if struck[name] == 0:
                raise Broken(f"{name}: nothing was dropped, so nothing is proved")

        # A connection that both sides believe in and no router knows.
        stays = subprocess.Popen(live.command("sync", "--live"), stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        ends.callback(stays.wait)
        ends.callback(stays.terminate)
        within(30, "a phone stays connected", lambda: county.asked("status")[0]["calls"] >= 1)
        forgotten = net.forget_connections()
        phone.whistle("half open")
        phone.sync_until_done()
        began = time.monotonic()
        within(HEAL_SECONDS, "a phone whose connection was forgotten comes back and sees it",
               lambda: live.titles()["half open"] == 1)
        if net.struck() == 0:
            raise Broken("half open: nothing was dropped, so nothing is proved")
        print(f"half open: {forgotten} connections forgotten, back after "
              f"{time.monotonic() - began:.0f} s", flush=True)
        net.heal()
        stays.terminate()
        stays.wait(timeout=60)
        print(f"6 networks, {check_once(county, [phone], reader)} whistles, each once")


# Real disks: file systems of some megabytes that are filled and emptied under load.

class SmallDisk:
    def __init__(self, folder, name, megabytes):
        self.path, self.image = os.path.join(folder, name), os.path.join(folder, name + ".img")
        os.mkdir(self.path)
        with open(self.image, "wb") as file:
            file.truncate(megabytes << 20)
        # Blocks as on phones and servers; smaller than a page, a file that SQLite maps has holes.
        must(["mkfs.ext4", "-q", "-F", "-b", "4096", self.image])
        must(["mount", "-o", "loop", self.image, self.path])

    def fill(self):
        with open(os.path.join(self.path, "filler"), "ab", buffering=0) as file:
            for size in (1 << 16, 1 << 10, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"\xff" * size)

    def make_room(self):
        with contextlib.suppress(FileNotFoundError):
            os.remove(os.path.join(self.path, "filler"))

    def gone(self):
        run(["umount", self.path])


def under_load(phones, disk, rounds, meanwhile=lambda number: None):
    """Phones record and sync as fast as they can while the disk is full, and is not, in turn."""
    over = threading.Event()
    codes, broken = Counter(), []

    def work(phone, name):
        number = 0
        try:
            while not over.is_set():
                codes["whistle", phone.whistle(f"{name} {number}")] += 1
                codes["sync", phone.sync_once().returncode] += 1
                number += 1
        except Exception as error:  # told by the thread that waits
            broken.append(error)

    threads = [threading.Thread(target=work, args=(phone, f"phone {at}"))
               for at, phone in enumerate(phones)]
    for thread in threads:
        thread.start()
    try:
        for number in range(rounds):
            time.sleep(2)
            disk.fill()
            time.sleep(1)
            meanwhile(number)
            time.sleep(2)
            disk.make_room()
    finally:
        over.set()
        for thread in threads:
            thread.join()
    if broken:
        raise broken[0]
    return codes


def free_port():
    import socket
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def disks(programs, folder, quick):
    rounds = 2 if quick else 10
    with contextlib.ExitStack() as ends:
        county = County(programs, os.path.join(folder, "county"), f"127.0.0.1:{free_port()}")
        data = os.path.join(folder, "county", "data")
        kept = os.path.join(folder, "data")
        os.rename(data, kept)
        disk = SmallDisk(os.path.join(folder, "county"), "data", 24)
        ends.callback(disk.gone)
        for name in os.listdir(kept):
            shutil.move(os.path.join(kept, name), data)
        os.chmod(data, 0o700)
        county.serve()
        ends.callback(county.end)
        phones = [Phone(county, os.path.join(folder, f"phone-{at}")) for at in range(3)]
        reader = Phone(county, os.path.join(folder, "reader"))
        for one in (*phones, reader):
            one.enrol()

        def kill_every_third(number):
            if number % 3 == 1:  # whatever it had promised, it has
                county.end(kill=True)
                disk.make_room()
                county.serve()

        codes = under_load(phones, disk, rounds, kill_every_third)
        if any(phone.refused for phone in phones):
            raise Broken("a full server keeps no phone from recording")
        print(f"server's disk full {rounds} times: {dict(codes)}", flush=True)
        check_once(county, phones, reader)

        small = SmallDisk(folder, "phones", 24)
        ends.callback(small.gone)
        for phone in phones:
            shutil.move(phone.home, small.path)
            phone.home = os.path.join(small.path, os.path.basename(phone.home))
        codes = under_load(phones, small, rounds)
        if not any(phone.refused for phone in phones):
            raise Broken("the phones' disk was never full")
        strange = [code for what, code in codes if code not in (0, CANNOT_REACH, FILE_TROUBLE)]
        if strange:
            raise Broken(f"a full disk is told as something else: {dict(codes)}")
        print(f"phones' disk full {rounds} times: {dict(codes)}", flush=True)
        print(f"2 disks, {check_once(county, phones, reader)} whistles, each once")


def main():
    what = {"networks": networks, "disks": disks}
    if len(sys.argv) not in (5, 6) or sys.argv[1] not in what:
        sys.exit(__doc__)
    folder = tempfile.mkdtemp(prefix="gw-real-")
    try:
        what[sys.argv[1]]([os.path.abspath(path) for path in sys.argv[2:5]], folder,
                          sys.argv[5:] == ["--quick"])
    except Broken as broken:
        sys.exit(f"broken: {broken}\n(see {folder}/server.log)")
    shutil.rmtree(folder)


main()
