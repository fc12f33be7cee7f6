/** Something that is wrong with a document. Offsets count characters from the start of the document's text. */
export interface Problem {
  readonly offset: number;
  readonly message: string;
  /** Where the same thing stands for the first time. */
  readonly first?: number;
}
