/** Kubernetes' MicroTime: RFC 3339 with exactly six digits of a second, of which a Date knows three. */
export const microTime = (date: Date): string => date.toISOString().replace(/Z$/, "000Z");
