/** The DAGs that this node holds from top to bottom, in LMDB. */
import { asBuffer, type Bytes } from '../base/bytes.ts';
import type { Environment, Table } from './environment.ts';
import { tableEntries } from './tables.ts';

export interface HeldRoot {
  /** SHA-256 of the root block, 32 bytes. */
  readonly hash: Bytes;
  readonly codec: 'dag-pb' | 'raw';
  /** This node's own user published it. */
  readonly own: boolean;
  readonly files: number;
  readonly bytes: number;
  /** Unix milliseconds. */
  readonly addedMs: number;
}

export class RootStore {
  readonly #environment: Environment;
  readonly #table: Table;

  constructor(environment: Environment) {
    this.#environment = environment;
    this.#table = environment.table('roots');
  }

  get(hash: Bytes): HeldRoot | undefined {
    const value = this.#table.getBinary(hash);
    return value && decodeRoot(hash, value);
  }

  /** In order of hash; may be read slowly while others write. */
  *list(): Iterable<HeldRoot> {
    for (const { key, value } of tableEntries(this.#table)) {
      const root = decodeRoot(new Uint8Array(key), value);
      if (root) yield root;
    }
  }

  /** Resolves when a crash of this process can no longer undo it. */
  async put(root: HeldRoot): Promise<void> {
    const value = encodeRoot(root);
    await this.#environment.commit((changes) =>
      changes.put(this.#table, { key: root.hash, value }),
    );
  }

  async remove(hash: Bytes): Promise<void> {
    await this.#environment.commit((changes) => changes.remove(this.#table, hash), {
      removesOnly: true,
    });
  }
}

const rootBytes = 26;
const codecs = ['dag-pb', 'raw'] as const;

function encodeRoot({ codec, own, files, bytes, addedMs }: HeldRoot): Bytes {
  const value = Buffer.alloc(rootBytes);
  value.writeUInt8(codecs.indexOf(codec), 0);
  value.writeUInt8(own ? 1 : 0, 1);
  value.writeDoubleBE(files, 2);
  value.writeDoubleBE(bytes, 10);
  value.writeDoubleBE(addedMs, 18);
  return value;
}

function decodeRoot(hash: Bytes, value: Bytes): HeldRoot | undefined {
  if (value.length !== rootBytes) return undefined;
  const head = asBuffer(value);
  const codec = codecs[head.readUInt8(0)];
  if (!codec) return undefined;
  return {
    hash,
    codec,
    own: head.readUInt8(1) === 1,
    files: head.readDoubleBE(2),
    bytes: head.readDoubleBE(10),
    addedMs: head.readDoubleBE(18),
  };
}
