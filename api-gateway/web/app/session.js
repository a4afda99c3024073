// Who uses the page: the people that this browser knows, the one who was chosen, and what that one did with movies.
import { call } from './api.js';
import { createStore, storage } from './store.js';

export const people = createStore(storage.read('localStorage', 'people', []));
export const person = createStore(storage.read('sessionStorage', 'person', null));
// What the chosen person did: by movie, the kinds of interaction and the rating.
export const marks = createStore({ of: null, movies: new Map() });

export function remember(someone) {
  const others = people.get().filter(({ id }) => id !== someone.id);
  people.set([...others, { id: someone.id, username: someone.username }].sort((a, b) => a.id - b.id));
  storage.write('localStorage', 'people', people.get());
}

// Somebody whom the platform does not know any more, as after a reset.
export function forget(id) {
  people.set(people.get().filter((someone) => someone.id !== id));
  storage.write('localStorage', 'people', people.get());
  if (person.get()?.id === id) choose(null);
}

export function choose(someone) {
  if (someone) remember(someone);
  person.set(someone && { id: someone.id, username: someone.username });
  storage.write('sessionStorage', 'person', person.get());
  marks.set({ of: null, movies: new Map() });
}

// Counts what was recorded or set, so that lists made from it are asked for anew.
export const changes = createStore(0);
export const changed = () => changes.set((before) => before + 1);

// Names are made unique by the service; the address only has to look like one.
export async function createPerson(username) {
  const email = `${
    username
      .trim()
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '.') || 'person'
  }.${Date.now()}@example.com`;
  const someone = await call('/users', { method: 'POST', body: { username: username.trim(), email } });
  remember(someone);
  return someone;
}

export async function findPerson(id) {
  const someone = await call(`/users/${encodeURIComponent(id)}`);
  remember(someone);
  return someone;
}

// A like and a dislike replace each other; the rest stands beside them.
function add(before, { interaction_type: kind, value }) {
  const mark = { ...before };
  if (kind === 'like' || kind === 'dislike') mark.opinion = kind;
  else if (kind === 'rating') mark.rating = value;
  else mark[kind] = true;
  return mark;
}

export async function loadMarks(signal) {
  const chosen = person.get();
  if (!chosen || marks.get().of === chosen.id) return;
  const { interactions } = await call(`/users/${chosen.id}/interactions?limit=1000`, { signal });
  const movies = new Map();
  for (const one of interactions.reverse()) movies.set(one.movie_id, add(movies.get(one.movie_id), one));
  if (person.get()?.id === chosen.id) marks.set({ of: chosen.id, movies });
}

// Records what the person did with a movie. `list` is the id of the recommendations that it was taken from.
export async function record(movie, kind, { value, list } = {}) {
  const chosen = person.get();
  const body = { movie_id: movie, interaction_type: kind, value, recommendation_id: list };
  const done = await call(`/users/${chosen.id}/interactions`, { method: 'POST', body });
  marks.set(({ of, movies }) => ({ of, movies: new Map(movies).set(movie, add(movies.get(movie), done)) }));
  changed();
}
