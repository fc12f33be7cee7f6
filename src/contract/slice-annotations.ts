import { DOMAIN } from "./names.ts";

/** Annotations of the primary's EndpointSlice. Written by the injector's writers; users may read them. */

/** `<system identifier>/<timeline>` of the member that is, or was last, published. */
export const TERM_ANNOTATION = `${DOMAIN}/term`;

/** `<pod name>/<pod uid>` of the member that is, or was last, published. Kept on withdrawal. */
export const LAST_POD_ANNOTATION = `${DOMAIN}/last-pod`;

/** Raised by a write that must be answered although nothing else is to change (see `primary/round.ts`). */
export const ATTEMPT_ANNOTATION = `${DOMAIN}/attempt`;

/** The slice has its Service's name: mirrored and selector-made slices have a suffix, so it is free. */
export const primarySliceName = (service: string): string => service;
