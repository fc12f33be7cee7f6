/** Whether a caller may call. */
export type Verdict =
  | { readonly kind: "admitted"; readonly caller: string }
  | { readonly kind: "refused"; readonly problem: "unauthenticated" | "forbidden"; readonly why: string };
