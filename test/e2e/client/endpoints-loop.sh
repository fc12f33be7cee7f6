# What many run beside their databases: it asks every ten seconds who carries Patroni's role label, and patches the Endpoints.
# Arguments: namespace, scope, Service.
while :; do
  /opt/patroni/bin/python - "$@" <<'END' || echo "not patched"
import json, ssl, sys, urllib.request

namespace, scope, service = sys.argv[1:]
account = "/var/run/secrets/kubernetes.io/serviceaccount"
trust = ssl.create_default_context(cafile=account + "/ca.crt")
token = open(account + "/token").read()


def call(method, path, body=None):
    data = body and json.dumps(body).encode()
    headers = {"Authorization": "Bearer " + token, "Content-Type": "application/merge-patch+json"}
    url = "https://kubernetes.default.svc/api/v1/namespaces/" + namespace + path
    request = urllib.request.Request(url, data, headers, method=method)
    return json.load(urllib.request.urlopen(request, timeout=5, context=trust))


pods = call("GET", "/pods?labelSelector=cluster-name%3D" + scope + ",role%3Dprimary")["items"]
addresses = [{"ip": pod["status"]["podIP"]} for pod in pods[:1]]
subset = {"addresses": addresses, "ports": [{"name": "postgresql", "port": 5432}]}
call("PATCH", "/endpoints/" + service, {"subsets": [subset]} if addresses else {"subsets": None})
print("patched", addresses)
END
  sleep 10
done
