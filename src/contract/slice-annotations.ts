import { DOMAIN } from "./names.ts";

/** Annotations of the primary's EndpointSlice. Written by the injector's writers; users may read them. */

/**
 * `<system identifier>/<timeline>` of the member that is, or was last, published. `unknown` on a slice that was made again when
 * nothing was left that remembers its term: then a member is published once Patroni's DCS has named it for longer than the TTL.
 */
export const TERM_ANNOTATION = `${DOMAIN}/term`;

/** `<pod name>/<pod uid>` of the member that is, or was last, published. Kept on withdrawal. */
export const LAST_POD_ANNOTATION = `${DOMAIN}/last-pod`;

/** Raised by a write that must be answered although nothing else is to change (see `primary/round.ts`). */
export const ATTEMPT_ANNOTATION = `${DOMAIN}/attempt`;

/** The ClusterIP of the slice's Service: a Service that is deleted is made again with it. */
export const CLUSTER_IP_ANNOTATION = `${DOMAIN}/cluster-ip`;

/** The value of the Service's `reset-term` annotation that was last obeyed. */
export const TERM_RESET_ANNOTATION = `${DOMAIN}/term-reset`;

/**
 * On the Roles of a cluster's sidecars: what the primary's slice says, as JSON, so that a slice which is made again goes on with
 * its term whatever became of the controller meanwhile. A Role is never a user's own, and does not go with the Service.
 */
export const KEPT_ANNOTATION = `${DOMAIN}/kept`;

/** `endpointslice.kubernetes.io/managed-by`: who keeps a slice. Never one of Kubernetes' own two. */
export const SLICE_MANAGER_LABEL = "endpointslice.kubernetes.io/managed-by";
export const SLICE_MANAGER = DOMAIN;

/** Names the Service that a slice belongs to. */
export const SLICE_SERVICE_LABEL = "kubernetes.io/service-name";

/** On an Endpoints object: it is not mirrored into an EndpointSlice. */
export const SKIP_MIRROR_LABEL = "endpointslice.kubernetes.io/skip-mirror";

/** The slice has its Service's name: mirrored and selector-made slices have a suffix, so it is free. */
export const primarySliceName = (service: string): string => service;
