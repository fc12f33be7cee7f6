"""Stands where Istio would, as far as it matters to another injector.

webhook <image>: the admission webhook. It puts a proxy before all other containers, and sends every HTTP probe through it. What
  the annotation with the excluded ports said when it was called, it writes into the annotation e2e/excluded-ports-seen.
proxy <probes>: the proxy: answers for the probes, which are a JSON object of path: [port, path].
"""

import base64
import http.server
import json
import ssl
import sys
import urllib.error
import urllib.request

EXCLUDED = "traffic.sidecar.istio.io/excludeInboundPorts"
SEEN = "/metadata/annotations/e2e~1excluded-ports-seen"
PROBES = {"readinessProbe": "readyz", "livenessProbe": "livez", "startupProbe": "startupz"}
STATUS_PORT = 15020


def changes_to(pod, image):
    patch, probes = [], {}
    annotations = pod["metadata"].get("annotations")
    if annotations is None:
        patch.append({"op": "add", "path": "/metadata/annotations", "value": {}})
    patch.append({"op": "add", "path": SEEN, "value": (annotations or {}).get(EXCLUDED, "")})
    for kind in ["initContainers", "containers"]:
        for index, container in enumerate(pod["spec"].get(kind, [])):
            for probe, end in PROBES.items():
                request = container.get(probe, {}).get("httpGet")
                if request is None:
                    continue
                path = "/app-health/%s/%s" % (container["name"], end)
                probes[path] = [request["port"], request["path"]]
                value = {"path": path, "port": STATUS_PORT}
                patch.append({"op": "replace", "path": "/spec/%s/%d/%s/httpGet" % (kind, index, probe), "value": value})
    proxy = {
        "name": "istio-proxy",
        "image": image,
        "restartPolicy": "Always",
        "command": ["/opt/patroni/bin/python", "/stand-in/istio-stand-in.py", "proxy", json.dumps(probes)],
        "volumeMounts": [{"name": "istio-stand-in", "mountPath": "/stand-in"}],
    }
    first = "/0" if pod["spec"].get("initContainers") else ""
    patch.append({"op": "add", "path": "/spec/initContainers" + first, "value": proxy if first else [proxy]})
    volume = {"name": "istio-stand-in", "configMap": {"name": "istio-stand-in"}}
    patch.append({"op": "add", "path": "/spec/volumes/-", "value": volume})
    return patch


class Webhook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        review = json.loads(self.rfile.read(int(self.headers["content-length"])))
        request = review["request"]
        patch = json.dumps(changes_to(request["object"], sys.argv[2])).encode()
        review["response"] = {
            "uid": request["uid"],
            "allowed": True,
            "patchType": "JSONPatch",
            "patch": base64.b64encode(patch).decode(),
        }
        del review["request"]
        answer(self, 200, json.dumps(review).encode(), "application/json")


class Proxy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        port, path = json.loads(sys.argv[2])[self.path]
        try:
            with urllib.request.urlopen("http://localhost:%d%s" % (port, path), timeout=5) as response:
                answer(self, response.status, b"", "text/plain")
        except urllib.error.HTTPError as error:
            answer(self, error.code, b"", "text/plain")
        except OSError:
            answer(self, 500, b"", "text/plain")


def answer(handler, status, body, kind):
    handler.send_response(status)
    handler.send_header("content-type", kind)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


if sys.argv[1] == "webhook":
    server = http.server.ThreadingHTTPServer(("", 8443), Webhook)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/certificate/tls.crt", "/certificate/tls.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
else:
    server = http.server.ThreadingHTTPServer(("", STATUS_PORT), Proxy)
server.serve_forever()
