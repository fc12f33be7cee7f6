import type { JsonObject } from "../../json/value.ts";
import type { Seen } from "../need.ts";
import { type AuditKind, ObjectIndex } from "../snapshot.ts";
import { AUDITED, type Listed } from "./lists.ts";

/** What was read of one kind, and where nothing was. */
export class KindObjects {
  readonly #index: Seen<ObjectIndex>;
  readonly #beside: Listed["beside"];
  readonly #isRead: (namespace: string) => boolean;
  readonly #plural: string;

  /** @param namespaces those that are audited; all of them where it is undefined */
  constructor(kind: AuditKind, { audited, beside }: Listed, namespaces: readonly string[] | undefined) {
    const { namespaced, plural } = AUDITED[kind];
    const others = [...beside.values()].flatMap((list) => ("value" in list ? list.value : []));
    this.#index = "unseen" in audited ? audited : { value: new ObjectIndex([...audited.value, ...others]) };
    this.#beside = beside;
    this.#isRead = (namespace) =>
      !namespaced || namespaces === undefined || namespaces.includes(namespace) || beside.has(namespace);
    this.#plural = plural;
  }

  in(namespace: string | undefined): Seen<readonly JsonObject[]> {
    const beside = namespace === undefined ? undefined : this.#beside.get(namespace);
    if (beside !== undefined) return beside;
    if (namespace !== undefined && !this.#isRead(namespace))
      return { unseen: `${this.#plural} of namespace ${namespace} were not read` };
    return "unseen" in this.#index ? this.#index : { value: this.#index.value.in(namespace) };
  }
}
