/** What a folder on disk holds, as far as it is published. It looks at nothing. */

export interface ScannedFile {
  readonly kind: 'file';
  readonly name: string;
  /** Where to read it. */
  readonly path: string;
  readonly bytes: number;
  /** What the system says of it: something else when its content has changed, see stamp.ts. */
  readonly says: string;
}

export interface ScannedFolder {
  readonly kind: 'folder';
  readonly name: string;
  /** Where to list it. */
  readonly path: string;
  /** Empty, like `folders`, when `isKnown` has said that nothing of them is needed. */
  readonly files: readonly ScannedFile[];
  readonly folders: readonly ScannedFolder[];
  readonly isKnown: boolean;
  /** Another one when anything below it has changed. */
  readonly stamp: string;
  /** Of all files below it. */
  readonly total: ScannedTotal;
}

export interface ScannedTotal {
  readonly files: number;
  readonly bytes: number;
  readonly blocks: number;
}
