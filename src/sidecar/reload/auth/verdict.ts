/** Whether a caller may call. */
export type Verdict =
  /** `onlyLooks`: it may ask for the status, and not reload. */
  | { readonly kind: "admitted"; readonly caller: string; readonly onlyLooks?: boolean }
  | { readonly kind: "refused"; readonly problem: "unauthenticated" | "forbidden"; readonly why: string };
