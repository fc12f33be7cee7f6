/**
 * Tests that take seconds of computing run with THOROUGH=1 only (`npm run test:certificates`, `npm run test:thorough`): `npm test` has a minute.
 * Elsewhere they are skipped, with this as the reason.
 */
export const onlyThorough: string | false = process.env.THOROUGH === "1" ? false : "runs with THOROUGH=1";
