// Liking, rating and the like: asks who it is if nobody is chosen, records it, and says what became of the list.
import { person, record } from './session.js';
import { notify } from './notice.js';
import { askWho } from './people.js';
import { route } from './route.js';
import { known, refresh } from './recommendations.js';
import { count } from './words.js';

const DONE = {
  like: (title) => `You like ${title}.`,
  dislike: (title) => `You do not like ${title}.`,
  watchlist: (title) => `${title} is on your watchlist.`,
  watched: (title) => `You have watched ${title}.`,
  rating: (title, value) => `You gave ${title} ${value} of 10.`,
};

// Marks a movie for the chosen person; throws a `Failure`.
export async function mark(movie, kind, { value, list } = {}) {
  const chosen = person.get() ?? (await askWho());
  if (!chosen) return;
  // Only with a list from before can be said what this one changes.
  if (known.get().of !== chosen.id) await refresh(chosen.id).catch(() => null);
  await record(movie.id, kind, { value, list });
  const change = await refresh(chosen.id).catch(() => null);
  notify(
    `${DONE[kind](movie.title, value)} ${describe(change)}`.trim(),
    route.get().view === 'for-you' ? {} : { href: '#/for-you', label: 'See the list' },
  );
}

function describe(change) {
  if (!change) return '';
  const { entered, moved } = change;
  if (entered.length === 0 && moved === 0) return 'The list of recommendations stays as it was.';
  const news = entered.length
    ? `${count(entered.length, 'movie is', 'movies are')} new, such as ${entered[0].title}`
    : '';
  const moves = moved ? `${count(moved, 'movie')} moved` : '';
  return `The list of recommendations changed: ${[news, moves].filter(Boolean).join('; ')}.`;
}
