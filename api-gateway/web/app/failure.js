// What went wrong, in words, where it happened, with a way to try again.
import { html, useEffect, useState } from './preact.js';
import { setToken, token } from './api.js';
import { capital } from './words.js';

// Seconds until a time, counting down.
function useCountdown(until) {
  const left = () => Math.max(0, Math.ceil((until - Date.now()) / 1000));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    setSeconds(left());
    const timer = setInterval(() => setSeconds(left()), 250);
    return () => clearInterval(timer);
  }, [until]);
  return seconds;
}

export function TokenForm({ refusal }) {
  const [text, setText] = useState(token.get() || 'dev');
  const submit = (event) => {
    event.preventDefault();
    if (text.trim()) setToken(text.trim());
  };
  return html`<form class="panel token" onSubmit=${submit}>
    <h2>${refusal ? 'The token was not accepted' : 'Come in'}</h2>
    <p>${refusal ? `${capital(refusal)}. ` : ''}The API behind this page asks for a Bearer token. On a development machine any word will do. It is
      forgotten when this tab is closed.</p>
    <div class="row">
      <label>Token <input name="token" autocomplete="off" spellcheck="false" required value=${text}
        onInput=${(event) => setText(event.target.value)} /></label>
      <button class="primary">Start</button>
    </div>
  </form>`;
}

function Limit({ failure, retry }) {
  const seconds = useCountdown(failure.retryAt);
  useEffect(() => {
    if (seconds === 0) retry();
  }, [seconds]);
  return html`<div class="failure" role="alert">
    <p><strong>Those were too many requests in a short time.</strong> It goes on by itself in <span
      class="countdown">${seconds} s</span>.</p>
    <button type="button" disabled=${seconds > 0} onClick=${retry}>Try again</button>
  </div>`;
}

const TITLES = {
  offline: 'The platform does not answer.',
  service: 'A part of the platform is away.',
  forbidden: 'Your token does not allow that.',
  missing: 'That does not exist.',
  refused: 'That was not accepted.',
};
const HINTS = {
  offline: 'Either it is not running, or this machine is offline. What you typed is still here.',
  service: 'What you typed is still here.',
};

function Other({ failure, retry }) {
  useEffect(() => {
    if (failure.kind !== 'offline' || !retry) return undefined;
    addEventListener('online', retry);
    return () => removeEventListener('online', retry);
  }, [failure, retry]);
  const said = failure.kind === 'offline' ? '' : `${capital(failure.message)}. `;
  return html`<div class="failure" role="alert">
    <p><strong>${TITLES[failure.kind] ?? 'Something went wrong.'}</strong> ${said}${HINTS[failure.kind]}</p>
    ${retry && failure.kind !== 'missing' && html`<button type="button" onClick=${retry}>Try again</button>`}
  </div>`;
}

// A list that was made without what is known of a person, as a service was away.
export function General({ list, retry }) {
  if (!list?.degraded) return null;
  return html`<div class="failure" role="alert"><p><strong>This is a general list:</strong> ${list.degraded_reason}.</p><button
    type="button" onClick=${retry}>Try again</button></div>`;
}

// Shows a failure; nothing without one.
export function Trouble({ failure, retry }) {
  if (!failure) return null;
  if (failure.kind === 'token') return html`<${TokenForm} refusal=${failure.status ? failure.message : ''} />`;
  if (failure.kind === 'limit' && retry) return html`<${Limit} failure=${failure} retry=${retry} />`;
  return html`<${Other} failure=${failure} retry=${retry} />`;
}
