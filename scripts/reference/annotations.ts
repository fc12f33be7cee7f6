import {
  ANNOTATIONS,
  type AnnotationName,
  annotationKey,
  STATUS_ANNOTATION,
} from "../../src/contract/annotations.ts";
import { code, page, table } from "./markdown.ts";

export function annotationsPage(): string {
  const rows = Object.entries(ANNOTATIONS).map(([name, { syntax, means }]) => [
    code(annotationKey(name as AnnotationName)),
    means,
    syntax.allowed,
  ]);
  return page(
    "Annotations",
    "src/contract/annotations.ts",
    "What may be set on a pod, or on a workload's pod template. A value that is not allowed refuses the pod, with a message that names the annotation, the value and what is allowed; with `onInvalid: ignore` in the [configuration](configuration.md) it is passed over with a warning.",
    table(["Annotation", "Meaning", "Allowed"], rows),
    `${code(STATUS_ANNOTATION)} is written on every injected pod: JSON with the version and the parts that are in force. It is never read back: setting or copying it changes nothing.`,
  );
}
