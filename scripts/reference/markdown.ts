/** A page that says that it is generated, and from what. */
export const page = (title: string, source: string, ...blocks: readonly string[]): string =>
  `${[`<!-- Generated from ${source} by \`npm run reference\`: change it there. -->`, `# ${title}`, ...blocks].join("\n\n")}\n`;

/** A table; the cells are Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), `|${" --- |".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

export const code = (text: string): string => `\`${text}\``;

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
