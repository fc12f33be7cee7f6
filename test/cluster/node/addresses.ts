/** Who is where inside the cluster's own network. The ranges may be in use outside of it: nothing leads there. */

export const NODE_NAME = "node";
export const NODE_IP = "10.200.0.1";
export const NODE_PREFIX = 24;

/** The first of the API server's range of Service addresses, which it takes for itself. */
export const API_SERVICE_IP = "10.96.0.1";
export const DNS_SERVICE_IP = "10.96.0.10";
export const POD_CIDR = "10.244.0.0/16";

export const CLUSTER_DOMAIN = "cluster.local";
export const API_PORT = 6443;
