/**
 * Who waits for which version of one component, and whether a reload runs. Times are milliseconds of a monotonic clock.
 */
export interface State<Failure> {
  /** The version that is in the pod now; undefined where there is none that can be read. */
  readonly materialised: number | undefined;
  /** The highest version that was ever in the pod. */
  readonly highest: number | undefined;
  /** The version that the last reload proved. */
  readonly applied: number | undefined;
  /** What the last reload came to grief with; undefined once one has succeeded. */
  readonly failure: Failure | undefined;
  readonly waiters: readonly Waiter[];
  readonly running: Run | undefined;
}

/** A reload that runs: it began when `version` was in the pod, and is `disturbed` once any other was seen there. */
export interface Run {
  readonly version: number;
  readonly disturbed: boolean;
}

export interface Waiter {
  readonly id: number;
  readonly version: number;
  readonly deadline: number;
}

export type Event<Success, Failure> =
  | { readonly kind: "asked"; readonly waiter: Waiter }
  /** The caller is gone: nobody is to be answered. */
  | { readonly kind: "left"; readonly id: number }
  /** The pod was looked at. */
  | { readonly kind: "seen"; readonly version: number | undefined }
  /** The running reload has ended, and the pod was looked at after it. */
  | { readonly kind: "ended"; readonly result: Result<Success, Failure> }
  /** Nothing but time has passed. */
  | { readonly kind: "passed" };

export type Result<Success, Failure> =
  | { readonly kind: "proven"; readonly success: Success }
  | { readonly kind: "failed"; readonly failure: Failure };

export type Answer<Success, Failure> =
  | { readonly kind: "applied"; readonly version: number; readonly success: Success }
  | { readonly kind: "failed"; readonly failure: Failure }
  | { readonly kind: "not-materialised"; readonly materialised: number | undefined }
  | { readonly kind: "superseded"; readonly materialised: number; readonly highest: number }
  /** Too many wait, or a reload of the version `running` took all the time. */
  | { readonly kind: "busy"; readonly running: number | undefined }
  /** The reload that would answer has not ended in time. */
  | { readonly kind: "late" };

export type Effect<Success, Failure> =
  | { readonly kind: "start"; readonly version: number }
  /** A reload has ended; `result` is undefined where it says nothing, for the version changed meanwhile. */
  | {
      readonly kind: "concluded";
      readonly version: number;
      readonly result: Result<Success, Failure> | undefined;
    }
  | { readonly kind: "answer"; readonly id: number; readonly answer: Answer<Success, Failure> };

export const initialState = <Failure>(): State<Failure> => ({
  materialised: undefined,
  highest: undefined,
  applied: undefined,
  failure: undefined,
  waiters: [],
  running: undefined,
});
