// Calls of the platform's API, and the ways in which they fail.
import { createStore, storage } from './store.js';

// The Bearer token: kept until the tab is closed.
export const token = createStore(storage.read('sessionStorage', 'token', ''));

export function setToken(value) {
  storage.write('sessionStorage', 'token', value);
  token.set(value);
}

// `kind` is what the page does about it: `token`, `forbidden`, `limit` (until `retryAt`, in milliseconds), `offline`, `service`, `missing` or
// `refused` (the `field` is to blame, where there is one).
export class Failure extends Error {
  constructor(kind, message, details = {}) {
    super(message);
    Object.assign(this, { kind, ...details });
  }
}

const KINDS = { 401: 'token', 403: 'forbidden', 404: 'missing', 429: 'limit' };

async function failureOf(response) {
  const body = await response.json().catch(() => ({}));
  const kind = KINDS[response.status] ?? (response.status >= 500 ? 'service' : 'refused');
  const seconds = Number(response.headers.get('retry-after') ?? body.retry_after ?? 1);
  const details = { status: response.status, field: body.field, code: body.code, retryAt: Date.now() + seconds * 1000 };
  return new Failure(kind, body.error ?? `the answer was ${response.status}`, details);
}

// Sends a request; throws a `Failure` unless the answer is a success.
export async function send(path, { method = 'GET', body, headers = {}, signal } = {}) {
  if (!token.get()) throw new Failure('token', 'no token yet');
  let response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      signal,
      headers: {
        authorization: `Bearer ${token.get()}`,
        ...(body && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body && JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Failure('offline', 'the platform did not answer');
  }
  if (!response.ok) throw await failureOf(response);
  return response;
}

// As `send`; returns the JSON of the answer.
export async function call(path, options) {
  const response = await send(path, options);
  return response.status === 204 ? null : response.json();
}

// A query string without what is empty.
export function query(parameters) {
  const wanted = Object.entries(parameters).filter(
    ([, value]) => value !== '' && value !== null && value !== undefined,
  );
  return wanted.length ? `?${new URLSearchParams(wanted)}` : '';
}

// The events of a stream of server-sent events, as `{event, data}`. `EventSource` cannot send a token.
export async function* events(path, signal) {
  const response = await send(path, { signal, headers: { accept: 'text/event-stream' } });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value.replaceAll('\r\n', '\n');
    const blocks = text.split('\n\n');
    text = blocks.pop();
    for (const block of blocks) {
      const lines = block.split('\n').map((line) => line.split(/: ?(.*)/s));
      const field = (name) => lines.filter(([key]) => key === name).map(([, value]) => value);
      const data = field('data').join('\n');
      if (data) yield { event: field('event')[0] ?? 'message', data: JSON.parse(data) };
    }
  }
}
