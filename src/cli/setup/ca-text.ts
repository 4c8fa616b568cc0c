/** The certificate of an authority as stores take it. */

export interface AuthorityText {
  /** "AltNet local CA 1a2b3c4d": what it is called in lists. */
  readonly name: string;
  readonly pem: string;
  /** SHA-256: "AB:CD:…". */
  readonly fingerprint: string;
}
