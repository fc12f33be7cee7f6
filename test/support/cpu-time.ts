/** This process's CPU time so far, in milliseconds: unlike the clock on the wall, it does not count what others do to the machine. */
export function cpuTimeMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
