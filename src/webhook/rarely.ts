/**
 * For what may happen many times a second: says the first at once, and with one that comes later how many there were in between.
 *
 * @param everyMs the least time between two
 */
export function rarely<Detail>(
  everyMs: number,
  say: (detail: Detail, others: number) => void,
  now: () => number = () => performance.now(),
): (detail: Detail) => void {
  let last = Number.NEGATIVE_INFINITY;
  let others = 0;
  return (detail) => {
    if (now() - last < everyMs) {
      others++;
      return;
    }
    say(detail, others);
    last = now();
    others = 0;
  };
}
