// Movie: its facts, what one thinks of it, and movies near it.
import { html, useEffect } from '../preact.js';
import { call } from '../api.js';
import { Card, Placeholders } from '../card.js';
import { Trouble } from '../failure.js';
import { Icon } from '../icons.js';
import { useAction, useLoad } from '../load.js';
import { mark } from '../marking.js';
import { colorsOf, Poster } from '../poster.js';
import { hrefOf } from '../route.js';
import { marks, person } from '../session.js';
import { capital, duration, language } from '../words.js';

const RATINGS = Array.from({ length: 10 }, (_, index) => index + 1);

// The lists name few fields of a movie; the rest comes in one request, for posters and ratings.
async function withFacts(list, signal) {
  if (list.length === 0) return [];
  const ids = list.map(({ id }) => id).join(',');
  const { data } = await call(`/movies?ids=${ids}&page_size=${list.length}&include=genres,vote_average`, { signal });
  const facts = new Map(data.map((movie) => [movie.id, movie]));
  return list.map((movie) => ({ ...facts.get(movie.id), ...movie }));
}

// A movie that has just been added is not known everywhere yet.
async function neighboursOf(path, pick, signal) {
  try {
    return pick(await call(path, { signal }));
  } catch (failure) {
    if (failure.kind === 'missing') return [];
    throw failure;
  }
}

function Neighbours({ title, path, pick, note, empty }) {
  const { data, failure, retry } = useLoad(
    async (signal) => withFacts(await neighboursOf(path, pick, signal), signal),
    [path],
  );
  if (data?.length === 0 && !empty) return null;
  return html`<section class="neighbours"><h2>${title}</h2><${Trouble} failure=${failure} retry=${retry} />
    ${data?.length === 0 && html`<p class="quiet">${empty}</p>`}
    <ul class="strip">${data ? data.map((movie) => html`<${Card} key=${movie.id} movie=${movie}
      note=${note(movie)} />`) : !failure && html`<${Placeholders} count=${6} />`}</ul></section>`;
}

function Opinions({ movie }) {
  const chosen = person.use();
  const mine = marks.use().movies.get(movie.id) ?? {};
  const { run, busy, failure, retry } = useAction((kind, value) => mark(movie, kind, { value }));
  const button = (
    kind,
    icon,
    label,
    pressed,
  ) => html`<button type="button" class=${`opinion ${kind}`} aria-pressed=${pressed} disabled=${busy}
    onClick=${() => pressed || run(kind)}><${Icon} name=${icon} />${label}</button>`;
  return html`<div class="opinions" role="group"
    aria-label=${chosen ? `What ${chosen.username} thinks of it` : 'What you think of it'}>
    ${button('like', 'heart', 'Like', mine.opinion === 'like')}
    ${button('dislike', 'down', 'Dislike', mine.opinion === 'dislike')}
    ${button('watchlist', 'bookmark', 'Watchlist', mine.watchlist === true)}
    ${button('watched', 'eye', 'Watched', mine.watched === true)}
    <label class="rate">Rate <select value=${mine.rating ?? ''} disabled=${busy}
      onChange=${(event) => event.target.value && run('rating', Number(event.target.value))}>
      <option value="">–</option>${RATINGS.map((value) => html`<option key=${value} value=${value}
        selected=${value === mine.rating}>${value}</option>`)}
      ${mine.rating && !RATINGS.includes(mine.rating) && html`<option value=${mine.rating} selected>${mine.rating}</option>`}
        </select></label>
    <${Trouble} failure=${failure} retry=${retry} /></div>`;
}

function Facts({ movie }) {
  const line = [
    (movie.release_date || '').slice(0, 4),
    duration(movie.duration),
    capital(language(movie.language)),
  ].filter(Boolean);
  const original = movie.original_title && movie.original_title !== movie.title;
  return html`<div class="facts"><h1>${movie.title}</h1>${original && html`<p class="original"
    lang=${movie.language}>${movie.original_title}</p>`}
    <p class="fact-line">${line.join(' · ')}</p>
    <ul class="tags">${movie.genres.map((genre) => html`<li key=${genre}><a href=${hrefOf('discover', { genres: genre })}>${genre}
      </a></li>`)}</ul>
    ${movie.vote_count > 0 && html`<p class="score"><strong>${movie.vote_average.toFixed(1)}</strong>
      <span>of 10, by ${movie.vote_count.toLocaleString('en')} votes</span></p>`}
    <p class="overview">${movie.overview || 'Nobody has written yet what it is about.'}</p>
    <${Opinions} movie=${movie} /><p class="quiet"><a href=${`#/catalogue/${movie.id}`}>Edit this movie</a></p></div>`;
}

export function Movie({ id }) {
  const {
    data: movie,
    failure,
    retry,
  } = useLoad((signal) => call(`/movies/${encodeURIComponent(id)}`, { signal }), [id]);
  useEffect(() => scrollTo(0, 0), [id]);
  useEffect(() => {
    if (movie) document.title = `${movie.title} · Movie Discovery`;
  }, [movie]);
  if (!movie)
    return html`<${Trouble} failure=${failure} retry=${retry} />${!failure && html`<div class="movie waiting" aria-busy="true">
      <div class="poster"></div></div>`}`;
  return html`<article class="movie" style=${colorsOf(movie)}><${Poster} movie=${movie} /><${Facts} movie=${movie} /></article>
    <${Neighbours} title="Similar movies" path=${`/movies/${movie.id}/similar?limit=12`} pick=${({ similar }) => similar}
      note=${({ why }) => capital(why.join(', '))} empty="Nothing in the catalogue is near it." />
    <${Neighbours} title="People who liked it also liked" path=${`/movies/${movie.id}/also-liked?limit=12`}
      pick=${({ movies }) => movies} note=${() => ''}
      empty="This is learned from what people like: it comes when enough people have liked enough movies." />`;
}
