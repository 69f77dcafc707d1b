/** Where an app's program comes from. */

export interface SourceRef {
  /** Path or URL of a git repository; `.` is the intent repository itself. */
  readonly repo: string;
  /** Commit, tag or branch. Null only for `repo: .`: the intent commit being deployed. */
  readonly ref: string | null;
  /** Folder inside the repository. */
  readonly path: string;
}

export interface SourceVersion {
  readonly source: SourceRef;
  /** Full hash that `ref` names now. */
  readonly commit: string;
  /** Object id of the tree at `path`. */
  readonly tree: string;
  /** Where git finds the objects: an absolute git dir. */
  readonly gitDir: string;
  /** True when `ref` is a branch, so that new commits on it are followed. */
  readonly followed: boolean;
}
