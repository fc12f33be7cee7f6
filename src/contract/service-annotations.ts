import { DOMAIN } from "./names.ts";

/** Annotations that a user may set on the primary Service. */

/** `"true"`: an Endpoints object of the Service's name is put aside (labelled `skip-mirror`), and the primary published instead. */
export const TAKE_OVER_ANNOTATION = `${DOMAIN}/take-over`;

/** A new value clears the term once: the next primary is published whatever its timeline (after a restore). */
export const RESET_TERM_ANNOTATION = `${DOMAIN}/reset-term`;

/**
 * On a Service that we made: since when (RFC 3339) nothing of its cluster is left. Written by the controller, and taken away when
 * the cluster comes back.
 */
export const UNUSED_SINCE_ANNOTATION = `${DOMAIN}/unused-since`;
