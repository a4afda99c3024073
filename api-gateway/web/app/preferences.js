// What a person prefers: genres, language and a minimum rating. Each change is saved at once.
import { html, useEffect, useState } from './preact.js';
import { call } from './api.js';
import { Trouble } from './failure.js';
import { useAction, useDebounced, useLoad } from './load.js';
import { GENRE_NAMES } from './poster.js';
import { changed } from './session.js';
import { language, listOf } from './words.js';

const LANGUAGES = ['en', 'fr', 'de', 'es', 'it', 'ja', 'ko', 'hi', 'zh', 'pt', 'ru', 'sv', 'da'];

function Rating({ value, onChange }) {
  const [shown, setShown] = useState(value);
  const settled = useDebounced(shown, 350);
  useEffect(() => {
    if (settled !== value) onChange(settled);
  }, [settled]);
  return html`<label class="slider">Rated at least <span class="value">${shown === 0 ? 'anything' : shown.toFixed(1)}</span>
    <input type="range" min="0" max="9" step="0.5" value=${shown} onInput=${(event) => setShown(Number(event.target.value))} />
      </label>`;
}

function summaryOf({ preferred_genres: genres, min_rating: rating }) {
  const parts = [
    genres.length ? listOf(genres) : 'no genre above others',
    rating > 0 ? `rated ${rating} or better` : '',
  ];
  return parts.filter(Boolean).join(', ');
}

export const usePreferences = (id) => useLoad((signal) => call(`/users/${id}/preferences`, { signal }), [id]);

// `load` is what `usePreferences` has of this person.
export function Preferences({ id, load: { data, failure, retry } }) {
  const [mine, setMine] = useState(data);
  useEffect(() => setMine(data), [data]);
  const save = useAction(async (wanted) => {
    const { preferred_genres, preferred_language, min_rating } = wanted;
    await call(`/users/${id}/preferences`, {
      method: 'POST',
      body: { preferred_genres, preferred_language, min_rating },
    });
    changed();
  });
  if (!mine) return html`<${Trouble} failure=${failure} retry=${retry} />`;
  const change = (values) => {
    const wanted = { ...mine, ...values };
    setMine(wanted);
    save.run(wanted);
  };
  const chosen = mine.preferred_genres;
  const toggle = (genre) =>
    change({
      preferred_genres: chosen.includes(genre) ? chosen.filter((other) => other !== genre) : [...chosen, genre],
    });
  const names = [...new Set([...GENRE_NAMES, ...chosen])].sort();
  return html`<details class="panel preferences"><summary><strong>Preferences</strong> <span class="quiet">${summaryOf(mine)}
    </span></summary>
    <div class="chips" role="group" aria-label="Preferred genres">${names.map((genre) => html`<button key=${genre} type="button"
      class="chip" aria-pressed=${chosen.includes(genre)} onClick=${() => toggle(genre)}>${genre}</button>`)}</div>
    <label class="pick">Language <select value=${mine.preferred_language}
      onChange=${(event) => change({ preferred_language: event.target.value })}>
      ${[...new Set([...LANGUAGES, mine.preferred_language])].map((code) => html`<option key=${code} value=${code}
        selected=${code === mine.preferred_language}>${language(code)}</option>`)}</select></label>
    <${Rating} key=${id} value=${mine.min_rating} onChange=${(rating) => change({ min_rating: rating })} />
    <${Trouble} failure=${save.failure} retry=${save.retry} /></details>`;
}
