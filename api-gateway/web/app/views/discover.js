// Discover: searching and filtering the catalogue. The address bar holds all of it.
import { html, useEffect, useLayoutEffect, useRef, useState } from '../preact.js';
import { call, query } from '../api.js';
import { Card, Placeholders } from '../card.js';
import { Trouble } from '../failure.js';
import { Icon } from '../icons.js';
import { useAction, useDebounced, useLoad } from '../load.js';
import { GENRE_NAMES } from '../poster.js';
import { hrefOf, replace } from '../route.js';
import { count, language } from '../words.js';

const PAGE_SIZE = 24;
const SORTS = [
  ['', 'Popular'],
  ['vote_average', 'Best rated'],
  ['release_date', 'Newest'],
  ['title', 'Title'],
];
// The list that was shown last, so that going back from a movie finds it as it was.
let shown = { key: null, pages: [], scroll: 0 };

const filtersOf = (search) =>
  Object.fromEntries(['q', 'genres', 'language', 'decade', 'sort'].map((name) => [name, search.get(name) ?? '']));

function parametersOf({ q, genres, language: code, decade, sort }) {
  return {
    q,
    with_genres: genres,
    with_original_language: code,
    release_date_from: decade && `${decade}-01-01`,
    release_date_to: decade && `${Number(decade) + 9}-12-31`,
    sort_by: sort,
    order: sort === 'title' ? 'asc' : '',
    page_size: PAGE_SIZE,
    include: 'genres,vote_average',
  };
}

// One chosen value of many; the counts are of the movies that match now.
function Choice({ label, value, options, onChange }) {
  return html`<label class="choice"><span>${label}</span><select value=${value}
    onChange=${(event) => onChange(event.target.value)}>
    ${options.map(([option, name]) => html`<option key=${option} value=${option} selected=${option === value}>${name}</option>`)}
      </select></label>`;
}

// All genres stand in the same order, whatever matches, so that none moves away from under a finger.
function Genres({ chosen, facet, onChange }) {
  const counts = new Map(facet?.map(({ name, movies }) => [name, movies]));
  const names = [...new Set([...GENRE_NAMES, ...chosen, ...counts.keys()])].sort();
  const toggle = (name) =>
    onChange(chosen.includes(name) ? chosen.filter((other) => other !== name) : [...chosen, name]);
  return html`<div class="chips" role="group" aria-label="Genres">${names.map(
    (name) => html`<button key=${name} type="button"
    class=${`chip ${facet && !counts.has(name) ? 'none' : ''}`} aria-pressed=${chosen.includes(name)}
      onClick=${() => toggle(name)}>${name} <small>${facet ? (counts.get(name) ?? 0) : ''}</small></button>`,
  )}</div>`;
}

function decadesOf(years) {
  const decades = new Map();
  for (const { year, movies } of years) {
    const decade = String(Math.floor(year / 10) * 10);
    decades.set(decade, (decades.get(decade) ?? 0) + movies);
  }
  return [...decades].map(([decade, movies]) => [decade, `${decade}s (${movies})`]);
}

// The choices of language and decade are those of the search without them, so that one can be changed for another.
function useOptions(filters) {
  const q = useDebounced(filters.q, 250);
  const { data } = useLoad(
    (signal) =>
      call(`/movies${query({ q, with_genres: filters.genres, page_size: 1, facets: 'language,year' })}`, { signal }),
    [q, filters.genres],
  );
  const languages = (data?.facets.language ?? []).map(({ language: code, movies }) => [
    code,
    `${language(code)} (${movies})`,
  ]);
  const decades = decadesOf(data?.facets.year ?? []);
  const withChosen = (options, value, name) =>
    !value || options.some(([option]) => option === value) ? options : [[value, name], ...options];
  return {
    languages: [['', 'Language'], ...withChosen(languages, filters.language, language(filters.language))],
    decades: [['', 'Decade'], ...withChosen(decades, filters.decade, `${filters.decade}s`)],
  };
}

// The pages that were loaded, and how to load the next.
function useMovies(filters) {
  const key = query(parametersOf(filters));
  const [pages, setPages] = useState(() => (shown.key === key ? shown.pages : []));
  const first = useLoad(
    async (signal) => {
      if (shown.key === key) return shown.pages[0];
      const page = await call(`/movies${key}&facets=genres`, { signal });
      shown = { key, pages: [page], scroll: 0 };
      setPages(shown.pages);
      return page;
    },
    [key],
  );
  const more = useAction(async () => {
    const cursor = pages.at(-1)?.next_cursor;
    if (!cursor || shown.key !== key) return;
    const page = await call(`/movies${key}&${new URLSearchParams({ cursor })}`);
    if (shown.key !== key) return;
    shown = { ...shown, pages: [...pages, page] };
    setPages(shown.pages);
  });
  return { pages, first, more, current: shown.key === key };
}

// Loads the next page when its end comes near; the button does the same by keyboard.
function More({ more }) {
  const button = useRef(null);
  useEffect(() => {
    const observer = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && more.run(),
      { rootMargin: '600px' },
    );
    if (!more.busy && !more.failure) observer.observe(button.current);
    return () => observer.disconnect();
  }, [more.busy, more.failure]);
  return html`<div class="more"><${Trouble} failure=${more.failure} retry=${more.retry} />
    <button ref=${button} type="button" disabled=${more.busy} onClick=${more.run}>${more.busy ? 'Loading ...' : 'Show more'}
      </button></div>`;
}

function SearchField({ value, onChange }) {
  const field = useRef(null);
  useEffect(() => {
    const focus = (event) => {
      if (event.key !== '/' || event.target.closest('input, textarea, select, dialog')) return;
      event.preventDefault();
      field.current.focus();
    };
    addEventListener('keydown', focus);
    return () => removeEventListener('keydown', focus);
  }, []);
  return html`<div class="search"><${Icon} name="search" /><input ref=${field} type="search" aria-label="Search movies"
    placeholder="Search, spelling forgiven ..."
    autocomplete="off" maxlength="200" value=${value} onInput=${(event) => onChange(event.target.value)} /><kbd
      aria-hidden="true">/</kbd></div>`;
}

export function Discover({ search }) {
  const filters = filtersOf(search);
  const [text, setText] = useState(filters.q);
  const settled = useDebounced(text, 180);
  const change = (values) => replace(hrefOf('discover', { ...filters, q: text.trim(), ...values }));
  useEffect(() => change({}), [settled]);
  // The address may also change by a link or by going back.
  useEffect(() => setText((before) => (before.trim() === filters.q ? before : filters.q)), [filters.q]);
  const { pages, first, more, current } = useMovies(filters);
  const { languages, decades } = useOptions(filters);
  useLayoutEffect(() => {
    if (shown.scroll) scrollTo(0, shown.scroll);
    return () => {
      shown.scroll = scrollY;
    };
  }, []);

  const movies = pages.flatMap(({ data }) => data);
  const total = pages[0]?.total_results ?? 0;
  const genres = filters.genres ? filters.genres.split(',') : [];
  const filtered = Boolean(filters.q || genres.length || filters.language || filters.decade);
  return html`<h1 class="unseen">Discover movies</h1>
    <search class="finder"><${SearchField} value=${text} onChange=${setText} />
      <div class="choices"><${Choice} label="Language" value=${filters.language} options=${languages}
        onChange=${(value) => change({ language: value })} />
        <${Choice} label="Decade" value=${filters.decade} options=${decades} onChange=${(value) => change({ decade: value })} />
        <${Choice} label="Sort" value=${filters.sort}
          options=${filters.q ? [['', 'Match'], ['popularity', 'Popular'], ...SORTS.slice(1)] : SORTS}
          onChange=${(value) => change({ sort: value })} /></div>
      <${Genres} chosen=${genres} facet=${pages[0]?.facets?.genres} onChange=${(names) => change({ genres: names.join(',') })} />
        </search>
    <div class="result-line"><p role="status">${pages.length ? (total ? count(total, 'movie') : 'No movie matches.') : ' '}</p>
      ${
        filtered &&
        html`<button type="button" class="bare" onClick=${() => {
          setText('');
          replace('#/discover');
        }}>Clear all</button>`
      }</div>
    <${Trouble} failure=${first.failure} retry=${first.retry} />
    <ul class=${`grid ${current ? '' : 'fading'}`} aria-busy=${!current}>
      ${movies.map((movie) => html`<${Card} key=${movie.id} movie=${movie} />`)}
      ${pages.length === 0 && !first.failure && html`<${Placeholders} count=${18} />`}</ul>
    ${pages.length > 0 && total === 0 && html`<p
      class="empty">Nothing in the catalogue fits. Fewer letters or filters find more.</p>`}
    ${pages.at(-1)?.next_cursor && html`<${More} more=${more} />`}`;
}
