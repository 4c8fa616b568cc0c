/** A browser that asks a gateway for a host without asking the system where that is. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';

export interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  readonly location: string | undefined;
}

/** The path as it is, whatever it holds. */
export async function browse(
  { gateway }: { readonly gateway: { readonly host: string; readonly port: number } },
  host: string,
  path = '/',
): Promise<Answer> {
  const asked = request({ ...gateway, path, headers: { host }, agent: false });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const pieces: string[] = []; // BOUNDED by one page
  for await (const piece of response.setEncoding('utf8')) pieces.push(String(piece));
  const { statusCode: status, headers } = response;
  return { status, body: pieces.join(''), location: headers.location };
}
