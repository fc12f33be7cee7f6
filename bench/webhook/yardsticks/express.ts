import express, { type Request } from "express";
import jsonPatch from "fast-json-patch";
import { serveHere } from "./listen.ts";

/**
 * What a webhook on the same stack cannot do without, and nothing else: the body is parsed, the pod is cloned and the
 * clone compared, and a review is answered. No decision, no change, no log, no metrics.
 */
const app = express().disable("x-powered-by").disable("etag");

app.post("/mutate", express.json({ limit: "7mb" }), ({ body }: Request, response) => {
  const { apiVersion, kind, request } = body;
  const operations = jsonPatch.compare(request.object, structuredClone(request.object));
  response.json({
    apiVersion,
    kind,
    response: { uid: request.uid, allowed: operations.length === 0 },
  });
});

serveHere(app);
