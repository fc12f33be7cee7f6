"""Creates Patroni's pods all the time, three at once, and tells on stdout what admission made of each.

Arguments: namespace, image. One JSON object a line: {"n": 7, "at": <ms since 1970>, "ms": <how long>, "injected": true}, or in place
of "injected" an "error". Each pod is held by a scheduling gate, so that it never runs, and is deleted at once. SIGTERM ends it.
"""

import itertools
import json
import signal
import ssl
import sys
import threading
import time
import urllib.error
import urllib.request

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
TRUST = ssl.create_default_context(cafile=ACCOUNT + "/ca.crt")

leaving = False


def leave(_signal, _frame):
    global leaving
    leaving = True


def call(namespace, method, path, body):
    with open(ACCOUNT + "/token") as file:
        headers = {"Authorization": "Bearer " + file.read(), "Content-Type": "application/json"}
    url = "https://kubernetes.default.svc/api/v1/namespaces/" + namespace + "/pods" + path
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(request, timeout=30, context=TRUST) as answer:
        return json.load(answer)


def pod(name, image):
    return {
        "metadata": {"name": name, "labels": {"application": "patroni", "cluster-name": "admitted"}},
        "spec": {
            "schedulingGates": [{"name": "e2e/never"}],
            "containers": [
                {"name": "postgres", "image": image, "env": [{"name": "PATRONI_SCOPE", "value": "admitted"}]}
            ],
        },
    }


def create(namespace, image, numbers):
    while not leaving:
        number = next(numbers)
        name = "admitted-%d" % number
        started = time.monotonic()
        line = {"n": number, "at": round(time.time() * 1000)}
        try:
            made = call(namespace, "POST", "", pod(name, image))["spec"]
            containers = made["containers"] + made.get("initContainers", [])
            line["injected"] = any(container["name"] == "patroni-injector" for container in containers)
        except (OSError, ValueError) as error:
            line["error"] = str(error)
        line["ms"] = round((time.monotonic() - started) * 1000, 1)
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        if "error" not in line:
            call(namespace, "DELETE", "/" + name, {"gracePeriodSeconds": 0})
        time.sleep(0.02)


def main(namespace, image):
    signal.signal(signal.SIGTERM, leave)
    numbers = itertools.count(1)
    creators = [threading.Thread(target=create, args=(namespace, image, numbers)) for _ in range(3)]
    for creator in creators:
        creator.start()
    for creator in creators:
        creator.join()


main(sys.argv[1], sys.argv[2])
