/** What the API asks of the node about relays, in the shapes that users see as JSON. */

/** A relay through which others reach this node. */
export interface RelayLine {
  /** Of the relay's node. */
  id: string;
  address: string;
  /** Unix seconds: this node has a place there since then. */
  since: number;
  /** Whether others get through (docs/spec/relay.md, "Whether a place works"). */
  state: 'unproven' | 'working' | 'useless';
  /** Connections through it at this moment, and what they have carried, both ways together. */
  connections: number;
  bytes: number;
}

export interface RelaysResult {
  /**
   * relay: this node is one; reachable: it has places at relays; searching: it needs one and has
   * none; not-needed: others reach it without, or nobody shall.
   */
  state: 'relay' | 'reachable' | 'searching' | 'not-needed';
  used: RelayLine[];
  /** Of a relay: who has a place, connections at this moment, bytes since the start. */
  served?: {
    reservations: number;
    connections: number;
    bytes: number;
    /** Places and connections that were refused, by why (docs/spec/relay.md). */
    refused: Record<string, number>;
  };
}

export interface RelayServices {
  relays(): Promise<RelaysResult>;
}
