/**
 * Has libp2p forget peers that are gone. It keeps what it learned of every peer that ever connected
 * (some kilobytes that the peer may choose), and drops it only when somebody asks for it hours
 * later: with a new key for each connection, one peer could fill the memory.
 */
import type { Libp2p } from '@libp2p/interface';

/** Ends with `libp2p`. */
export function forgetGonePeers(
  libp2p: Pick<Libp2p, 'addEventListener' | 'getConnections' | 'peerStore'>,
): void {
  libp2p.addEventListener('peer:disconnect', ({ detail: peer }) => {
    // What libp2p still writes about a peer that went is written by the next turn.
    setImmediate(() => {
      if (libp2p.getConnections(peer).length > 0) return;
      // Fails only when libp2p has stopped, and then all of it is gone.
      libp2p.peerStore.delete(peer).catch(() => undefined);
    });
  });
}
