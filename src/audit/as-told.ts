import { allowed, type ReloadSetting } from "../contract/reload-env.ts";
import { commaList } from "../contract/syntax.ts";
import { sidecarIn } from "../controller/facts/sidecar.ts";
import type { InjectionSettings } from "../injection/settings.ts";
import { asString, type JsonObject, objectsIn } from "../json/value.ts";

const ALLOW_LIST: ReloadSetting = "PATRONI_INJECTOR_RELOAD_ALLOW";

/** The settings with what no configuration says, the controller's own ServiceAccount, as the pod's sidecar was told it. */
export function asTold(settings: InjectionSettings, pod: JsonObject): InjectionSettings {
  const list = objectsIn(sidecarIn(pod)?.env).find(({ name }) => name === ALLOW_LIST)?.value;
  const entries = commaList(asString(list) ?? "").map(allowed);
  const controllerAccount = entries.find(({ onlyLooks }) => onlyLooks)?.account;
  return controllerAccount === undefined ? settings : { ...settings, controllerAccount };
}
