// Catalogue: synchronising it, adding a movie, and changing one.
import { html, useEffect, useRef, useState } from '../preact.js';
import { call, send } from '../api.js';
import { Trouble } from '../failure.js';
import { Icon } from '../icons.js';
import { useAction, useLoad } from '../load.js';
import { notify } from '../notice.js';
import { GENRE_NAMES, Poster } from '../poster.js';
import { storage } from '../store.js';
import { Sync, useJobs } from '../sync.js';
import { listOf } from '../words.js';

const EMPTY = { title: '', release_date: '', language: '', duration: '', overview: '', genres: [] };
const FIELDS = Object.keys(EMPTY);
const LABELS = {
  title: 'Title',
  release_date: 'Release date',
  language: 'Language',
  duration: 'Minutes',
  overview: 'What it is about',
  genres: 'Genres',
  original_title: 'original title',
  popularity: 'popularity',
  poster_url: 'poster',
  backdrop_url: 'backdrop',
  vote_average: 'rating',
  vote_count: 'votes',
};

// What was typed, kept until it is saved or given up, also when the page is loaded anew.
function useDraft(key, original) {
  const [draft, setDraft] = useState(() => storage.read('sessionStorage', key, {}));
  const change = (values) => {
    const next = { ...draft, ...values };
    setDraft(next);
    storage.write('sessionStorage', key, next);
  };
  const clear = () => {
    setDraft({});
    storage.write('sessionStorage', key, {});
  };
  return { values: { ...original, ...draft }, change, clear };
}

function bodyOf(values, original) {
  const body = {};
  for (const field of FIELDS) {
    if (JSON.stringify(values[field]) === JSON.stringify(original[field])) continue;
    body[field] = field === 'duration' ? Number(values.duration) || 0 : values[field];
  }
  return body;
}

function Field({ name, values, change, failure, as = 'input', ...rest }) {
  const wrong = failure?.field === name;
  return html`<label class="field">${LABELS[name]}
    <${as} name=${name} value=${values[name]} aria-invalid=${wrong} onInput=${(event) => change({ [name]: event.target.value })}
      ...${rest} />
    ${wrong && html`<span class="wrong">${failure.message}</span>`}</label>`;
}

function Fields({ values, change, failure }) {
  const toggle = (genre) =>
    change({
      genres: values.genres.includes(genre)
        ? values.genres.filter((other) => other !== genre)
        : [...values.genres, genre],
    });
  return html`<${Field} name="title" required maxlength="500" values=${values} change=${change} failure=${failure} />
    <div class="row fields"><${Field} name="release_date" type="date" values=${values} change=${change} failure=${failure} />
      <${Field} name="duration" inputmode="numeric" pattern="[0-9]*" values=${values} change=${change} failure=${failure} />
      <${Field} name="language" maxlength="3" pattern="[A-Za-z]*" placeholder="en" values=${values} change=${change}
        failure=${failure} /></div>
    <${Field} name="overview" as="textarea" rows="4" maxlength="10000" values=${values} change=${change} failure=${failure} />
    <div class="chips" role="group" aria-label="Genres">${[...GENRE_NAMES].sort().map(
      (genre) => html`<button key=${genre} type="button" class="chip" aria-pressed=${values.genres.includes(genre)}
      onClick=${() => toggle(genre)}>${genre}</button>`,
    )}</div>`;
}

function Locks({ movie, save }) {
  const locked = movie.locked_fields;
  return html`<section class="locks" aria-label="Locks">
    <p>${locked.length ? 'A sync leaves these alone, as they were edited by hand:' : 'Nothing is locked: a sync may change all of it. What you edit is locked.'}
    </p>
    ${
      locked.length > 0 &&
      html`<ul class="chips">${locked.map(
        (
          field,
        ) => html`<li key=${field}><button type="button" class="chip locked" disabled=${save.busy}
          aria-label=${`Unlock ${LABELS[field] ?? field}`}
      onClick=${() => save.run({ locked_fields: locked.filter((other) => other !== field) }, 'unlocked')}><${Icon}
        name="lock" />${LABELS[field] ?? field}</button></li>`,
      )}</ul>`
    }</section>`;
}

function Remove({ movie, onRemoved }) {
  const dialog = useRef(null);
  const remove = useAction(async () => {
    await call(`/movies/${movie.id}`, { method: 'DELETE' });
    onRemoved();
  });
  return html`<button type="button" class="bare" onClick=${() => dialog.current.showModal()}>Delete this movie</button>
    <dialog ref=${dialog} aria-label="Delete this movie"><p>Delete <strong>${movie.title}
      </strong> from the catalogue? A later sync may bring it back.</p>
      <${Trouble} failure=${remove.failure} retry=${remove.retry} />
      <div class="row"><button type="button" class="primary" disabled=${remove.busy} onClick=${() => remove.run()}>Delete</button>
        <button type="button" onClick=${() => dialog.current.close()}>Keep it</button></div></dialog>`;
}

function Edit({ id }) {
  const [saved, setSaved] = useState(null);
  const load = useLoad(
    async (signal) => {
      const response = await send(`/movies/${encodeURIComponent(id)}`, {
        signal,
        headers: { 'cache-control': 'no-cache' },
      });
      return { movie: await response.json(), etag: response.headers.get('etag') };
    },
    [id],
  );
  useEffect(() => setSaved(load.data), [load.data]);
  const original = saved
    ? {
        ...EMPTY,
        ...Object.fromEntries(FIELDS.map((field) => [field, saved.movie[field]])),
        duration: String(saved.movie.duration || ''),
      }
    : EMPTY;
  const draft = useDraft(`draft-${id}`, original);
  const save = useAction(async (body, what = 'saved') => {
    const response = await send(`/movies/${saved.movie.id}`, {
      method: 'PATCH',
      body,
      headers: { 'if-match': saved.etag },
    });
    const movie = await response.json();
    setSaved({ movie, etag: response.headers.get('etag') });
    if (what === 'saved') draft.clear();
    notify(
      what === 'saved'
        ? `${movie.title} is saved. Locked for a sync: ${listOf(movie.locked_fields.map((field) => LABELS[field] ?? field))}.`
        : `${movie.title} is ${what}.`,
      { href: `#/movie/${movie.id}`, label: 'Show it' },
    );
  });
  if (!saved) return html`<${Trouble} failure=${load.failure} retry=${load.retry} />`;
  const body = bodyOf(draft.values, original);
  const changedMeanwhile = save.failure?.status === 412;
  const submit = (event) => {
    event.preventDefault();
    save.run(body);
  };
  return html`<p><a href="#/catalogue">Catalogue</a></p><h1>Edit ${saved.movie.title}</h1><div class="editor"><${Poster}
    movie=${{ ...saved.movie, ...draft.values }} />
    <form onSubmit=${submit}><${Fields} values=${draft.values} change=${draft.change} failure=${save.failure} />
      ${
        changedMeanwhile
          ? html`<div class="failure" role="alert"><p>
            <strong>Somebody else changed it meanwhile.</strong> What you typed is kept; look at theirs, then save again.</p>
            <button type="button" onClick=${load.retry}>Load theirs</button></div>`
          : html`<${Trouble} failure=${save.failure?.field ? null : save.failure} retry=${save.retry} />`
      }
      <div class="row"><button class="primary" disabled=${save.busy || Object.keys(body).length === 0}>Save</button>
        <button type="button" disabled=${Object.keys(body).length === 0} onClick=${draft.clear}>Undo all</button><${Remove}
          movie=${saved.movie} onRemoved=${() => {
          draft.clear();
          notify(`${saved.movie.title} is deleted.`);
          location.hash = '#/catalogue';
        }} /></div>
      <${Locks} movie=${saved.movie} save=${save} /></form></div>`;
}

function Add() {
  const draft = useDraft('draft-new', EMPTY);
  const create = useAction(async () => {
    const movie = await call('/movies', { method: 'POST', body: bodyOf(draft.values, { ...EMPTY, genres: null }) });
    draft.clear();
    notify(`${movie.title} is in the catalogue.`, { href: `#/movie/${movie.id}`, label: 'Show it' });
    location.hash = `#/movie/${movie.id}`;
  });
  const submit = (event) => {
    event.preventDefault();
    create.run();
  };
  return html`<p><a href="#/catalogue">Catalogue</a></p><h1>Add a movie</h1><div class="editor"><${Poster}
    movie=${{ ...draft.values, title: draft.values.title || 'A movie' }} />
    <form onSubmit=${submit}><${Fields} values=${draft.values} change=${draft.change} failure=${create.failure} />
      <${Trouble} failure=${create.failure?.field ? null : create.failure} retry=${create.retry} /><div class="row"><button
        class="primary" disabled=${create.busy}>Add it</button></div></form></div>`;
}

function Overview() {
  const jobs = useJobs();
  // At once, so that the second panel is not pushed away.
  if (!jobs.data && !jobs.failure) return html`<h1>Catalogue</h1>`;
  return html`<h1>Catalogue</h1><div class="catalogue"><${Sync} jobs=${jobs} />
    <section class="panel"><h2>Movies by hand</h2><p
      class="quiet">Add one that TMDB does not have. To change one, find it, open it, and choose “Edit this movie”.</p>
      <p class="row"><a class="button" href="#/catalogue/new">Add a movie</a><a class="button"
        href="#/discover?sort=title">Find one</a></p></section></div>`;
}

export function Catalogue({ id }) {
  if (id === 'new') return html`<${Add} />`;
  if (id) return html`<${Edit} id=${id} />`;
  return html`<${Overview} />`;
}
