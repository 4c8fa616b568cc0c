/**
 * Noise for peers that speak no TLS. AltNet's own nodes agree on TLS, so its package, with the
 * WebAssembly that it sets up at once, is loaded when the first other peer comes. It knows no
 * octets.
 */
import type {
  ConnectionEncrypter,
  MessageStream,
  SecureConnectionOptions,
  SecuredConnection,
} from '@libp2p/interface';
import type { noise } from '@libp2p/noise';

export type NoiseComponents = Parameters<ReturnType<typeof noise>>[0];

export class LateNoise implements ConnectionEncrypter {
  readonly protocol: string = '/noise';
  readonly #components: NoiseComponents;
  #loaded: Promise<ConnectionEncrypter> | undefined;

  constructor(components: NoiseComponents) {
    this.#components = components;
  }

  async secureInbound(
    connection: MessageStream,
    options?: SecureConnectionOptions,
  ): Promise<SecuredConnection> {
    return (await this.#load()).secureInbound(connection, options);
  }

  async secureOutbound(
    connection: MessageStream,
    options?: SecureConnectionOptions,
  ): Promise<SecuredConnection> {
    return (await this.#load()).secureOutbound(connection, options);
  }

  #load(): Promise<ConnectionEncrypter> {
    this.#loaded ??= import('@libp2p/noise').then((loaded) => loaded.noise()(this.#components));
    return this.#loaded;
  }
}
