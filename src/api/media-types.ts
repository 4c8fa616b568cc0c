/** Names of the forms that bodies of requests have, besides JSON and plain octets. */

export const tarType = 'application/x-tar';
/** A tar archive that is packed. */
export const gzipType = 'application/gzip';
