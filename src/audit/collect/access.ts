import { at } from "../../json/value.ts";
import type { KubeConnection } from "../../kube/connection.ts";
import type { Seen } from "../need.ts";
import type { AccessQuestion } from "../snapshot.ts";
import { forEach } from "./pool.ts";

const PATH = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

const keyOf = ({
  namespace,
  serviceAccount,
  verb,
  group,
  resource,
  inNamespace,
  name,
}: AccessQuestion): string =>
  JSON.stringify([namespace, serviceAccount, verb, group, resource, inNamespace, name]);

export type AccessAnswers = (question: AccessQuestion) => Seen<boolean>;

/** Asks the API server itself, whatever authorizers it has. Nothing is kept there: a review is no object. */
export async function askAccess(
  connection: KubeConnection,
  questions: readonly AccessQuestion[],
): Promise<AccessAnswers> {
  const distinct = new Map(questions.map((question) => [keyOf(question), question]));
  let refusal: string | undefined;
  const answers = new Map<string, Seen<boolean>>();
  await forEach([...distinct], async ([key, question]) => {
    // Who may not ask once may not ask again.
    if (refusal !== undefined) return;
    try {
      const review = await connection.send({ method: "POST", path: PATH, body: reviewOf(question) });
      answers.set(key, { value: at(review, "status", "allowed") === true });
    } catch (error) {
      const { message, code } = error as Error & { readonly code?: number };
      if (code === 403) refusal = message;
      answers.set(key, { unseen: `permissions: ${message}` });
    }
  });
  return (question) =>
    answers.get(keyOf(question)) ?? { unseen: `permissions: ${refusal ?? "they were not asked for"}` };
}

function reviewOf({ namespace, serviceAccount, verb, group, resource, inNamespace, name }: AccessQuestion) {
  const user = `system:serviceaccount:${namespace}:${serviceAccount}`;
  const groups = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"];
  const [plain = resource, subresource] = resource.split("/");
  const resourceAttributes = {
    verb,
    group,
    resource: plain,
    namespace: inNamespace,
    ...(subresource === undefined ? {} : { subresource }),
    ...(name === undefined ? {} : { name }),
  };
  return {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: { user, groups, resourceAttributes },
  };
}
