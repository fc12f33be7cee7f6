#!/usr/bin/env node
import { VERSION } from "./contract/version.ts";

interface Role {
  run(argv: string[], io: NodeJS.Process): Promise<number>;
}

/** A role is imported only when it is asked for: none pays for what another needs. */
const ROLES: Readonly<Record<string, { readonly means: string; load(): Promise<Role> }>> = {
  serve: {
    means: "answer admission reviews (the webhook server)",
    load: () => import("./serve/command.ts"),
  },
  sidecar: {
    means: "keep the primary's EndpointSlice beside Patroni (in an injected pod)",
    load: () => import("./sidecar/command.ts"),
  },
  status: {
    means: "say what a sidecar sees, and what is wrong (in an injected pod)",
    load: () => import("./sidecar/status-command.ts"),
  },
  audit: {
    means: "say what is wrong with the Patroni clusters of a cluster or of manifests, and what mends it",
    load: () => import("./audit/command.ts"),
  },
  cleanup: {
    means: "take away what was made for clusters that are gone or have opted out",
    load: () => import("./cleanup/command.ts"),
  },
  certs: {
    means: "say which certificate the webhook serves, who trusts it and when it rotates",
    load: () => import("./certs/command.ts"),
  },
  reload: {
    means: "reload pods of a cluster, and prove which version of their configuration they run",
    load: () => import("./reload/command.ts"),
  },
  inject: {
    means: "inject into manifests, offline",
    load: () => import("./offline/command.ts"),
  },
};

const USAGE = `Usage: patroni-injector COMMAND [OPTIONS]

${Object.entries(ROLES)
  .map(([name, { means }]) => `  ${name.padEnd(9)}${means}`)
  .join("\n")}
  help     say this, or with a command what its options are
  version  say the version
`;

async function main([command, ...rest]: string[]): Promise<number> {
  if (command === "version" || command === "--version") {
    process.stdout.write(`${VERSION}\n`);
    return 0;
  }
  if (command === "help" || command === "--help" || command === "-h") {
    const about = roleOf(rest[0]);
    if (about !== undefined) return (await about.load()).run(["--help"], process);
    process.stdout.write(USAGE);
    return 0;
  }
  const role = roleOf(command);
  if (role === undefined) {
    const problem =
      command === undefined ? "which command?" : `there is no command ${JSON.stringify(command)}`;
    process.stderr.write(`patroni-injector: ${problem}\n\n${USAGE}`);
    return 2;
  }
  const { run } = await role.load();
  return run(rest, process);
}

function roleOf(name: string | undefined) {
  return name !== undefined && Object.hasOwn(ROLES, name) ? ROLES[name] : undefined;
}

process.exitCode = await main(process.argv.slice(2));
