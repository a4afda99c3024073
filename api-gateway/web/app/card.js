// A movie in a grid: poster, title, and a heart.
import { html } from './preact.js';
import { Icon } from './icons.js';
import { marks } from './session.js';
import { mark } from './marking.js';
import { Poster } from './poster.js';
import { notify } from './notice.js';
import { useAction } from './load.js';
import { yearOf } from './words.js';

export function Heart({ movie, list }) {
  const liked = marks.use().movies.get(movie.id)?.opinion === 'like';
  const like = useAction(() =>
    mark(movie, 'like', { list }).catch((failure) => notify(`That did not work: ${failure.message}.`)),
  );
  return html`<button type="button" class="heart" aria-pressed=${liked} aria-label=${`Like ${movie.title}`} disabled=${like.busy}
    onClick=${() => liked || like.run()}>
    <${Icon} name="heart" /></button>`;
}

export function Card({ movie, note }) {
  const facts = [yearOf(movie), movie.vote_average ? `★ ${movie.vote_average.toFixed(1)}` : '']
    .filter(Boolean)
    .join(' · ');
  return html`<li class="card">
    <a href=${`#/movie/${movie.id}`}><${Poster} movie=${movie} />
      <span class="card-title">${movie.title}</span><span class="card-facts">${facts}</span>
      ${note && html`<span class="card-note">${note}</span>`}</a>
    <${Heart} movie=${movie} />
  </li>`;
}

// What stands where cards will: of the same size, so that nothing jumps.
export const Placeholders = ({ count }) =>
  Array.from(
    { length: count },
    (_, index) => html`<li class="card waiting" key=${`w${index}`} aria-hidden="true">
  <div class="poster"></div><span class="card-title"> </span><span class="card-facts"> </span></li>`,
  );
