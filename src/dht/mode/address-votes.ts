/**
 * Our address as others see it, for one address family and scope. No peer is believed alone: those
 * whom we asked vote by what they saw, and a clear majority decides (docs/spec/dht.md, "Modes").
 */
import { type Endpoint, formatEndpoint } from '../../base/address.ts';
import { toHex } from '../../base/bytes.ts';
import { type Voter, Voters } from './voters.ts';

export interface AddressVoteOptions {
  /** Equal votes that it takes … */
  readonly votesMin: number;
  /** … and the share of all votes that they must be. */
  readonly voteShareMin: number;
  /** The last so many votes count. */
  readonly votesMax: number;
}

export const addressVoteDefaults: AddressVoteOptions = {
  votesMin: 5,
  voteShareMin: 0.6,
  votesMax: 30,
};

export type AddressVerdict =
  | { readonly kind: 'open'; readonly votes: number }
  /** One address whose port depends on who is asked: a symmetric NAT, which lets nobody in. */
  | { readonly kind: 'symmetric' }
  | { readonly kind: 'adopted'; readonly endpoint: Endpoint };

export class AddressVotes {
  readonly #options: AddressVoteOptions;
  readonly #voters: Voters<Endpoint>;

  constructor(options: AddressVoteOptions = addressVoteDefaults) {
    this.#options = options;
    this.#voters = new Voters({ votersMax: options.votesMax, network: 'wide' });
  }

  /** `observed` is what a node that answered us saw. */
  add(voter: Voter, observed: Endpoint): void {
    this.#voters.hear(voter, observed);
  }

  verdict(): AddressVerdict {
    const votes = this.#voters.values();
    const endpoint = this.#winner(votes, formatEndpoint);
    if (endpoint) return { kind: 'adopted', endpoint };
    const sameAddress = this.#winner(votes, ({ ip }) => toHex(ip));
    return sameAddress ? { kind: 'symmetric' } : { kind: 'open', votes: votes.length };
  }

  /** A vote of the largest group that `keyOf` makes, when that is large enough. */
  #winner(votes: readonly Endpoint[], keyOf: (vote: Endpoint) => string): Endpoint | undefined {
    const groups = Map.groupBy(votes, keyOf);
    const enough = Math.max(this.#options.votesMin, votes.length * this.#options.voteShareMin);
    return [...groups.values()].find((group) => group.length >= enough)?.[0];
  }
}
