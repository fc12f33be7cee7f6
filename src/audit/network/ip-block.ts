import { BlockList, isIP } from "node:net";
import { asString, at } from "../../json/value.ts";

/** Whether `ipBlock` holds an address: in `cidr`, and in none of `except`. A malformed range holds nothing. */
export function ipBlockHolds(block: unknown, ip: string): boolean {
  const except = at(block, "except");
  return (
    inRange(asString(at(block, "cidr")), ip) &&
    !(Array.isArray(except) && except.some((range) => inRange(asString(range), ip)))
  );
}

function inRange(cidr: string | undefined, ip: string): boolean {
  const [network = "", length = ""] = (cidr ?? "").split("/");
  const family = isIP(network);
  if (family === 0 || isIP(ip) !== family || !/^\d{1,3}$/.test(length)) return false;
  if (Number(length) > (family === 4 ? 32 : 128)) return false;
  const name = family === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(network, Number(length), name);
  return list.check(ip, name);
}
