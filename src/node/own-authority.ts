/**
 * The certificate authority of this installation, and its code, once somebody needs it. Who asks
 * for what is not its matter.
 */
import { isAltNetError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import type { AuthorityOptions, CertificateAuthority } from '../ca/authority.ts';

export class OwnAuthority {
  readonly #folder: string;
  readonly #terms: AuthorityOptions;
  readonly #log: Pick<Logger, 'error'>;
  #known: CertificateAuthority | undefined;
  /** What was last said of it. */
  #told: string | undefined;

  constructor(folder: string, terms: AuthorityOptions, log: Pick<Logger, 'error'>) {
    this.#folder = folder;
    this.#terms = terms;
    this.#log = log;
  }

  /** Made where there is none. Rejects like CertificateAuthority.open. */
  async open(): Promise<CertificateAuthority> {
    const { CertificateAuthority: Authority } = await import('../ca/authority.ts');
    this.#known ??= await Authority.open(this.#folder, this.#terms);
    return this.#known;
  }

  /** Undefined where there is none that can be used; why not, the log says once. */
  async find(): Promise<CertificateAuthority | undefined> {
    if (this.#known) return this.#known;
    const { CertificateAuthority: Authority } = await import('../ca/authority.ts');
    try {
      this.#known = await Authority.find(this.#folder, this.#terms);
    } catch (error) {
      if (!isAltNetError(error)) throw error;
      this.#tell(reasonOf(error));
    }
    return this.#known;
  }

  /** Not for each of the tunnels that anybody can ask for. */
  #tell(why: string): void {
    if (why !== this.#told) {
      this.#log.error('the certificate authority cannot be used', { why });
    }
    this.#told = why;
  }
}
