import type { BinaryName } from "../tools.ts";

/** What runs on the node, in the order of its start, which is the reverse of that of its end. */
export const PROGRAMS = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "containerd",
  "kubelet",
  "kube-proxy",
  "coredns",
] as const satisfies readonly BinaryName[];

export type Program = (typeof PROGRAMS)[number];

/** Further binaries of a cluster: those that containerd starts, and those that people do. */
export const FURTHER_BINARIES = [
  "containerd-shim-runc-v2",
  "runc",
  "ctr",
  "kubectl",
  "helm",
] as const satisfies readonly BinaryName[];
