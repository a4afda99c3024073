// Lists of recommendations: asking for them, and what changed from one to the next.
import { call, query } from './api.js';
import { createStore } from './store.js';

export const LENGTH = 12;

// The newest list with the default settings, by which a change is noticed, and what changed with it: `{of, list, change}`.
export const known = createStore({ of: null, list: null, change: null });

export function ask(id, parameters = {}, signal) {
  return call(`/users/${id}/recommendations${query({ limit: LENGTH, explain: true, ...parameters })}`, { signal });
}

// What changed: movies that entered or left, and how many places each one moved (upwards is above 0, `null` is new).
export function compare(before, after) {
  const places = new Map(before.map(({ id }, place) => [id, place]));
  const now = new Set(after.map(({ id }) => id));
  const moves = new Map(after.map(({ id }, place) => [id, places.has(id) ? places.get(id) - place : null]));
  return {
    moves,
    entered: after.filter(({ id }) => !places.has(id)),
    left: before.filter(({ id }) => !now.has(id)),
    moved: [...moves.values()].filter(Boolean).length,
  };
}

// What changed from the known list of a person to a newer one; null when none was known.
export function learn(id, list) {
  const before = known.get();
  if (before.of !== id) known.set({ of: id, list, change: null });
  else if (!isSame(before.list, list))
    known.set({ of: id, list, change: compare(before.list.recommendations, list.recommendations) });
  return known.get().change;
}

const isSame = (one, other) =>
  one.recommendations.map(({ id }) => id).join() === other.recommendations.map(({ id }) => id).join();

// Asks for the list of a person anew; returns what changed with it, if one was known before.
export async function refresh(id) {
  const before = known.get();
  const list = await ask(id);
  learn(id, list);
  if (before.of !== id) return null;
  return compare(before.list.recommendations, list.recommendations);
}

// The list as other weights would order it, until the service has answered: score = sum of weight x value.
export function reweigh(recommendations, weights) {
  const rows = recommendations.map((movie) => {
    const explanation = movie.explanation.map((part) => {
      const weight = weights[part.rule] ?? part.weight;
      return { ...part, weight, contribution: weight * part.value };
    });
    return { ...movie, explanation, score: explanation.reduce((sum, { contribution }) => sum + contribution, 0) };
  });
  return rows.sort((a, b) => b.score - a.score || b.popularity - a.popularity || a.id - b.id);
}
