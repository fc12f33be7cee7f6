/** How often a property is tried: `usual` keeps the whole folder under 10 s; the environment's FC_RUNS raises it. */
export const runs = (usual: number): { numRuns: number } => ({
  numRuns: Number(process.env.FC_RUNS ?? usual),
});
