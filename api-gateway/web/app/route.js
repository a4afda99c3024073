// The address bar: `#/discover?q=alien`, `#/movie/12`. A link shows another person the same.
import { createStore } from './store.js';

function read() {
  const [path, search] = location.hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  const [view, id] = path.split('/');
  return { view: view || 'discover', id: id ?? '', search: new URLSearchParams(search ?? '') };
}

export const route = createStore(read());
addEventListener('hashchange', () => route.set(read()));

export function hrefOf(view, parameters = {}) {
  const wanted = Object.entries(parameters).filter(
    ([, value]) => value !== '' && value !== undefined && value !== null,
  );
  const search = new URLSearchParams(wanted).toString();
  return `#/${view}${search && `?${search}`}`;
}

// Changes the address without a step in the history, as typing does.
export function replace(href) {
  if (href === location.hash) return;
  history.replaceState(history.state, '', href);
  route.set(read());
}
