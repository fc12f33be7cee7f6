/** What is built from Go modules: one row a binary, one a module. A further binary is a further row. */

interface GoModule {
  /** The module whose version, as the folder's go.mod requires it, is the version of the binaries. */
  readonly module: string;
  /** `CGO_ENABLED`: false needs no C compiler and gives static binaries. */
  readonly cgo: boolean;
  readonly tags: readonly string[];
  /** Go variables that hold the version, linked in with `-X`. */
  readonly stamps: (version: string) => Readonly<Record<string, string>>;
}

interface GoTool {
  readonly module: ModuleName;
  readonly package: string;
}

export type ModuleName = "containerd" | "coredns" | "etcd" | "helm" | "kubernetes" | "prometheus" | "runc";

/** Keyed by the folder under tools/. Modules that share dependencies of different versions need a go.mod each. */
export const MODULES: Readonly<Record<ModuleName, GoModule>> = {
  containerd: {
    module: "github.com/containerd/containerd/v2",
    cgo: false,
    tags: ["no_btrfs", "no_devmapper", "no_zfs"],
    stamps: (version) => ({ "github.com/containerd/containerd/v2/version.Version": version }),
  },
  coredns: { module: "github.com/coredns/coredns", cgo: false, tags: [], stamps: () => ({}) },
  etcd: { module: "go.etcd.io/etcd/server/v3", cgo: false, tags: [], stamps: () => ({}) },
  helm: { module: "helm.sh/helm/v4", cgo: false, tags: [], stamps: helmStamps },
  kubernetes: { module: "k8s.io/kubernetes", cgo: false, tags: [], stamps: kubernetesStamps },
  prometheus: {
    module: "github.com/prometheus/prometheus",
    cgo: false,
    tags: ["remove_all_sd"], // no clients of clouds: only expressions are evaluated
    stamps: () => ({}),
  },
  runc: {
    module: "github.com/opencontainers/runc",
    cgo: true, // it joins namespaces in C, before Go starts
    tags: ["seccomp"],
    stamps: (version) => ({ "main.version": version.slice(1) }),
  },
};

export type BinaryName =
  | "containerd"
  | "containerd-shim-runc-v2"
  | "coredns"
  | "ctr"
  | "etcd"
  | "helm"
  | "kube-apiserver"
  | "kube-controller-manager"
  | "kube-proxy"
  | "kube-scheduler"
  | "kubectl"
  | "kubelet"
  | "promtool"
  | "runc";

export const BINARIES: Readonly<Record<BinaryName, GoTool>> = {
  containerd: { module: "containerd", package: "github.com/containerd/containerd/v2/cmd/containerd" },
  "containerd-shim-runc-v2": {
    module: "containerd",
    package: "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
  },
  coredns: { module: "coredns", package: "github.com/coredns/coredns" },
  ctr: { module: "containerd", package: "github.com/containerd/containerd/v2/cmd/ctr" },
  etcd: { module: "etcd", package: "go.etcd.io/etcd/server/v3" },
  helm: { module: "helm", package: "helm.sh/helm/v4/cmd/helm" },
  "kube-apiserver": { module: "kubernetes", package: "k8s.io/kubernetes/cmd/kube-apiserver" },
  "kube-controller-manager": {
    module: "kubernetes",
    package: "k8s.io/kubernetes/cmd/kube-controller-manager",
  },
  "kube-proxy": { module: "kubernetes", package: "k8s.io/kubernetes/cmd/kube-proxy" },
  "kube-scheduler": { module: "kubernetes", package: "k8s.io/kubernetes/cmd/kube-scheduler" },
  kubectl: { module: "kubernetes", package: "k8s.io/kubernetes/cmd/kubectl" },
  kubelet: { module: "kubernetes", package: "k8s.io/kubernetes/cmd/kubelet" },
  promtool: { module: "prometheus", package: "github.com/prometheus/prometheus/cmd/promtool" },
  runc: { module: "runc", package: "github.com/opencontainers/runc" },
};

export function isBinaryName(name: string): name is BinaryName {
  return Object.hasOwn(BINARIES, name);
}

/** Helm calls itself by its minor version unless told. */
function helmStamps(version: string): Record<string, string> {
  return { "helm.sh/helm/v4/internal/version.version": version };
}

/** Kubernetes calls itself v0.0.0-master unless told; kubectl and Helm refuse to work with that. */
function kubernetesStamps(version: string): Record<string, string> {
  const [, major = "", minor = ""] = /^v(\d+)\.(\d+)\./.exec(version) ?? [];
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor };
  const stamps: Record<string, string> = {};
  for (const pkg of ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"]) {
    for (const [variable, value] of Object.entries(values)) stamps[`${pkg}.${variable}`] = value;
  }
  return stamps;
}
