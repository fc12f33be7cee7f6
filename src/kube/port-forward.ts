import { Duplex, PassThrough } from "node:stream";
import { KubeConfig, PortForward } from "@kubernetes/client-node";

/** A pod's port, as a stream of bytes. */
export type OpenPort = (namespace: string, pod: string, port: number) => Promise<Duplex>;

/** Opens ports of pods through the API server (`pods/portforward`), as the user of this kubeconfig or the pod that we run in. */
export function portForwarding(kubeconfig: string | undefined): OpenPort {
  const config = new KubeConfig();
  if (kubeconfig === undefined) config.loadFromCluster();
  else config.loadFromFile(kubeconfig);
  return async (namespace, pod, port) => {
    const [fromPod, toPod, errors] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const socket = await new PortForward(config, true).portForward(
      namespace,
      pod,
      [port],
      fromPod,
      errors,
      toPod,
    );
    if (typeof socket === "function") throw new Error("a connection that begins again is no connection");
    const stream = Duplex.from({ readable: fromPod, writable: toPod });
    // The kubelet's words, for example that nobody listens on the port.
    errors.on("data", (words: Buffer) => stream.destroy(new Error(words.toString().trim())));
    socket.onclose = () => void fromPod.end();
    stream.on("close", () => socket.close());
    return stream;
  };
}
