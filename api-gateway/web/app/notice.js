// A short message about what was just done; it goes away by itself, unless it is pointed at.
import { html, useEffect } from './preact.js';
import { createStore } from './store.js';
import { Icon } from './icons.js';

const notice = createStore(null);

// `href` leads to what came of it.
export const notify = (text, { href, label } = {}) => notice.set({ text, href, label });

export function Notice() {
  const current = notice.use();
  useEffect(() => {
    if (!current) return undefined;
    const timer = setTimeout(() => notice.set(null), 9000);
    return () => clearTimeout(timer);
  }, [current]);
  return html`<div class="notices" role="status" aria-live="polite">
    ${
      current &&
      html`<div class="notice">
      <p>${current.text}</p>
      ${current.href && html`<a href=${current.href} onClick=${() => notice.set(null)}>${current.label}</a>`}
      <button type="button" class="bare" aria-label="Close this message" onClick=${() => notice.set(null)}><${Icon}
        name="close" /></button>
    </div>`
    }
  </div>`;
}
