/** What a router can be asked for, in whichever language it speaks. */
import type { Abortable } from '../base/abort.ts';

export type MappedProtocol = 'tcp' | 'udp';

export interface MappingWish {
  readonly protocol: MappedProtocol;
  readonly internalPort: number;
  /** What is asked for; the router may give another one. */
  readonly externalPort: number;
  readonly leaseSeconds: number;
}

export interface MappingGrant {
  readonly externalPort: number;
  /** Infinite where the router only gives mappings that stay. */
  readonly leaseSeconds: number;
}

/** All reject with RouterRefusal, or with the signal's reason. */
export interface Router {
  readonly language: 'NAT-PMP' | 'UPnP';
  /** What it says its address is. It may lie. */
  externalIp(options: Abortable): Promise<string>;
  /** Asking again for what one has prolongs it. */
  map(wish: MappingWish, options: Abortable): Promise<MappingGrant>;
  unmap(
    mapping: Pick<MappingWish, 'protocol' | 'internalPort' | 'externalPort'>,
    options: Abortable,
  ): Promise<void>;
}

/** The router did not answer, answered nonsense, or said no. `why` holds no text of the router. */
export class RouterRefusal extends Error {
  override readonly name = 'RouterRefusal';
  /** The external port belongs to somebody else. */
  readonly isConflict: boolean;

  constructor(
    why: string,
    { isConflict = false, cause }: { readonly isConflict?: boolean; readonly cause?: unknown } = {},
  ) {
    super(why, { cause });
    this.isConflict = isConflict;
  }
}
