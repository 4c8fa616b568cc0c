/** A router that maps ports by UPnP: both versions of the Internet Gateway Device. */
import type { Abortable } from '../base/abort.ts';
import type { Timers } from '../base/clock.ts';
import type { DefaultRoute } from './default-route.ts';
import { type MappingGrant, type MappingWish, type Router, RouterRefusal } from './router.ts';
import { exchange, type SmallRequest } from './small-http.ts';
import { findDescription } from './ssdp.ts';
import { errorCodeOf, parseDescription, soapBody, type SoapService, textOf } from './upnp-xml.ts';

/** The external port is mapped to somebody else. */
const conflictCodes: ReadonlySet<number> = new Set([718, 729]);
const onlyPermanentCode = 725;
const description = 'AltNet';

/** Asks for the gateway and what it can do. Rejects with RouterRefusal. */
export async function findUpnpRouter(
  route: DefaultRoute,
  options: Abortable & { readonly timers: Timers },
): Promise<UpnpRouter> {
  const location = await findDescription(route, options);
  const { gateway } = route;
  const { signal } = options;
  const { status, text } = await orRefusal({ url: location, gateway, method: 'GET', signal });
  const service = status === 200 ? parseDescription(text, { location, gateway }) : undefined;
  if (!service) throw new RouterRefusal('its description names nothing that maps ports');
  return new UpnpRouter(route, service);
}

export class UpnpRouter implements Router {
  readonly language = 'UPnP';
  readonly #route: DefaultRoute;
  readonly #service: SoapService;

  constructor(route: DefaultRoute, service: SoapService) {
    this.#route = route;
    this.#service = service;
  }

  async externalIp(options: Abortable): Promise<string> {
    const answer = await this.#call('GetExternalIPAddress', [], options);
    return textOf(answer, 'NewExternalIPAddress') ?? '';
  }

  async map(wish: MappingWish, options: Abortable): Promise<MappingGrant> {
    const { externalPort } = wish;
    try {
      await this.#add(wish, options);
      return { externalPort, leaseSeconds: wish.leaseSeconds };
    } catch (error) {
      if (!(error instanceof SoapFault) || error.upnpCode !== onlyPermanentCode) throw error;
    }
    await this.#add({ ...wish, leaseSeconds: 0 }, options);
    return { externalPort, leaseSeconds: Number.POSITIVE_INFINITY };
  }

  async unmap(
    { protocol, externalPort }: Pick<MappingWish, 'protocol' | 'externalPort'>,
    options: Abortable,
  ): Promise<void> {
    const args = [
      ['NewRemoteHost', ''],
      ['NewExternalPort', externalPort],
      ['NewProtocol', protocol.toUpperCase()],
    ] as const;
    await this.#call('DeletePortMapping', args, options);
  }

  async #add(wish: MappingWish, options: Abortable): Promise<void> {
    const args = [
      ['NewRemoteHost', ''],
      ['NewExternalPort', wish.externalPort],
      ['NewProtocol', wish.protocol.toUpperCase()],
      ['NewInternalPort', wish.internalPort],
      ['NewInternalClient', this.#route.local],
      ['NewEnabled', 1],
      ['NewPortMappingDescription', description],
      ['NewLeaseDuration', wish.leaseSeconds],
    ] as const;
    await this.#call('AddPortMapping', args, options);
  }

  async #call(
    action: string,
    args: readonly (readonly [string, string | number])[],
    { signal }: Abortable,
  ): Promise<string> {
    const { type, control } = this.#service;
    const { status, text } = await orRefusal({
      url: control,
      gateway: this.#route.gateway,
      method: 'POST',
      headers: { 'Content-Type': 'text/xml; charset="utf-8"', SOAPAction: `"${type}#${action}"` },
      body: soapBody(type, action, args),
      signal,
    });
    if (status !== 200) throw new SoapFault(status, errorCodeOf(text));
    return text;
  }
}

class SoapFault extends RouterRefusal {
  readonly upnpCode: number | undefined;

  constructor(status: number, code: number | undefined) {
    const isConflict = code !== undefined && conflictCodes.has(code);
    super(isConflict ? 'the port is taken' : `it refused (${code ?? status})`, { isConflict });
    this.upnpCode = code;
  }
}

async function orRefusal(request: SmallRequest): ReturnType<typeof exchange> {
  try {
    return await exchange(request);
  } catch (cause) {
    request.signal?.throwIfAborted();
    throw new RouterRefusal('it does not answer as it should', { cause });
  }
}
