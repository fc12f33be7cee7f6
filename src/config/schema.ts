import type { z } from "zod";
import { POOLER_LABEL, WEBHOOK_CONFIGURATION } from "../contract/names.ts";
import { OPERATIONS_PORT, SIDECAR_PORT, WEBHOOK_PORT } from "../contract/ports.ts";
import { VERSION } from "../contract/version.ts";
import { nanos } from "../injection/quantity.ts";
import {
  absolutePath,
  addressRange,
  anObjectName,
  aQuantity,
  choice,
  dnsName,
  host,
  imageReference,
  integer,
  labelKey,
  labelValue,
  list,
  listenPort,
  namespaceName,
  passedOn,
  port,
  section,
  webhookUrl,
} from "./fields.ts";
import { PRESET_NAMES } from "./presets.ts";

/**
 * Everything that an operator may set, each key with its default and its documentation:
 * docs/reference/configuration.md and config.schema.json are generated from here.
 */
const logLevel = () => choice("debug", "info", "warn", "error").default("info");

const selector = section({
  key: labelKey().describe("A label's key."),
  values: list(labelValue()).min(1, { error: "expected at least one value" }).describe("The label's values."),
});

const poolerSelector = section({
  key: labelKey().describe("A label's key."),
  values: list(labelValue()).default([]).describe("The label's values. Default: any value will do."),
});

const registration = section({
  mode: choice("none", "caBundle", "full")
    .default("caBundle")
    .describe(
      "What `serve` writes into the MutatingWebhookConfiguration: `caBundle` only the certificate authority of an existing one (a chart made it), `full` the whole object, `none` nothing.",
    ),
  name: anObjectName()
    .default(WEBHOOK_CONFIGURATION)
    .describe(
      "The MutatingWebhookConfiguration. The name must sort before `istio-`, or Istio is called first.",
    ),
  service: section({
    name: anObjectName().default("patroni-injector").describe("The Service in front of the webhook."),
    namespace: namespaceName().optional().describe("Its namespace. Default: the one that `serve` runs in."),
    port: port().default(443).describe("Its port."),
  })
    .prefault({})
    .describe("How the API server reaches the webhook inside the cluster."),
  url: webhookUrl()
    .optional()
    .describe(
      "How the API server reaches the webhook outside the cluster; counts instead of `service`. Port 0 stands for the port that the webhook listens on.",
    ),
});

const certificates = section({
  source: choice("self", "cert-manager", "provided")
    .default("self")
    .describe(
      "Where the webhook's certificate comes from: `self` an authority of its own, kept in two Secrets beside the Service and rotated by itself; `cert-manager` and `provided` the files in `directory`, which somebody else replaces, and with them the `caBundle`.",
    ),
  directory: absolutePath()
    .default("/etc/patroni-injector-certificate")
    .describe("Where `tls.crt`, `tls.key` and `ca.crt` are, not with `self`. Watched for changes."),
});

const webhook = section({
  host: host().optional().describe("The address to listen on. Default: all, IPv6 and IPv4."),
  port: listenPort().default(WEBHOOK_PORT).describe("The HTTPS port; 0 takes any free one."),
  failurePolicy: choice("Ignore", "Fail")
    .default("Ignore")
    .describe(
      "What a pod's creation does when the webhook cannot be reached or fails: `Ignore` goes on without injection, `Fail` refuses the pod.",
    ),
  timeoutSeconds: integer(1, 30).default(5).describe("How long the API server waits for an answer."),
  certificates: certificates.prefault({}).describe("The certificate that the webhook serves."),
  clientCA: absolutePath()
    .optional()
    .describe(
      "A PEM file with the authorities whose client certificates are accepted; a client without one is refused. Changes are taken up within a minute. Default: every client is accepted.",
    ),
  registration: registration.prefault({}).describe("The MutatingWebhookConfiguration."),
});

const resources = section({
  requests: section({
    cpu: aQuantity().prefault("50m").describe("CPU request."),
    memory: aQuantity().prefault("32Mi").describe("Memory request."),
  })
    .prefault({})
    .describe("What the sidecar asks for."),
  limits: section({
    cpu: aQuantity()
      .optional()
      .describe("CPU limit. Default: none; a throttled sidecar makes a slow failover."),
    memory: aQuantity().prefault("64Mi").describe("Memory limit."),
  })
    .prefault({})
    .describe("What the sidecar may use."),
  requiredCpuLimit: aQuantity()
    .prefault("100m")
    .describe("The CPU limit where the pod's other containers all have one, and a quota may demand it."),
}).superRefine(({ requests, limits, requiredCpuLimit }, context) => {
  const pairs = [
    ["cpu", requests.cpu, limits.cpu],
    ["cpu", requests.cpu, requiredCpuLimit],
    ["memory", requests.memory, limits.memory],
  ] as const;
  for (const [name, request, limit] of pairs) {
    const [asked, allowed] = [nanos(request), nanos(limit)];
    if (asked === undefined || allowed === undefined || asked <= allowed) continue;
    const message = `expected at most the limit (${limit}), got "${request}": the API server refuses such a pod`;
    context.addIssue({ code: "custom", path: ["requests", name], message });
  }
});

const sidecar = section({
  image: imageReference()
    .default(`patroni-injector:${VERSION}`)
    .describe("The sidecar's image: registry, repository and tag or digest."),
  imagePullPolicy: choice("IfNotPresent", "Always", "Never")
    .default("IfNotPresent")
    .describe("When it is pulled."),
  imagePullSecrets: list(anObjectName())
    .default([])
    .describe("Secrets that are added to the pod's `imagePullSecrets`."),
  port: port().default(SIDECAR_PORT).describe("The sidecar's own port, which the mesh leaves alone."),
  logLevel: logLevel().describe("The sidecar's log level."),
  native: choice("auto", true, false)
    .default("auto")
    .describe(
      "A native sidecar (an init container that keeps running); `auto`: where every kubelet is 1.33 or newer.",
    ),
  resources: resources
    .prefault({})
    .describe("The sidecar's resources, where the pod's annotations set none."),
});

const networkPolicy = section({
  namespaces: list(namespaceName())
    .default([])
    .describe("The namespaces that it is for. Default: all that no entry before it is for."),
  clients: list(passedOn())
    .default([])
    .describe(
      "Who may reach PostgreSQL, and a PgBouncer in its pod (NetworkPolicyPeer objects). Default: everybody.",
    ),
  operatorNamespaces: list(namespaceName())
    .default([])
    .describe("Namespaces of operators that talk to the members. Default: none."),
  monitoring: list(passedOn())
    .default([])
    .describe("Who may read the sidecars' metrics (NetworkPolicyPeer objects). Default: nobody."),
  egress: list(passedOn())
    .default([])
    .describe(
      "Where else members go (NetworkPolicyEgressRule objects): another store (etcd, Consul), backups, another cluster. Default: nowhere.",
    ),
  apiServer: section({
    ports: list(port())
      .default([443, 6443])
      .describe("Its ports: that of its Service, and those that the Service leads to."),
    addresses: choice(true, false)
      .default(false)
      .describe(
        "Only to its own addresses, as the endpoints of `default/kubernetes` have them. Not with Cilium, which does not take such addresses for it.",
      ),
  })
    .prefault({})
    .describe("How members reach the API server."),
  ambient: choice("auto", true, false)
    .default("auto")
    .describe(
      "The members are in an Istio ambient mesh, which carries everything to port 15008; `auto`: as the label `istio.io/dataplane-mode` of the namespace or of the members says.",
    ),
});

export const configSchema = section({
  selectors: list(selector)
    .default([{ key: "application", values: ["patroni", "spilo"] }])
    .describe("Which pods are Patroni's: those that carry any of these labels."),
  presets: list(choice(...PRESET_NAMES))
    .default([])
    .describe("Selectors of operators whose pods carry labels of their own, beside `selectors`."),
  poolers: section({
    selectors: list(poolerSelector)
      .default([{ key: POOLER_LABEL, values: [] }])
      .describe(
        "Which pods are poolers: those that carry any of these labels, and none of Patroni's. The cluster's scope is the value of the label `patroni-injector.io/pooler-of`, or what the annotation `cluster` says. An empty list: none.",
      ),
  })
    .prefault({})
    .describe("Pods with PgBouncer and no Patroni, which follow the primary of a cluster."),
  excludedNamespaces: list(namespaceName())
    .default([])
    .describe("Namespaces that are never touched, beside kube-system and the injector's own."),
  watchNamespaces: list(namespaceName())
    .default([])
    .describe(
      "The only namespaces that the injector works in, where it may not see the whole cluster: it then needs Roles there, and a small ClusterRole (docs/reference/rbac.md). Default: all.",
    ),
  onInvalid: choice("deny", "ignore")
    .default("deny")
    .describe(
      "A malformed annotation refuses the pod (`deny`), or is passed over with a warning (`ignore`).",
    ),
  clusterDomain: dnsName()
    .optional()
    .describe("The cluster's DNS domain. Default: from the process's own resolv.conf, else cluster.local."),
  meshes: list(choice("istio", "linkerd"))
    .default(["istio", "linkerd"])
    .describe("The meshes whose exclusions are written on the pod."),
  excludeOutboundIPRanges: list(addressRange())
    .default([])
    .describe("Address ranges that database pods reach past the mesh, beside the API server's own address."),
  openshift: choice("auto", true, false)
    .default("auto")
    .describe(
      "The cluster is an OpenShift, which assigns user ids by itself; `auto`: as its API groups say.",
    ),
  sidecar: sidecar.prefault({}).describe("The injected container."),
  webhook: webhook.prefault({}).describe("The HTTPS server that the API server calls."),
  operations: section({
    host: host().optional().describe("The address to listen on. Default: all, IPv6 and IPv4."),
    port: listenPort().default(OPERATIONS_PORT).describe("The port; 0 takes any free one."),
  })
    .prefault({})
    .describe("The plain HTTP server of `/healthz`, `/readyz` and `/metrics`."),
  controller: section({
    enabled: choice(true, false)
      .default(true)
      .describe(
        "Whether `serve` also keeps the Services, the primary's EndpointSlice and the permissions of each cluster, in the one replica that holds the Lease; without a cluster it never does.",
      ),
    repair: choice("none", "evict")
      .default("none")
      .describe(
        "What the controller does about pods that run without the sidecar, or with another image of it than is configured: `evict` restarts them by the Eviction API, one at a time, replicas first, and only while their cluster is well. A new `sidecar.image` then restarts every database.",
      ),
    networkPolicies: list(networkPolicy)
      .default([])
      .describe(
        "NetworkPolicies for the injected members of each cluster; the first entry for a namespace counts. What is not allowed there is then forbidden, in both directions. Default: none are made.",
      ),
    rbac: section({
      patroni: choice(true, false)
        .default(false)
        .describe(
          "Whether the controller also grants what Patroni itself needs with Kubernetes as its store, to the ServiceAccounts of clusters whose operator does not: its ConfigMaps or Endpoints and its pods, and sight of the API server's addresses (`bypass_api_service`). Not for Citus, whose objects have other names. The controller then holds these permissions itself. Switched off again, what was granted stays for as long as a pod runs with it.",
        ),
    })
      .prefault({})
      .describe("What is granted beside what sidecars need."),
  })
    .prefault({})
    .describe("The controller."),
  drainSeconds: integer(0, 300)
    .default(10)
    .describe(
      "How long the webhook goes on answering after SIGTERM, while its address is taken out of the Service.",
    ),
  logLevel: logLevel().describe("The log level of `serve`."),
}).refine(({ selectors, presets }) => selectors.length + presets.length > 0, {
  path: ["selectors"],
  error: "expected at least one selector or preset: nothing would ever be injected",
});

/** A whole configuration: every key has its value. */
export type Config = Readonly<z.output<typeof configSchema>> & { readonly clusterDomain: string };
